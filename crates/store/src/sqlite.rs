//! The store of one host: a SQLite file that several processes share.

mod change_rows;
mod client_rows;
mod database;
mod feed;
mod key_rows;
mod keys;
mod live_keys;
mod new_file;
mod revocation_rows;
mod schema;
mod scope_sets;
mod snapshot;
mod store;
mod tokens;

pub use database::Database;
pub use keys::{KeyFilter, StateChange};
pub use store::Store;
pub use tokens::TokensOf;
