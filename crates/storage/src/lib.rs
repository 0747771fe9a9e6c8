#![doc = include_str!("../README.md")]
//! In reading order: [`KeyFeed`] is what engines follow, an ordered log of changes with snapshots. [`KeyStore`] adds the
//! [commands](Command) that make changes, and look-ups; the rules of what may be done are in the commands, so that no door to the store
//! is softer than another. [`KeyTransaction`] is what an implementation gives a command to work with. [`Follower`] applies what a feed
//! says to an [`ApiKeyTable`](tollgate::ApiKeyTable) and a [`Revocations`](tollgate::Revocations), which is all that an engine reads; no
//! verify ever waits for the store. [`Import`] and [`export_keys`] take keys from files and write them.
//!
//! [`AccountStore`] is what a service alone keeps. Both are an [`AuditLog`] of who did what. `tollgate-sqlite` is the implementation for one host. Whatever implements the traits has to pass the tests in `conformance`, a
//! feature.
//!
//! All times are seconds since the Unix epoch. Secrets are kept as digests only.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod account_store;
pub mod accounts;
mod audit;
mod audited;
mod client;
mod client_id;
mod client_keys;
mod clock;
mod command;
#[cfg(feature = "conformance")]
pub mod conformance;
mod derived;
mod error;
mod feed;
mod follower;
mod id;
mod key;
mod key_session;
mod key_store;
pub mod limits;
mod made_with;
mod redirect_uri;
mod revocation;
mod scope_list;
mod transaction;
mod transfer;
mod write_gate;

pub use account_store::AccountStore;
pub use audit::{Actor, AuditFilter, AuditLog, AuditRecord, Door};
pub use client::{ADMIN_SCOPE_PREFIX, Client, ClientAuthMethod, ClientKind, ClientSettings, GrantType, USER_ID_PREFIX};
pub use client_id::ClientId;
pub use client_keys::ClientKeys;
pub use command::{Command, Issued, Outcome, TokensOf};
pub use error::{LineRefused, Refusal, StorageError};
pub use feed::{Change, Changes, KeyFeed, Position, Since, Visit};
pub use follower::{Follower, FollowerThread, Lag, Progress, Reclaimer};
pub use id::new_key_id;
pub use key::StoredKey;
pub use key_session::{Derived, KeySession};
pub use key_store::{Executed, Existing, KeyFilter, KeyStore};
pub use redirect_uri::RedirectUri;
pub use revocation::{RevocationKind, StoredRevocation};
pub use scope_list::ScopeList;
pub use transaction::KeyTransaction;
pub use transfer::{FileFormat, Import, ImportReport, export_keys};
pub use write_gate::{Passage, WriteGate};
