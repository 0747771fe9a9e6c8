//! What is known of an API key: the record that users build, and the table keeps.

mod builder;
mod key_record;
mod kind;

pub use builder::KeyRecordBuilder;
pub use key_record::KeyRecord;
pub use kind::{KeyKind, KeyState};
