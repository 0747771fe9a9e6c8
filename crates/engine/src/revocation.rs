//! Revocation of credentials before they expire.

mod fingerprint;
mod logout_token;
mod revocations;
mod target;

pub use logout_token::LogoutTokenError;
pub use revocations::Revocations;
pub use target::Revocation;

pub(crate) use target::Marks;
