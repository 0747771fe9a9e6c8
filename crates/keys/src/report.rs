use crate::algorithm::Algorithm;
use crate::key_refused::KeyRefused;
use crate::key_set::KeySet;

/// A key set and what became of each key.
#[derive(Debug)]
pub struct Loaded {
    /// The keys that may be used.
    pub set: KeySet,
    /// One report a key, in the order in which they were given.
    pub reports: Vec<KeyReport>,
}

/// What became of one key.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct KeyReport {
    /// Its `kid`, unescaped.
    pub kid: Option<String>,
    /// Its `kty`, unescaped; that of a JWK with the same key where it is not a JWK. Empty where it is not known.
    pub kty: String,
    /// The algorithms that it is used for. Empty for a refused key.
    pub algs: Vec<Algorithm>,
    /// The dates of the certificate that it comes from. They are not judged: this crate has no clock.
    pub validity: Option<Validity>,
    /// Why it is not used.
    pub refused: Option<KeyRefused>,
}

/// When a certificate is valid (RFC 5280 section 4.1.2.5).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Validity {
    /// The first second, since the Unix epoch.
    pub not_before: i64,
    /// The last second, since the Unix epoch.
    pub not_after: i64,
}
