#![doc = include_str!("../README.md")]
//! Read in this order: [`KeyFormat`] defines what a key looks like and tells a key from garbage. [`ApiKey`] is a new
//! secret, shown once. [`Digest`] is the only part of a key that is stored. [`ApiKeyTable::find`] looks up a presented
//! key and returns a [`MatchedKey`], the proof that the table holds the key. [`ForeignKey`] imports keys that other
//! systems issued.
//!
//! The table is generic over the record and does not interpret it. The owner of the [`MatchedKey`] decides whether the
//! key has expired and what it may do.
//!
//! ```
//! use tollgate_apikeys::{ApiKey, ApiKeyTable, KeyError, KeyFormat};
//!
//! let format = KeyFormat::new("tg", "live")?;
//! let table = ApiKeyTable::<u32>::new(format.clone());
//! let key = ApiKey::generate(&format)?;
//! table.insert(&key, 7_u32);
//!
//! let matched = table.find(key.as_str().as_bytes())?;
//! assert_eq!((matched.digest(), matched.record()), (&key.digest(), &7));
//!
//! table.remove(&key.digest());
//! assert_eq!(table.find(key.as_str().as_bytes()).unwrap_err(), KeyError::Unknown);
//! # Ok::<(), KeyError>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod base62;
mod contents;
mod digest;
mod entry;
mod error;
mod foreign;
mod format;
mod key;
mod last_use;
pub mod limits;
mod native_key;
mod place;
mod slots;
mod sync;
mod table;

pub use digest::Digest;
pub use entry::{KeyDigest, TableEntry};
pub use error::{Flaw, KeyError};
pub use foreign::{ForeignKey, Pepper};
pub use format::KeyFormat;
pub use key::ApiKey;
pub use last_use::LastUse;
pub use native_key::NativeKey;
pub use table::{ApiKeyTable, ApiKeyTableBuilder, MatchedKey};
