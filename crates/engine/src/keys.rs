//! The items of `tollgate-keys` that a server needs besides its engine: where keys are loaded from, and why one is
//! refused. That crate's documentation says which library does the cryptography, and which checks a key has to pass.

#[cfg(all(feature = "ecdsa-tables", not(feature = "fips")))]
pub use tollgate_keys::undecided_checks;
pub use tollgate_keys::{
    BadSignature, Curve, HmacKey, KeyPurpose, KeyRefresher, KeyRefused, KeyReport, KeySetBuilder, KeySource, KeyType,
    Loaded, NoUsableKey, NotAKeyFile, NotASecret, PublicKey, PublishedKeySet, Refreshed, SecretEncoding, Validity,
    VerifiedJws, VerifyError, VerifyingKey, key_file, limits, sha256,
};
