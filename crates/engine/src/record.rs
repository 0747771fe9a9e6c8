//! What is known of an API key: the record that users build, and how the table keeps it.

mod interned;
mod key_id;
mod key_record;
mod known_key;
mod names;
mod packed;

pub use key_record::{KeyKind, KeyRecord, KeyState};
pub use names::Names;

pub(crate) use known_key::KnownKey;
