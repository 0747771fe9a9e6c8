use std::fmt;
use std::sync::Arc;

use crate::algorithm::{Algorithm, KeyType};
use crate::backend::PreparedKey;
use crate::error::BadSignature;
use crate::hmac_key::HmacKey;
use crate::key_purpose::KeyPurpose;
use crate::key_refused::KeyRefused;
use crate::limits::MAX_KEY_ID_BYTES;
use crate::public_key::PublicKey;
use crate::table::{self, Row, SignatureLength};
use crate::thumbprint::Thumbprint;

/// A key bound to one algorithm (RFC 8725 section 3.1), prepared for checking signatures.
///
/// Cheap to clone: clones share the prepared key.
///
/// ```
/// use tollgate_keys::{Algorithm, HmacKey, VerifyingKey};
///
/// // The key of RFC 4231 section 4.2, repeated to the length that RFC 7518 requires, gives another MAC.
/// let key = VerifyingKey::hmac(HmacKey::new(Algorithm::HS256, &[0x0b; 32])?, Some("k1"))?;
/// assert!(key.verify(b"Hi There", &[0; 32]).is_err());
/// # Ok::<(), tollgate_keys::KeyRefused>(())
/// ```
#[derive(Clone)]
pub struct VerifyingKey(Arc<Inner>);

struct Inner {
    row: &'static Row,
    kid: Option<Box<str>>,
    thumbprint: Thumbprint,
    signature_bytes: usize,
    key: PreparedKey,
    purposes: Box<[KeyPurpose]>,
    has_special_purpose: bool,
}

impl VerifyingKey {
    /// Binds a public key to `algorithm`.
    ///
    /// # Errors
    /// [`KeyRefused`] if the key does not fit `algorithm`, no backend of this build supports it, or `kid` is too long.
    pub fn new(key: &PublicKey, algorithm: Algorithm, kid: Option<&str>) -> Result<Self, KeyRefused> {
        if !key.admits(algorithm) {
            return Err(KeyRefused::AlgorithmContradictsKey { algorithm });
        }
        let row = table::row(algorithm);
        let backend = row.backend.ok_or_else(|| KeyRefused::unsupported_algorithm(algorithm.name()))?;
        let signature_bytes = match row.signature_length {
            SignatureLength::Fixed(bytes) => bytes,
            SignatureLength::Modulus => key.modulus_bytes(),
        };
        Ok(VerifyingKey(Arc::new(Inner {
            row,
            kid: vet_kid(kid)?,
            thumbprint: *key.thumbprint(),
            signature_bytes,
            key: backend.prepare(&key.material()).ok_or(KeyRefused::RefusedByBackend)?,
            purposes: Box::default(),
            has_special_purpose: false,
        })))
    }

    /// Wraps an HMAC key, which is already bound to its algorithm.
    ///
    /// # Errors
    /// [`KeyRefused::KeyIdTooLong`].
    pub fn hmac(key: HmacKey, kid: Option<&str>) -> Result<Self, KeyRefused> {
        let HmacKey { row, thumbprint, key } = key;
        let signature_bytes = match row.signature_length {
            SignatureLength::Fixed(bytes) => bytes,
            SignatureLength::Modulus => 0,
        };
        let (kid, purposes) = (vet_kid(kid)?, Box::default());
        Ok(VerifyingKey(Arc::new(Inner {
            row,
            kid,
            thumbprint,
            signature_bytes,
            key,
            purposes,
            has_special_purpose: false,
        })))
    }

    /// Checks `signature` over `message`: raw bytes, ECDSA as `r || s` (RFC 7518 section 3.4).
    ///
    /// A signature of the wrong length is rejected without a check. Allocates nothing, except inside ring for RSA.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        if signature.len() != self.0.signature_bytes {
            return Err(BadSignature);
        }
        #[cfg(feature = "test-hooks")]
        crate::test_hooks::count_signature_check();
        if self.0.key.check(message, signature) { Ok(()) } else { Err(BadSignature) }
    }

    /// The prepared key, which all clones share.
    pub(crate) fn prepared(&self) -> &PreparedKey {
        &self.0.key
    }

    /// The same key with another prepared form.
    pub(crate) fn with_prepared(&self, key: PreparedKey) -> Self {
        VerifyingKey(Arc::new(Inner { kid: self.0.kid.clone(), purposes: self.0.purposes.clone(), key, ..*self.0 }))
    }

    /// The same key with other purposes.
    pub(crate) fn with_purposes(&self, purposes: Vec<KeyPurpose>) -> Self {
        VerifyingKey(Arc::new(Inner {
            kid: self.0.kid.clone(),
            key: self.0.key.clone(),
            has_special_purpose: purposes.iter().any(KeyPurpose::is_special),
            purposes: purposes.into(),
            ..*self.0
        }))
    }

    /// Merges the purposes of `other`, which is otherwise the same key.
    pub(crate) fn also_for(&self, other: &VerifyingKey) -> Self {
        match (self.purposes(), other.purposes()) {
            // One of the two keys is for all purposes.
            ([], _) => self.clone(),
            (_, []) => self.with_purposes(Vec::new()),
            (own, others) => {
                let further = others.iter().filter(|purpose| !own.contains(purpose));
                self.with_purposes(own.iter().chain(further).cloned().collect())
            }
        }
    }

    /// The key's algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.0.row.algorithm
    }

    /// The kind of key.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        self.algorithm().key_type()
    }

    /// The key id (RFC 7517 section 4.5), unescaped.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.0.kid.as_deref()
    }

    /// The SHA-256 thumbprint of the key's JWK (RFC 7638).
    ///
    /// An HMAC key's thumbprint is for telling keys apart inside the process: anyone who sees it can test guesses of
    /// the secret.
    #[must_use]
    pub fn thumbprint(&self) -> &[u8; 32] {
        &self.0.thumbprint
    }

    /// The distinct purposes of all JWKs that contain the key. Empty for a key from no JWK: such a key is for every
    /// token of its owner.
    #[must_use]
    pub fn purposes(&self) -> &[KeyPurpose] {
        &self.0.purposes
    }

    /// Whether one of the [`purposes`](VerifyingKey::purposes) has an issuer, or a `use` other than `sig`.
    #[inline]
    #[must_use]
    pub fn has_special_purpose(&self) -> bool {
        self.0.has_special_purpose
    }

    /// The purposes if one of them is special, otherwise none.
    pub(crate) fn special_purposes(&self) -> &[KeyPurpose] {
        if self.has_special_purpose() { self.purposes() } else { &[] }
    }

    /// The length of a signature, in bytes.
    #[must_use]
    pub fn signature_bytes(&self) -> usize {
        self.0.signature_bytes
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("algorithm", &self.algorithm())
            .field("kid", &self.kid())
            .finish_non_exhaustive()
    }
}

fn vet_kid(kid: Option<&str>) -> Result<Option<Box<str>>, KeyRefused> {
    match kid {
        Some(kid) if kid.len() > MAX_KEY_ID_BYTES => Err(KeyRefused::KeyIdTooLong { bytes: kid.len() }),
        kid => Ok(kid.map(Box::from)),
    }
}
