use std::fmt;

use crate::algorithm::Algorithm;
use crate::backend::{KeyMaterial, PreparedKey};
use crate::key_refused::KeyRefused;
use crate::table::{self, KeyForm, Row};
use crate::thumbprint::{self, Thumbprint};
use crate::vetting;

/// A vetted HMAC secret, bound to its algorithm.
///
/// Shows nothing of the secret. A [`PublicKey`](crate::PublicKey) cannot be converted into an `HmacKey`.
///
/// ```
/// use tollgate_keys::{Algorithm, HmacKey, KeyRefused};
///
/// let refused = HmacKey::new(Algorithm::HS256, b"secret").unwrap_err();
/// assert_eq!(refused, KeyRefused::HmacSecretTooShort { bytes: 6, min: 32 });
/// ```
pub struct HmacKey {
    pub(crate) row: &'static Row,
    pub(crate) thumbprint: Thumbprint,
    pub(crate) key: PreparedKey,
}

impl HmacKey {
    /// Prepares `secret` for `algorithm`. The caller has to wipe its own copy.
    ///
    /// # Errors
    /// [`KeyRefused`] if `algorithm` is not an HMAC, or `secret` is shorter than the hash's output (RFC 7518 section
    /// 3.2), empty, too long, or the text of a public key.
    pub fn new(algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyRefused> {
        let row = table::row(algorithm);
        let KeyForm::Secret { min_bytes } = row.form else {
            return Err(KeyRefused::AlgorithmContradictsKey { algorithm });
        };
        vetting::vet_secret(secret, min_bytes)?;
        let backend = row.backend.ok_or_else(|| KeyRefused::unsupported_algorithm(algorithm.name()))?;
        let key = backend.prepare(&KeyMaterial::Secret(secret)).ok_or(KeyRefused::RefusedByBackend)?;
        Ok(HmacKey { row, thumbprint: thumbprint::oct(secret), key })
    }

    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.row.algorithm
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HmacKey").field("algorithm", &self.row.algorithm).finish_non_exhaustive()
    }
}
