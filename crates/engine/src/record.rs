//! The record of an API key, which users build and the table stores.

mod builder;
mod key_record;
mod kind;

pub use builder::KeyRecordBuilder;
pub use key_record::KeyRecord;
pub use kind::{KeyKind, KeyState};
