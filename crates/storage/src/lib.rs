#![doc = include_str!("../README.md")]
//! In reading order: [`KeyFeed`] is an ordered log of changes with snapshots, which engines follow. [`KeyStore`] adds the
//! [commands](Command) that make changes, and look-ups. The commands contain the rules, so every way into the store has the
//! same ones. [`KeyTransaction`] is the interface of an implementation to the commands. [`Follower`] applies a feed to an
//! [`ApiKeyTable`](tollgate::ApiKeyTable) and a [`Revocations`](tollgate::Revocations), the only state that an engine reads;
//! no verify ever waits for the store. For an authorization server it also keeps the
//! [`RegisteredClients`]. [`Import`] and [`export_keys`] read and write files of keys.
//!
//! [`AccountStore`] has the other records of a service. Both traits include an [`AuditLog`]. `tollgate-sqlite` is the
//! implementation for one host. Every implementation must pass the tests of the feature `conformance`.
//!
//! All times are seconds since the Unix epoch. Only digests of secrets are stored.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod account_store;
pub mod accounts;
mod audit;
mod audited;
mod certificate_subject;
mod client;
mod client_id;
mod client_keys;
mod clock;
mod command;
mod confirmation;
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
mod registered_clients;
mod revocation;
mod scope_list;
mod transaction;
mod transfer;
mod write_gate;

pub use account_store::AccountStore;
pub use audit::{Actor, AuditFilter, AuditLog, AuditRecord, Door};
pub use certificate_subject::{CertificateSubject, SubjectName};
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
pub use registered_clients::RegisteredClients;
pub use revocation::{RevocationKind, StoredRevocation};
pub use scope_list::ScopeList;
pub use transaction::KeyTransaction;
pub use transfer::{FileFormat, Import, ImportReport, export_keys};
pub use write_gate::{Passage, WriteGate};
