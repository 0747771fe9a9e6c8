//! What of `tollgate-jwt` a server meets beside its engine: the form of tokens, read without verifying anything.

pub use tollgate_jwt::{
    Claims, CompactJws, Header, ParseError, Part, StringList, UnverifiedText, base64url, is_scope_token, json, limits,
};
