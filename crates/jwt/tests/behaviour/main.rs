//! The parser as a user meets it, one file a behaviour.

#![forbid(unsafe_code)]

mod base64url;
mod claims;
mod compact;
mod excerpt;
mod header;
mod json;
