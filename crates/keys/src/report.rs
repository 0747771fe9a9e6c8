use std::error::Error;
use std::fmt;

use tollgate_jwt::excerpt;

use crate::algorithm::Algorithm;
use crate::key_refused::KeyRefused;
use crate::key_set::KeySet;
use crate::limits::MAX_REFUSED_KEYS_SHOWN;

/// A key set and a report on each key.
#[derive(Debug)]
#[must_use = "the reports say which keys are refused"]
#[non_exhaustive]
pub struct Loaded {
    /// The usable keys.
    pub set: KeySet,
    /// One report per key, in the order in which the keys were added.
    pub reports: Vec<KeyReport>,
}

impl Loaded {
    /// Returns the set if it contains a key. Refused keys are ignored (RFC 7517 section 5).
    ///
    /// # Errors
    /// [`NoUsableKey`].
    pub fn into_set(self) -> Result<KeySet, NoUsableKey> {
        if self.set.is_empty() { Err(NoUsableKey { refused: self.reports }) } else { Ok(self.set) }
    }
}

/// A key set has no usable key, or lacks a key that was meant to be in it.
///
/// `Display` names the first [`MAX_REFUSED_KEYS_SHOWN`] refused keys, and escapes their names.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct NoUsableKey {
    /// The refused keys with their reasons. Empty if no key was given.
    pub refused: Vec<KeyReport>,
}

impl fmt::Display for NoUsableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no usable key: ")?;
        if self.refused.is_empty() {
            return f.write_str("none was given");
        }
        for (index, report) in self.refused.iter().take(MAX_REFUSED_KEYS_SHOWN).enumerate() {
            write!(f, "{}{report}", if index == 0 { "" } else { "; " })?;
        }
        match self.refused.len().saturating_sub(MAX_REFUSED_KEYS_SHOWN) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

impl Error for NoUsableKey {}

/// The outcome for one key.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct KeyReport {
    /// The `kid`, unescaped.
    pub kid: Option<String>,
    /// The `kty`, unescaped; for a key that is not a JWK, the `kty` that its JWK would have. Empty if unknown.
    pub kty: String,
    /// The algorithms that the key is used for. Empty for a refused key.
    pub algs: Vec<Algorithm>,
    /// The dates of the key's certificate. They are not checked: this crate has no clock.
    pub validity: Option<Validity>,
    /// The SHA-256 thumbprint of the public key's JWK (RFC 7638), if the key could be read, even if it is refused. None
    /// for a secret.
    pub thumbprint: Option<[u8; 32]>,
    /// Why the key is refused.
    pub refused: Option<KeyRefused>,
}

/// One line: the key, and whether and why it is refused. Names are escaped [excerpts](tollgate_jwt::excerpt).
impl fmt::Display for KeyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kty.as_str() {
            "" => f.write_str("the key")?,
            kty => write!(f, "the {} key", excerpt(kty).escape_debug())?,
        }
        match &self.kid {
            Some(kid) => write!(f, " {:?}", excerpt(kid))?,
            None => f.write_str(" without kid")?,
        }
        match &self.refused {
            Some(refused) => write!(f, " is refused ({refused})"),
            None => f.write_str(" is used"),
        }
    }
}

/// A certificate's validity period (RFC 5280 section 4.1.2.5).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Validity {
    /// The first second, since the Unix epoch.
    pub not_before: i64,
    /// The last second, since the Unix epoch.
    pub not_after: i64,
}
