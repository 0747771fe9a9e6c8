use std::fmt;

use crate::excerpt::UnverifiedText;
use crate::limits::MAX_JSON_NESTING;

/// Why a text was not accepted as a JSON object.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum JsonError {
    /// Not JSON (RFC 8259), or a number that is not finite.
    Syntax {
        /// Position in bytes from the start; 0 if the parser does not report one.
        offset: usize,
    },
    /// JSON, but not an object.
    NotAnObject,
    /// Nested deeper than [`MAX_JSON_NESTING`].
    TooDeep,
    /// An object with more members than the limit.
    TooManyMembers {
        /// The number of members.
        members: usize,
        /// The limit.
        max: usize,
    },
    /// Two members of one object have the same name.
    DuplicateMember {
        /// The name, escapes resolved.
        name: UnverifiedText,
    },
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JsonError::Syntax { offset } => write!(f, "syntax error at byte {offset}"),
            JsonError::NotAnObject => f.write_str("not an object"),
            JsonError::TooDeep => write!(f, "nested deeper than {MAX_JSON_NESTING}"),
            JsonError::TooManyMembers { members, max } => {
                write!(f, "an object has {members} members; at most {max} are allowed (max_members)")
            }
            JsonError::DuplicateMember { name } => write!(f, "two members are named {name}"),
        }
    }
}

impl std::error::Error for JsonError {}
