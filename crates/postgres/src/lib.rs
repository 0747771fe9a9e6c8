#![doc = include_str!("../README.md")]
//! [`PostgresStore`] implements [`KeyStore`](tollgate_storage::KeyStore), so that a
//! [`Follower`](tollgate_storage::Follower) keeps an engine in sync with it as with any other, and
//! [`AccountStore`](tollgate_storage::AccountStore). [`PostgresConfig`] says where the
//! servers are. `docs/postgres.md` goes from an empty cluster to two serving hosts.
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
//! A transaction writes its rows, then as its last statement takes numbers from a one-row counter, whose lock puts changes in the
//! order of their commits without a gap, and commits asynchronously. Only then one durable transaction, shared by all writers of
//! the process that wait, looks for these changes and commits synchronously: when it has returned, the write-ahead log up to it is
//! on the disk here and, where `synchronous_standby_names` is set, on a standby. The change is acknowledged after that. So a change
//! may be seen by followers before it is durable; its random tag shows where it was lost.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod accounts;
mod append;
mod audit;
mod barrier;
mod config;
mod connection;
mod error;
mod feed;
mod import;
mod key_store;
pub mod limits;
mod listener;
mod pushed;
mod rows;
mod schema;
mod snapshot;
mod store;
mod tls;
mod transaction;
mod write;

pub use config::{InvalidUrl, PostgresConfig};
pub use store::PostgresStore;
