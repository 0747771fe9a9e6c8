//! The cryptography libraries behind one interface, and the choice of library for each algorithm.

use std::sync::Arc;

/// A backend with a static lifetime. A plain `Some(&...)` requires Rust 1.89.
macro_rules! backend {
    ($backend:expr) => {{
        const BACKEND: &dyn Backend = &$backend;
        Some(BACKEND)
    }};
}

#[cfg(feature = "aws-lc-rs")]
#[cfg_attr(feature = "ring", allow(dead_code, reason = "with both libraries, `faster` takes from each what it needs"))]
mod aws_lc;
#[cfg(all(feature = "ecdsa-tables", not(feature = "fips")))]
mod ecdsa_tables;
#[cfg(all(feature = "ed25519-tables", not(feature = "fips")))]
mod ed25519_tables;
#[cfg(feature = "ring")]
#[cfg_attr(
    feature = "aws-lc-rs",
    allow(dead_code, reason = "with both libraries, `faster` takes from each what it needs")
)]
mod ring;

#[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
compile_error!("tollgate-keys needs a cryptography backend: enable its feature `ring` (the default) or `aws-lc-rs`");

/// One algorithm of one library.
pub(crate) trait Backend: Sync {
    /// Prepares a key once, so that no check repeats the work. None if the library refuses the key.
    fn prepare(&self, key: &KeyMaterial<'_>) -> Option<PreparedKey>;
}

/// A vetted key's raw values.
pub(crate) enum KeyMaterial<'k> {
    /// An HMAC secret.
    Secret(&'k [u8]),
    /// An RSA key: big-endian, without leading zeros.
    Rsa { modulus: &'k [u8], exponent: &'k [u8] },
    /// An uncompressed point (SEC 1 section 2.3.3), an Ed25519 key (RFC 8032) or an ML-DSA key (FIPS 204).
    Encoded(&'k [u8]),
}

/// A key in its library's fastest representation.
pub(crate) type PreparedKey = Arc<dyn SignatureCheck>;

/// A key that can check signatures.
pub(crate) trait SignatureCheck: Send + Sync {
    /// Whether `signature` is valid for `message`.
    fn check(&self, message: &[u8], signature: &[u8]) -> bool;

    /// Whether the key has tables, which make it faster and larger. None if its kind cannot have tables.
    fn has_tables(&self) -> Option<bool> {
        None
    }

    /// The same key with or without tables. None if its kind cannot have tables.
    fn with_tables(&self, _wanted: bool) -> Option<PreparedKey> {
        None
    }
}

#[cfg(all(feature = "aws-lc-rs", any(not(feature = "ring"), feature = "fips")))]
use aws_lc as library;
#[cfg(all(feature = "ring", feature = "aws-lc-rs", not(feature = "fips")))]
use faster as library;
#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
use ring as library;

pub(crate) use library::*;

#[cfg(all(feature = "ecdsa-tables", not(feature = "fips")))]
pub use ecdsa_tables::undecided_checks;

/// Replaces the library's implementation.
#[cfg(all(feature = "ecdsa-tables", not(feature = "fips")))]
pub(crate) const ES256: Option<&'static dyn Backend> = Some(&ecdsa_tables::ES256);
/// Replaces the library's implementation.
#[cfg(all(feature = "ecdsa-tables", not(feature = "fips")))]
pub(crate) const ES384: Option<&'static dyn Backend> = Some(&ecdsa_tables::ES384);
/// Replaces the library's implementation.
#[cfg(all(feature = "ed25519-tables", not(feature = "fips")))]
pub(crate) const ED25519: Option<&'static dyn Backend> = Some(&ed25519_tables::Ed25519);

/// The faster library for each algorithm when both are compiled in: docs/algorithms.md has the times.
#[cfg(all(feature = "ring", feature = "aws-lc-rs", not(feature = "fips")))]
mod faster {
    pub(crate) use super::aws_lc::{
        ED25519, ES256, ES256K, ES384, ES512, HS256, ML_DSA_44, ML_DSA_65, ML_DSA_87, PS256, PS384, PS512, RS256,
        RS384, RS512,
    };
    #[cfg(feature = "ecdsa-tables")]
    pub(crate) use super::ring::sha384;
    #[cfg(feature = "ed25519-tables")]
    pub(crate) use super::ring::sha512;
    pub(crate) use super::ring::{HS384, HS512, sha256};
}
