use std::fmt;

use tollgate_jwt::json::Object;

use crate::algorithm::{Algorithm, Curve, KeyType};
use crate::backend::KeyMaterial;
use crate::jwk::Jwk;
use crate::key_refused::KeyRefused;
use crate::spki::{DerKey, DerKind};
use crate::table::{self, KeyForm};
use crate::thumbprint::{self, CanonicalJwk, Thumbprint};
use crate::vetting;

/// A vetted public key that is not bound to an algorithm yet: [`VerifyingKey::new`](crate::VerifyingKey::new) binds it.
///
/// It cannot be converted into an HMAC key, so a public key can never be used as a secret (CVE-2015-9235).
///
/// ```
/// use tollgate_keys::{Algorithm, Curve, KeyRefused, PublicKey, VerifyingKey};
///
/// // (0, 0) is not on P-256.
/// let point = [&[4][..], &[0; 64]].concat();
/// assert_eq!(PublicKey::ec(Curve::P256, &point).unwrap_err(), KeyRefused::EcPointAtInfinity);
/// ```
#[derive(Clone)]
pub struct PublicKey {
    form: KeyForm,
    /// The modulus of an RSA key, otherwise the whole key.
    bytes: Box<[u8]>,
    /// The exponent of an RSA key, otherwise empty.
    exponent: Box<[u8]>,
    restriction: Restriction,
    jwk: CanonicalJwk,
    thumbprint: Thumbprint,
}

/// The restriction on a key's algorithms in its own encoding (RFC 4055 section 1.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Restriction {
    /// All algorithms for a key of its form.
    None,
    /// RSASSA-PSS with any hash.
    Pss,
    /// This algorithm only.
    To(Algorithm),
}

impl PublicKey {
    /// Creates an RSA key from two big-endian numbers. Leading zeros are dropped.
    ///
    /// # Errors
    /// [`KeyRefused`] if modulus or exponent is weak or out of bounds.
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyRefused> {
        let (modulus, exponent) = (without_leading_zeros(modulus), without_leading_zeros(exponent));
        vetting::vet_rsa(modulus, exponent)?;
        let key = Self::encoded(KeyForm::Rsa, modulus, thumbprint::rsa(modulus, exponent));
        Ok(PublicKey { exponent: exponent.into(), ..key })
    }

    /// Creates an EC key from an uncompressed point of `curve`: `04 || x || y` (SEC 1 section 2.3.3).
    ///
    /// # Errors
    /// [`KeyRefused`] if the length is wrong, or the point is at infinity or not on the curve.
    pub fn ec(curve: Curve, point: &[u8]) -> Result<Self, KeyRefused> {
        vetting::vet_point(curve, point)?;
        let (x, y) = point[1..].split_at(point.len() / 2);
        Ok(Self::encoded(KeyForm::Ec(curve), point, thumbprint::ec(curve, x, y)))
    }

    /// Creates an Ed25519 key from 32 bytes (RFC 8032 section 5.1.5).
    ///
    /// # Errors
    /// [`KeyRefused`] if the encoding is not canonical or decodes to no point or to one of small order.
    pub fn ed25519(key: &[u8]) -> Result<Self, KeyRefused> {
        vetting::vet_ed25519(key)?;
        Ok(Self::encoded(KeyForm::Ed25519, key, thumbprint::ed25519(key)))
    }

    /// Creates a key of an ML-DSA parameter set (FIPS 204, algorithm 22).
    ///
    /// # Errors
    /// [`KeyRefused`] if `algorithm` is not an ML-DSA algorithm, or the length is wrong.
    pub fn ml_dsa(algorithm: Algorithm, key: &[u8]) -> Result<Self, KeyRefused> {
        let form = table::row(algorithm).form;
        match form {
            // Every string of this length is a key: ten bits per coefficient, every value valid.
            KeyForm::MlDsa { public_bytes } if public_bytes == key.len() => {
                Ok(Self::encoded(form, key, thumbprint::ml_dsa(algorithm, key)))
            }
            KeyForm::MlDsa { .. } => Err(KeyRefused::MlDsaKeyLength),
            _ => Err(KeyRefused::AlgorithmContradictsKey { algorithm }),
        }
    }

    /// Creates a key for `algorithm` from its JWK (RFC 7517). The JWK passes the same vetting as in a key set, and must
    /// have no private part.
    ///
    /// # Errors
    /// [`KeyRefused`] if the JWK does not pass, contains a private member or a secret, or is not for `algorithm`.
    ///
    /// ```
    /// use tollgate_jwt::json;
    /// use tollgate_keys::{Algorithm, PublicKey};
    ///
    /// // RFC 8037, appendix A.
    /// let text = br#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// let mut buffer = json::Buffer::default();
    /// let jwk = json::parse(text, &mut buffer)?;
    /// assert!(PublicKey::from_jwk(&jwk.root(), Algorithm::EdDSA).is_ok());
    /// assert!(PublicKey::from_jwk(&jwk.root(), Algorithm::ES256).is_err());
    /// # Ok::<(), json::JsonError>(())
    /// ```
    pub fn from_jwk(jwk: &Object<'_, '_>, algorithm: Algorithm) -> Result<Self, KeyRefused> {
        Jwk::read_public(jwk, algorithm)
    }

    /// Reads the key of an X.509 certificate in DER (RFC 5280). Nothing else of the certificate is checked.
    ///
    /// # Errors
    /// [`KeyRefused`] if `der` is not a certificate, or its key does not pass the vetting.
    pub fn from_certificate(der: &[u8]) -> Result<Self, KeyRefused> {
        DerKey::read(DerKind::Certificate, der).key
    }

    /// The JWK (RFC 7517), with its required members only: those that the [thumbprint](Self::thumbprint) covers.
    #[must_use]
    pub fn to_jwk(&self) -> &str {
        self.jwk.as_str()
    }

    /// The kind of key.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        self.form.key_type()
    }

    /// The SHA-256 thumbprint of the key's JWK (RFC 7638).
    #[must_use]
    pub fn thumbprint(&self) -> &[u8; 32] {
        &self.thumbprint
    }

    /// Whether the key can be used for `algorithm`.
    #[must_use]
    pub fn admits(&self, algorithm: Algorithm) -> bool {
        self.form == table::row(algorithm).form
            && match self.restriction {
                Restriction::None => true,
                Restriction::Pss => PSS.contains(&algorithm),
                Restriction::To(only) => only == algorithm,
            }
    }

    pub(crate) fn restricted(self, restriction: Restriction) -> Self {
        PublicKey { restriction, ..self }
    }

    pub(crate) fn restriction(&self) -> Restriction {
        self.restriction
    }

    pub(crate) fn material(&self) -> KeyMaterial<'_> {
        match self.form {
            KeyForm::Rsa => KeyMaterial::Rsa { modulus: &self.bytes, exponent: &self.exponent },
            _ => KeyMaterial::Encoded(&self.bytes),
        }
    }

    /// The length of an RSA key's modulus, in bytes; 0 for another key.
    pub(crate) fn modulus_bytes(&self) -> usize {
        if self.form == KeyForm::Rsa { self.bytes.len() } else { 0 }
    }

    fn encoded(form: KeyForm, key: &[u8], jwk: CanonicalJwk) -> Self {
        let (bytes, exponent, thumbprint) = (key.into(), Box::default(), jwk.thumbprint());
        PublicKey { form, bytes, exponent, restriction: Restriction::None, jwk, thumbprint }
    }
}

const PSS: [Algorithm; 3] = [Algorithm::PS256, Algorithm::PS384, Algorithm::PS512];

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("form", &self.form)
            .field("thumbprint", &tollgate_jwt::base64url::encode(self.thumbprint))
            .finish_non_exhaustive()
    }
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    &number[zeros..]
}
