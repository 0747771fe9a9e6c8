//! The items of `tollgate-jwt` that a server needs besides its engine: the parts of tokens, read without verification.

pub use tollgate_jwt::{
    Claims, CompactJws, Header, ParseError, Part, StringList, UnverifiedText, base64url, is_scope_token, json, limits,
};
