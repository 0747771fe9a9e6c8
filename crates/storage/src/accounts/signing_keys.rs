use std::fmt;
use zeroize::Zeroizing;

/// The service's signing keys as the store keeps them.
#[derive(Clone, Eq, PartialEq)]
pub struct StoredSigningKeys {
    /// Grows by one with each write, from 1.
    pub version: i64,
    /// The private JWKS (RFC 7517 section 5), rotation included; as the service wrote it, which encrypts it.
    pub private_jwks: Zeroizing<String>,
}

impl fmt::Debug for StoredSigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredSigningKeys").field("version", &self.version).finish_non_exhaustive()
    }
}
