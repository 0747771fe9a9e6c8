#![doc = include_str!("../README.md")]
//! [`PostgresStore`] implements [`KeyStore`](tollgate_storage::KeyStore), so that a [`Follower`](tollgate_storage::Follower)
//! can keep an engine in sync with it, and [`AccountStore`](tollgate_storage::AccountStore). [`PostgresConfig`] names the
//! servers. `docs/postgres.md` leads from an empty cluster to two serving hosts.
//!
//! ```no_run
//! use tollgate_postgres::{PostgresConfig, PostgresStore};
//! use tollgate_storage::KeyFeed;
//!
//! # async fn open() -> Result<(), Box<dyn std::error::Error>> {
//! let url = "postgres://tollgate@db1.example,db2.example/tollgate?password_file=/etc/tollgate/password";
//! let store = PostgresStore::open(&PostgresConfig::from_url(url)?).await?;
//! store.heartbeat().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # How a change is made durable
//!
//! A transaction writes its rows. Its last statement takes numbers from a one-row counter, whose lock puts changes in the
//! order of their commits without a gap; then it commits asynchronously. After that one durable transaction, shared by all
//! waiting writers of the process, reads these changes and commits synchronously. When it returns, the write-ahead log up to
//! it is on disk here and, if `synchronous_standby_names` is set, on a standby. Only then is the change acknowledged. So
//! followers may see a change before it is durable; its random tag shows if it was lost.
//!
//! Audit records without a change of their own, such as those of issued tokens, wait for the transaction of those before them, and
//! are then written together.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod account_work;
mod accounts;
mod append;
mod audit;
mod audit_queue;
mod barrier;
mod codes;
mod config;
mod connection;
mod consents;
mod devices;
mod error;
mod feed;
mod import;
mod issuers;
mod key_store;
mod known_devices;
pub mod limits;
mod listener;
mod login_sessions;
mod logout_notices;
mod pushed;
mod refresh;
mod rows;
mod schema;
mod signing_keys;
mod sites;
mod snapshot;
mod spent_jtis;
mod store;
mod tls;
mod transaction;
mod users;
mod write;

pub use config::{InvalidUrl, PostgresConfig};
pub use store::PostgresStore;
