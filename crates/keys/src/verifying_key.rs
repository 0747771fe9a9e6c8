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

/// One key, one algorithm (RFC 8725 section 3.1), prepared for checking signatures.
///
/// Cheap to clone: clones share what was prepared.
///
/// ```
/// use tollgate_keys::{Algorithm, HmacKey, VerifyingKey};
///
/// // RFC 4231 section 4.2, its key repeated to the length that RFC 7518 asks for, is another MAC.
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
    /// [`KeyRefused`] where the key is not one for `algorithm`, no backend of this build has it, or `kid` is too long.
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

    /// Takes an HMAC key, which has its algorithm already.
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

    /// Checks that `signature` is one of `message`: raw bytes, ECDSA as `r || s` (RFC 7518 section 3.4).
    ///
    /// A signature of the wrong length is refused without a check. Nothing is allocated, but for what ring does inside of RSA.
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

    /// What checks signatures, for all clones of this key.
    pub(crate) fn prepared(&self) -> &PreparedKey {
        &self.0.key
    }

    /// The same key, otherwise prepared.
    pub(crate) fn with_prepared(&self, key: PreparedKey) -> Self {
        VerifyingKey(Arc::new(Inner { kid: self.0.kid.clone(), purposes: self.0.purposes.clone(), key, ..*self.0 }))
    }

    /// The same key, for other purposes.
    pub(crate) fn with_purposes(&self, purposes: Vec<KeyPurpose>) -> Self {
        VerifyingKey(Arc::new(Inner {
            kid: self.0.kid.clone(),
            key: self.0.key.clone(),
            has_special_purpose: purposes.iter().any(KeyPurpose::is_special),
            purposes: purposes.into(),
            ..*self.0
        }))
    }

    /// The same key, also for what `other` is for, which is the same but for that.
    pub(crate) fn also_for(&self, other: &VerifyingKey) -> Self {
        match (self.purposes(), other.purposes()) {
            // One of the two is for everything.
            ([], _) => self.clone(),
            (_, []) => self.with_purposes(Vec::new()),
            (own, others) => {
                let further = others.iter().filter(|purpose| !own.contains(purpose));
                self.with_purposes(own.iter().chain(further).cloned().collect())
            }
        }
    }

    /// The one algorithm.
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
    /// That of an HMAC key is for telling keys apart inside the process: whoever sees it can test guesses of the secret.
    #[must_use]
    pub fn thumbprint(&self) -> &[u8; 32] {
        &self.0.thumbprint
    }

    /// What each JWK that holds it says that it is for. Empty for a key that is in no JWK: it is for every token of whoever it
    /// was given for.
    #[must_use]
    pub fn purposes(&self) -> &[KeyPurpose] {
        &self.0.purposes
    }

    /// Whether some of its [`purposes`](VerifyingKey::purposes) says more than `use` as `sig`, or nothing.
    #[inline]
    #[must_use]
    pub fn has_special_purpose(&self) -> bool {
        self.0.has_special_purpose
    }

    /// Its purposes, where they say more than is usual.
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
