use crate::backend;

/// Computes the SHA-256 of `message` (FIPS 180-4) with the backend that checks signatures.
#[must_use]
pub fn sha256(message: &[u8]) -> [u8; 32] {
    backend::sha256(message)
}
