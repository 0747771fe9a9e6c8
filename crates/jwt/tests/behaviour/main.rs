//! The parser through its public API, one file per behaviour.

#![forbid(unsafe_code)]

mod base64url;
mod claims;
mod compact;
mod excerpt;
mod header;
mod json;
