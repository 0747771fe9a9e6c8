//! Durable API keys, clients and revocations, and the feed that keeps engines in step.
//!
//! In reading order: [`ChangeLog`] is what a store has to be able to do: append changes, read those after a number,
//! wait for more, give everything as of a number. [`Store`] does it in one SQLite file that several processes of a host
//! share. [`Follower`] applies what a log says to an [`ApiKeyTable`](tollgate::ApiKeyTable) and a
//! [`Revocations`](tollgate::Revocations), which is all that an engine reads; no verify ever waits for the store.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use tollgate::{ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord, Revocations};
//! use tollgate_store::{Follower, Store, StoredKey, new_key_id};
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let store = Arc::new(Store::open(folder)?);
//! let format = KeyFormat::new("tg", "live")?;
//! let (table, revocations) = (Arc::new(ApiKeyTable::new(format.clone())), Revocations::new());
//! let engine = Engine::builder().api_keys(table.clone()).revocations(revocations.clone()).build()?;
//! let follower = Follower::new(store.clone(), table, revocations).spawn();
//!
//! // Here, or in any other process that opens the same folder.
//! let (key, id) = (ApiKey::generate(&format)?, new_key_id("key")?);
//! let added = store.add_key(&StoredKey::native(&format, &key, KeyRecord::api_key(&id, "user_7")))?;
//!
//! assert!(follower.wait_for(added, Duration::from_secs(5)));
//! assert!(engine.verify(key.as_str().as_bytes()).is_ok());
//!
//! let revoked = store.revoke_key(&id)?.expect("it was there");
//! assert!(follower.wait_for(revoked, Duration::from_secs(5)));
//! assert_eq!(engine.verify(key.as_str().as_bytes()).unwrap_err().code(), "revoked");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! All times are seconds since the Unix epoch. Secrets are kept as digests only.

#![forbid(unsafe_code)]

mod change_log;
mod client;
mod clock;
mod error;
mod follower;
mod id;
mod key;
pub mod limits;
mod revocation;
mod sqlite;
mod transfer;

pub use change_log::{Change, ChangeLog, Changes, Since};
pub use client::Client;
pub use error::{LineRefused, StoreError};
pub use follower::{Follower, FollowerThread, Lag, Progress, Reclaimer};
pub use id::new_key_id;
pub use key::StoredKey;
pub use revocation::{RevocationKind, StoredRevocation};
pub use sqlite::{Database, KeyFilter, StateChange, Store, TokensOf};
pub use transfer::{Existing, FileFormat, Import, ImportReport};
