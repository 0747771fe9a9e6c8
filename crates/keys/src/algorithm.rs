use std::fmt;

use crate::table;

/// A signature algorithm: the `alg` of a JWS header (RFC 7518 section 3.1, RFC 8037, RFC 8812, RFC 9864, RFC 9964).
///
/// Every build has all variants. [`Algorithm::is_supported`] says whether the build can check signatures of one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256.
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256 and a salt of 32 bytes.
    PS256,
    /// RSASSA-PSS with SHA-384 and a salt of 48 bytes.
    PS384,
    /// RSASSA-PSS with SHA-512 and a salt of 64 bytes.
    PS512,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// ECDSA on P-521 with SHA-512. Needs the feature `aws-lc-rs`.
    ES512,
    /// ECDSA on secp256k1 with SHA-256 (RFC 8812). Needs the feature `aws-lc-rs`.
    ES256K,
    /// Ed25519 under its older, polymorphic name (RFC 8037 section 3.1).
    EdDSA,
    /// Ed25519 under its own name (RFC 9864 section 2.2).
    Ed25519,
    /// ML-DSA-44 (RFC 9964). Needs the feature `aws-lc-rs`.
    MlDsa44,
    /// ML-DSA-65 (RFC 9964). Needs the feature `aws-lc-rs`.
    MlDsa65,
    /// ML-DSA-87 (RFC 9964). Needs the feature `aws-lc-rs`.
    MlDsa87,
}

impl Algorithm {
    /// Returns the algorithm called `name`. Names are compared byte for byte (RFC 7515 section 4.1.1).
    ///
    /// ```
    /// use tollgate_keys::Algorithm;
    ///
    /// assert_eq!(Algorithm::from_name("ES256"), Some(Algorithm::ES256));
    /// assert_eq!(Algorithm::from_name("es256"), None);
    /// assert_eq!(Algorithm::from_name("none"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        table::ROWS.iter().find(|row| row.name == name).map(|row| row.algorithm)
    }

    /// The name, as in the IANA registry.
    #[must_use]
    pub fn name(self) -> &'static str {
        table::row(self).name
    }

    /// The kind of key that the algorithm requires.
    #[must_use]
    pub fn key_type(self) -> KeyType {
        table::row(self).form.key_type()
    }

    /// Whether a backend of this build supports the algorithm. If not, its keys are refused with
    /// [`KeyRefused::UnsupportedAlgorithm`](crate::KeyRefused::UnsupportedAlgorithm).
    #[must_use]
    pub fn is_supported(self) -> bool {
        table::row(self).backend.is_some()
    }

    /// Returns every algorithm of this enum, supported or not.
    pub fn all() -> impl Iterator<Item = Self> {
        table::ROWS.iter().map(|row| row.algorithm)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A kind of key: the `kty` of a JWK (RFC 7518 section 6.1, RFC 8037 section 2, RFC 9964).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum KeyType {
    /// A symmetric key.
    Oct,
    /// An RSA key.
    Rsa,
    /// An elliptic-curve key.
    Ec,
    /// An octet key pair.
    Okp,
    /// An algorithm key pair.
    Akp,
}

impl KeyType {
    /// The value of `kty`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            KeyType::Oct => "oct",
            KeyType::Rsa => "RSA",
            KeyType::Ec => "EC",
            KeyType::Okp => "OKP",
            KeyType::Akp => "AKP",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [KeyType::Oct, KeyType::Rsa, KeyType::Ec, KeyType::Okp, KeyType::Akp].into_iter().find(|kty| kty.name() == name)
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A curve for ECDSA: the `crv` of an EC key (RFC 7518 section 6.2.1.1, RFC 8812 section 3.1).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Curve {
    /// NIST P-256, secp256r1.
    P256,
    /// NIST P-384, secp384r1.
    P384,
    /// NIST P-521, secp521r1.
    P521,
    /// secp256k1.
    Secp256k1,
}

impl Curve {
    /// The value of `crv`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Curve::P256 => "P-256",
            Curve::P384 => "P-384",
            Curve::P521 => "P-521",
            Curve::Secp256k1 => "secp256k1",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Curve::P256, Curve::P384, Curve::P521, Curve::Secp256k1].into_iter().find(|curve| curve.name() == name)
    }
}
