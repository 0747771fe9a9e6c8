//! A private key bound to one algorithm.

use std::{borrow::Cow, fmt};

use tollgate_jwt::base64url;
use tollgate_keys::{Algorithm, VerifyingKey};
use zeroize::Zeroizing;

use crate::{
    error::IssuerError,
    generate,
    header::HeaderSegments,
    jwk,
    limits::MAX_KID_BYTES,
    material::{Material, Member},
    pkcs8,
    scheme::Signer,
    vetting,
};

/// A private key, its algorithm and its published `kid`.
///
/// Every value of this type has signed a probe that its public half, vetted by tollgate-keys, verified: its signatures
/// will be accepted. `Debug` shows only the algorithm and the `kid`. Dropping the key wipes the private key bytes that
/// this crate owns; ring does not wipe its prepared copy.
///
/// ```
/// use tollgate_issuer::SigningKey;
/// use tollgate_keys::Algorithm;
///
/// let key = SigningKey::generate(Algorithm::ES256)?;
/// let signature = key.sign(b"message")?;
/// assert!(key.verifying_key().verify(b"message", &signature).is_ok());
/// # Ok::<(), tollgate_issuer::IssuerError>(())
/// ```
pub struct SigningKey {
    algorithm: Algorithm,
    kid: String,
    material: Material,
    signer: Signer,
    verifying: VerifyingKey,
    headers: HeaderSegments,
}

impl SigningKey {
    /// Generates a key with the system's random number generator. The `kid` is the key's RFC 7638 thumbprint.
    ///
    /// [`Algorithm::ES256`] is the default choice: small keys and signatures, supported by every verifier. An HMAC key
    /// has as many bytes as the hash's output (RFC 7518 section 3.2). RSA keys have
    /// [`GENERATED_RSA_BITS`](crate::limits::GENERATED_RSA_BITS) and require the feature `aws-lc-rs`.
    ///
    /// # Errors
    /// [`IssuerError::UnsupportedAlgorithm`] for an algorithm that ring cannot sign with,
    /// [`IssuerError::RsaGenerationUnavailable`] for RSA without the feature `aws-lc-rs`,
    /// [`IssuerError::SigningFailed`] if the system's random number generator fails.
    pub fn generate(algorithm: Algorithm) -> Result<Self, IssuerError> {
        Self::build(algorithm, None, generate::generate(algorithm)?)
    }

    /// Loads the key of a private JWK (RFC 7517): `oct`, `RSA`, `EC` or `OKP`.
    ///
    /// An RSA key requires `p`, `q`, `dp`, `dq` and `qi` besides `d`. An `oct` key requires `alg`. Without `alg`, an EC
    /// or OKP key gets its curve's algorithm and an RSA key RS256. Without `kid`, the key gets its thumbprint. Unknown
    /// members are ignored.
    ///
    /// # Errors
    /// An error that names the missing or malformed member; [`IssuerError::KeyRejected`] if the private and the public
    /// part do not match; [`IssuerError::KeyRefused`] if no verifier would accept the key (an RSA modulus under 2048
    /// bits, an HMAC secret shorter than the hash's output, ...).
    ///
    /// ```
    /// use tollgate_issuer::SigningKey;
    /// use tollgate_keys::Algorithm;
    ///
    /// // RFC 8037 appendix A.1; the kid is the thumbprint of appendix A.3.
    /// let key = SigningKey::from_jwk(r#"{"kty":"OKP","crv":"Ed25519",
    ///     "d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    ///     "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#)?;
    /// assert_eq!(key.algorithm(), Algorithm::EdDSA);
    /// assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    /// # Ok::<(), tollgate_issuer::IssuerError>(())
    /// ```
    pub fn from_jwk(json: &str) -> Result<Self, IssuerError> {
        let jwk = jwk::parse(json)?;
        Self::build(jwk.algorithm, jwk.kid, jwk.material)
    }

    /// Loads the key of a PKCS#8 document in PEM, labelled `PRIVATE KEY` (RFC 7468 section 10), for `algorithm`.
    ///
    /// Versions 1 and 2 are accepted. An EC key must contain its public point, as those of OpenSSL and ring do; an
    /// Ed25519 key need not. PKCS#1 (`RSA PRIVATE KEY`), SEC 1 (`EC PRIVATE KEY`) and encrypted documents are refused:
    /// `openssl pkcs8 -topk8 -nocrypt` converts them.
    ///
    /// # Errors
    /// The errors of [`from_jwk`](Self::from_jwk), and [`IssuerError::AlgorithmMismatch`] if the key is not for
    /// `algorithm`.
    pub fn from_pkcs8_pem(algorithm: Algorithm, pem: &str) -> Result<Self, IssuerError> {
        Self::build(algorithm, None, pkcs8::from_pem(pem)?)
    }

    /// Loads the key of a PKCS#8 document in DER, for `algorithm`; otherwise like
    /// [`from_pkcs8_pem`](Self::from_pkcs8_pem).
    ///
    /// # Errors
    /// The errors of [`from_pkcs8_pem`](Self::from_pkcs8_pem).
    pub fn from_pkcs8_der(algorithm: Algorithm, der: &[u8]) -> Result<Self, IssuerError> {
        Self::build(algorithm, None, pkcs8::from_der(der)?)
    }

    /// Creates an HMAC key from a shared secret of at least the hash's output length (RFC 7518 section 3.2).
    ///
    /// # Errors
    /// [`IssuerError::AlgorithmMismatch`] if `algorithm` is not an HMAC, [`IssuerError::KeyRefused`] if the secret is
    /// too short.
    pub fn from_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, IssuerError> {
        let secret = Zeroizing::new(secret.to_vec());
        Self::build(algorithm, None, Material::Oct { secret })
    }

    /// Changes the `kid`: 1 to [`MAX_KID_BYTES`] bytes without control characters.
    ///
    /// # Errors
    /// [`IssuerError::InvalidKid`].
    pub fn with_kid(self, kid: impl Into<String>) -> Result<Self, IssuerError> {
        let kid = kid.into();
        check_kid(&kid)?;
        let verifying = vetting::verifying_key(self.algorithm, Some(&kid), &self.material)?;
        let headers = HeaderSegments::new(self.algorithm, &kid);
        Ok(Self { kid, verifying, headers, ..self })
    }

    /// The algorithm that this key signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key id (RFC 7515 section 4.1.4). By default the RFC 7638 SHA-256 thumbprint in base64url.
    ///
    /// This applies to an HMAC key too: to an attacker who guesses secrets, the thumbprint tells no more than any token
    /// signed with the key.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The vetted key that verifies this key's signatures, with the same `kid`.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// Signs `message`, in the form of RFC 7518 section 3 (ECDSA: r and s, not DER).
    ///
    /// # Errors
    /// [`IssuerError::SigningFailed`] if the system's random number generator fails.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, IssuerError> {
        self.signer.sign(message)
    }

    /// The public JWK, with `use`, `alg` and `kid`. None for an HMAC key, which has no public part.
    ///
    /// ```
    /// use tollgate_issuer::SigningKey;
    /// use tollgate_keys::Algorithm;
    ///
    /// let key = SigningKey::generate(Algorithm::EdDSA)?;
    /// assert!(key.public_jwk().is_some_and(|jwk| jwk.contains(key.kid())));
    /// assert!(SigningKey::generate(Algorithm::HS256)?.public_jwk().is_none());
    /// # Ok::<(), tollgate_issuer::IssuerError>(())
    /// ```
    #[must_use]
    pub fn public_jwk(&self) -> Option<String> {
        self.material.public_jwk(&self.common_members())
    }

    /// The private JWK, which [`from_jwk`](Self::from_jwk) reads back. Wiped when dropped; store it like a password.
    #[must_use]
    pub fn to_private_jwk(&self) -> Zeroizing<String> {
        self.material.private_jwk(&self.common_members())
    }

    /// [`to_private_jwk`](Self::to_private_jwk) with further members.
    pub(crate) fn private_jwk_with(&self, further: Vec<Member<'_>>) -> Zeroizing<String> {
        let mut members = Vec::from(self.common_members());
        members.extend(further);
        self.material.private_jwk(&members)
    }

    /// The first segment of a token with this `typ` under this key.
    pub(crate) fn header_segment(&self, typ: &str) -> Cow<'_, str> {
        self.headers.segment(self.algorithm, &self.kid, typ)
    }

    /// The length of this key's signatures, in bytes.
    pub(crate) fn signature_bytes(&self) -> usize {
        self.signer.signature_bytes()
    }

    fn build(algorithm: Algorithm, kid: Option<String>, material: Material) -> Result<Self, IssuerError> {
        let signer = Signer::prepare(algorithm, &material)?;
        let (kid, verifying) = match kid {
            Some(kid) => {
                check_kid(&kid)?;
                let verifying = vetting::verifying_key(algorithm, Some(&kid), &material)?;
                (kid, verifying)
            }
            None => {
                let unnamed = vetting::verifying_key(algorithm, None, &material)?;
                let kid = base64url::encode(unnamed.thumbprint());
                let verifying = vetting::verifying_key(algorithm, Some(&kid), &material)?;
                (kid, verifying)
            }
        };
        vetting::probe(&signer, &verifying)?;
        let headers = HeaderSegments::new(algorithm, &kid);
        Ok(Self { algorithm, kid, material, signer, verifying, headers })
    }

    fn common_members(&self) -> [Member<'_>; 3] {
        [Member::text("use", "sig"), Member::text("alg", self.algorithm.name()), Member::text("kid", &self.kid)]
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("algorithm", &self.algorithm).field("kid", &self.kid).finish_non_exhaustive()
    }
}

fn check_kid(kid: &str) -> Result<(), IssuerError> {
    let fits = (1..=MAX_KID_BYTES).contains(&kid.len());
    if fits && !kid.chars().any(char::is_control) { Ok(()) } else { Err(IssuerError::InvalidKid) }
}
