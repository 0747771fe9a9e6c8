use std::sync::Arc;

use crate::signing_key::SigningKey;

/// A key in the JWKS of an issuer, and what it is there for.
#[derive(Clone, Debug)]
pub struct PublishedKey {
    /// The key.
    pub key: Arc<SigningKey>,
    /// Its role.
    pub role: KeyRole,
}

/// What a published key does. Times are seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyRole {
    /// Signs, since that time if it is known.
    Signing {
        /// When it began to sign.
        since: Option<i64>,
    },
    /// Is published, and signs after the next rotation.
    Announced {
        /// When it was published.
        since: i64,
    },
    /// No longer signs; its tokens are still accepted.
    Retired {
        /// When it is dropped, exclusive.
        until: i64,
    },
}
