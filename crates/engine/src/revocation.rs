//! Revocation: what was good and is no more, before it expires.

mod fingerprint;
mod logout_token;
mod revocations;
mod target;

pub use logout_token::LogoutTokenError;
pub use revocations::Revocations;
pub use target::Revocation;

pub(crate) use target::Marks;
