#![doc = include_str!("../README.md")]
//! [`SqliteKeyStore`] is the [`KeyStore`](tollgate_storage::KeyStore) for a single host, [`SqliteAccountStore`] the
//! [`AccountStore`](tollgate_storage::AccountStore).
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use tollgate::{ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord, KeyState, Revocations};
//! use tollgate_sqlite::SqliteKeyStore;
//! use tollgate_storage::{Command, Follower, KeyStore, StoredKey, new_key_id};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let store: Arc<dyn KeyStore> = Arc::new(SqliteKeyStore::open(folder)?);
//! let format = KeyFormat::new("tg", "live")?;
//! let (table, revocations) = (Arc::new(ApiKeyTable::new(format.clone())), Revocations::new());
//! let engine = Engine::builder().api_keys(table.clone()).revocations(revocations.clone()).build()?;
//! let follower = Follower::new(store.clone(), table, revocations).spawn()?;
//!
//! // Here, or in any other process that opens the same folder.
//! let (key, id) = (ApiKey::generate(&format)?, new_key_id("key")?);
//! let stored = StoredKey::native(&format, &key, KeyRecord::api_key(&id, "user_7"));
//! let (_, added) = store.run(Command::AddKey { key: stored, max: None }).await?;
//!
//! assert!(follower.wait_for(added.number, Duration::from_secs(5)));
//! assert!(engine.verify(key.as_str().as_bytes()).is_ok());
//!
//! let (_, revoked) = store.run(Command::PutKeyInState { id, state: KeyState::Revoked }).await?;
//! assert!(follower.wait_for(revoked.number, Duration::from_secs(5)));
//! assert_eq!(engine.verify(key.as_str().as_bytes()).unwrap_err().code(), "revoked");
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod account_schema;
mod account_store;
mod audit_log;
mod audit_rows;
mod change_rows;
mod client_rows;
mod code_rows;
mod consent_rows;
mod database;
mod device_rows;
mod error;
mod issuer_rows;
mod joined;
mod jti_rows;
mod key_rows;
mod key_store;
mod known_device_rows;
pub mod limits;
mod login_session_rows;
mod logout_rows;
mod new_file;
mod pushed_rows;
mod reader;
mod refresh_rows;
mod revocation_rows;
mod schema;
mod scope_sets;
mod session_rows;
mod signing_key_rows;
mod site_rows;
mod snapshot;
mod transaction;
mod user_rows;
mod watch;
mod writer;

pub use account_store::SqliteAccountStore;
pub use key_store::SqliteKeyStore;
