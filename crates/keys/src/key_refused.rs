use std::error::Error;
use std::fmt;

use tollgate_jwt::excerpt;

use crate::algorithm::Algorithm;
use crate::key_uses::KeyUses;
use crate::limits;

/// Why a key was refused.
///
/// `Display` is one sentence that names the faulty member and what it should be. Text from a document is shown as an
/// escaped [excerpt](tollgate_jwt::excerpt).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyRefused {
    /// A required member of the JWK is missing, or null.
    MissingMember {
        /// The member's name.
        member: &'static str,
    },
    /// A member of the JWK has the wrong JSON type, or is not canonical base64url.
    MalformedMember {
        /// The member's name.
        member: &'static str,
        /// The required form, as in "a string".
        expected: &'static str,
    },
    /// The `kid` is longer than [`limits::MAX_KEY_ID_BYTES`].
    KeyIdTooLong {
        /// The length in bytes.
        bytes: usize,
    },
    /// An unknown `kty` or object identifier.
    UnsupportedKeyType {
        /// The `kty`, or the identifier in dotted form.
        found: Box<str>,
    },
    /// A `crv` or named curve that is unknown or not for signatures.
    UnsupportedCurve {
        /// The `crv`, or the identifier in dotted form.
        found: Box<str>,
    },
    /// An `alg` that is unknown, or that no backend of this build supports.
    UnsupportedAlgorithm {
        /// The `alg`.
        found: Box<str>,
    },
    /// Parameters in the key's algorithm identifier that no supported algorithm has (RFC 4055, RFC 5480).
    UnsupportedParameters,
    /// A key without `alg`, of a type that needs it.
    MissingAlgorithm,
    /// `alg` does not fit the `kty` and `crv`, or the key was requested for an algorithm that does not fit.
    AlgorithmContradictsKey {
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// An RSA key without `alg`, and no suitable RSA algorithm is configured.
    NoAdmittedAlgorithm,
    /// `use` is not `sig`.
    UseIsNotSignature {
        /// The `use`.
        found: Box<str>,
    },
    /// `use` is none of the [accepted](crate::KeySetBuilder::key_uses) values.
    UseNotAccepted {
        /// The `use`. None: the JWK has none but needs one.
        found: Option<Box<str>>,
        /// The accepted values.
        accepted: KeyUses,
    },
    /// `key_ops` does not contain `verify`.
    KeyOpsWithoutVerify,
    /// `key_ops` contains an operation twice, or one that contradicts `use` (RFC 7517 section 4.3).
    KeyOpsContradictory,
    /// A private key in a remote set, in PEM or in DER, or a public key whose private part the same remote set
    /// contains. A published private key is known to everybody.
    PrivateKey,
    /// An `oct` key in a remote set.
    SymmetricKeyInRemoteSet,
    /// An `oct` key in one document with keys of other types.
    SymmetricKeyBesidePublicKeys,
    /// A different usable key of the set has the same `kid` and algorithm.
    DuplicateKeyId,
    /// A PEM block that cannot be decoded.
    MalformedPem,
    /// A PEM block with a backslash and an `n` at the end of each line, as in JSON or in an environment variable.
    PemWithEscapedLineFeeds,
    /// A PEM block with a label that is not for public keys.
    UnsupportedPemLabel,
    /// A member of a certificate document that is not the PEM of exactly one certificate.
    NotOneCertificate,
    /// Not the DER of the expected structure.
    MalformedDer,
    /// The RSA modulus is shorter than [`limits::MIN_RSA_MODULUS_BITS`].
    RsaModulusTooSmall {
        /// The length in bits.
        bits: usize,
    },
    /// The RSA modulus is longer than [`limits::MAX_RSA_MODULUS_BITS`].
    RsaModulusTooLarge {
        /// The length in bits.
        bits: usize,
    },
    /// The RSA modulus is even.
    RsaModulusEven,
    /// The RSA modulus has the fingerprint of ROCA (CVE-2017-15361): it can be factored.
    RsaModulusRoca,
    /// The RSA exponent is 0 or 1.
    RsaExponentTooSmall,
    /// The RSA exponent is even.
    RsaExponentEven,
    /// The RSA exponent is longer than [`limits::MAX_RSA_EXPONENT_BITS`].
    RsaExponentTooLarge {
        /// The length in bits.
        bits: usize,
    },
    /// A coordinate has not the length of the curve's field elements, or the point is not uncompressed.
    EcCoordinateLength,
    /// The point is the point at infinity, or (0, 0), which represents it.
    EcPointAtInfinity,
    /// The point is not on its curve, or a coordinate is not below the field's prime.
    EcPointNotOnCurve,
    /// An Ed25519 key is not 32 bytes long.
    Ed25519KeyLength,
    /// An Ed25519 key is not the one canonical encoding of its point (RFC 8032 section 5.1.2).
    Ed25519NotCanonical,
    /// An Ed25519 key decodes to no point.
    Ed25519NotOnCurve,
    /// An Ed25519 key is a point of small order, for which anybody can sign.
    Ed25519SmallOrder,
    /// An ML-DSA key has not the length of its parameter set's keys.
    MlDsaKeyLength,
    /// The HMAC secret is empty.
    HmacSecretEmpty,
    /// The HMAC secret is shorter than the hash's output (RFC 7518 section 3.2).
    HmacSecretTooShort {
        /// The length in bytes.
        bytes: usize,
        /// The minimum length in bytes.
        min: usize,
    },
    /// The HMAC secret is longer than [`limits::MAX_HMAC_SECRET_BYTES`].
    HmacSecretTooLong {
        /// The length in bytes.
        bytes: usize,
    },
    /// The HMAC secret is PEM text: a key for another algorithm, most likely public (CVE-2015-9235).
    HmacSecretIsPem,
    /// The HMAC secret is the text of a JWK or JWK set.
    HmacSecretIsJwk,
    /// The HMAC secret is the DER of a public key or certificate.
    HmacSecretIsDer,
    /// The cryptography library refused the key.
    RefusedByBackend,
}

impl KeyRefused {
    /// The stable name of this reason, in kebab-case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        use KeyRefused::*;
        match self {
            MissingMember { .. } => "missing-member",
            MalformedMember { .. } => "malformed-member",
            KeyIdTooLong { .. } => "kid-too-long",
            UnsupportedKeyType { .. } => "unsupported-key-type",
            UnsupportedCurve { .. } => "unsupported-curve",
            UnsupportedAlgorithm { .. } => "unsupported-algorithm",
            UnsupportedParameters => "unsupported-parameters",
            MissingAlgorithm => "missing-algorithm",
            AlgorithmContradictsKey { .. } => "algorithm-contradicts-key",
            NoAdmittedAlgorithm => "no-admitted-algorithm",
            UseIsNotSignature { .. } => "use-not-sig",
            UseNotAccepted { .. } => "use-not-accepted",
            KeyOpsWithoutVerify => "key-ops-without-verify",
            KeyOpsContradictory => "key-ops-contradictory",
            PrivateKey => "private-key",
            SymmetricKeyInRemoteSet => "symmetric-key-in-remote-set",
            SymmetricKeyBesidePublicKeys => "symmetric-key-beside-public-keys",
            DuplicateKeyId => "duplicate-kid",
            MalformedPem => "malformed-pem",
            PemWithEscapedLineFeeds => "pem-with-escaped-line-feeds",
            UnsupportedPemLabel => "unsupported-pem-label",
            NotOneCertificate => "not-one-certificate",
            MalformedDer => "malformed-der",
            RsaModulusTooSmall { .. } => "rsa-modulus-too-small",
            RsaModulusTooLarge { .. } => "rsa-modulus-too-large",
            RsaModulusEven => "rsa-modulus-even",
            RsaModulusRoca => "rsa-modulus-roca",
            RsaExponentTooSmall => "rsa-exponent-too-small",
            RsaExponentEven => "rsa-exponent-even",
            RsaExponentTooLarge { .. } => "rsa-exponent-too-large",
            EcCoordinateLength => "ec-coordinate-length",
            EcPointAtInfinity => "ec-point-at-infinity",
            EcPointNotOnCurve => "ec-point-not-on-curve",
            Ed25519KeyLength => "ed25519-key-length",
            Ed25519NotCanonical => "ed25519-not-canonical",
            Ed25519NotOnCurve => "ed25519-not-on-curve",
            Ed25519SmallOrder => "ed25519-small-order",
            MlDsaKeyLength => "ml-dsa-key-length",
            HmacSecretEmpty => "hmac-secret-empty",
            HmacSecretTooShort { .. } => "hmac-secret-too-short",
            HmacSecretTooLong { .. } => "hmac-secret-too-long",
            HmacSecretIsPem => "hmac-secret-is-pem",
            HmacSecretIsJwk => "hmac-secret-is-jwk",
            HmacSecretIsDer => "hmac-secret-is-der",
            RefusedByBackend => "refused-by-backend",
        }
    }

    /// Whether the key is valid but intended for something other than verifying.
    pub(crate) fn is_for_another_purpose(&self) -> bool {
        use KeyRefused::*;
        matches!(self, UseIsNotSignature { .. } | UseNotAccepted { .. } | KeyOpsWithoutVerify | KeyOpsContradictory)
    }

    pub(crate) fn unsupported_key_type(found: &str) -> Self {
        KeyRefused::UnsupportedKeyType { found: excerpt(found).into() }
    }

    pub(crate) fn unsupported_curve(found: &str) -> Self {
        KeyRefused::UnsupportedCurve { found: excerpt(found).into() }
    }

    pub(crate) fn unsupported_algorithm(found: &str) -> Self {
        KeyRefused::UnsupportedAlgorithm { found: excerpt(found).into() }
    }

    pub(crate) fn use_not_accepted(found: Option<&str>, accepted: &KeyUses) -> Self {
        let found = found.map(|found| excerpt(found).into());
        match found {
            Some(found) if accepted.is_default() => KeyRefused::UseIsNotSignature { found },
            found => KeyRefused::UseNotAccepted { found, accepted: accepted.clone() },
        }
    }
}

impl fmt::Display for KeyRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use KeyRefused::*;
        match self {
            MissingMember { member } => write!(f, "the member `{member}` is missing"),
            MalformedMember { member, expected } => write!(f, "the member `{member}` has to be {expected}"),
            KeyIdTooLong { bytes } => {
                write!(f, "`kid` is {bytes} bytes long; at most {} are taken", limits::MAX_KEY_ID_BYTES)
            }
            UnsupportedKeyType { found } => write!(f, "the key type (`kty`) {found:?} is not known"),
            UnsupportedCurve { found } => write!(f, "the curve (`crv`) {found:?} is not known, or not for signatures"),
            UnsupportedAlgorithm { found } => {
                write!(f, "the algorithm (`alg`) {found:?} is not a signature algorithm that this build has")
            }
            UnsupportedParameters => f.write_str("the parameters of the key's algorithm are not supported"),
            MissingAlgorithm => f.write_str("the member `alg` is missing: a key of this type needs it"),
            AlgorithmContradictsKey { algorithm } => {
                write!(f, "`alg` is {algorithm}, which is no algorithm for this key")
            }
            NoAdmittedAlgorithm => f.write_str("the key has no `alg`, and no algorithm is configured for it"),
            UseIsNotSignature { found } => write!(f, "`use` is {found:?}, and has to be \"sig\""),
            UseNotAccepted { found: Some(found), accepted } => {
                write!(f, "`use` is {found:?}, and has to be {accepted}")
            }
            UseNotAccepted { found: None, accepted } => write!(f, "`use` is missing, and has to be {accepted}"),
            KeyOpsWithoutVerify => f.write_str("`key_ops` does not hold \"verify\""),
            KeyOpsContradictory => f.write_str("`key_ops` holds an operation twice, or one that `use` does not allow"),
            PrivateKey => f.write_str("a private key is where only a public key may be"),
            SymmetricKeyInRemoteSet => f.write_str("a remote set must not hold secrets (`kty` is \"oct\")"),
            SymmetricKeyBesidePublicKeys => {
                f.write_str("a secret (`kty` is \"oct\") is in one document with public keys")
            }
            DuplicateKeyId => f.write_str("a different key has the same `kid` and algorithm"),
            MalformedPem => f.write_str("the PEM block cannot be decoded"),
            PemWithEscapedLineFeeds => {
                f.write_str(r"the PEM block has the two characters \n where its lines end: make them line feeds")
            }
            UnsupportedPemLabel => f.write_str("a PEM block with this label holds no public key"),
            NotOneCertificate => f.write_str("it has to be the PEM of exactly one certificate"),
            MalformedDer => f.write_str("the DER cannot be decoded"),
            RsaModulusTooSmall { bits } => {
                write!(f, "the RSA modulus (`n`) has {bits} bits; at least {} are needed", limits::MIN_RSA_MODULUS_BITS)
            }
            RsaModulusTooLarge { bits } => {
                write!(f, "the RSA modulus (`n`) has {bits} bits; at most {} are taken", limits::MAX_RSA_MODULUS_BITS)
            }
            RsaModulusEven => f.write_str("the RSA modulus (`n`) is even"),
            RsaModulusRoca => f.write_str("the RSA modulus (`n`) has the ROCA fingerprint (CVE-2017-15361)"),
            RsaExponentTooSmall => f.write_str("the RSA exponent (`e`) is 0 or 1"),
            RsaExponentEven => f.write_str("the RSA exponent (`e`) is even"),
            RsaExponentTooLarge { bits } => {
                write!(f, "the RSA exponent (`e`) has {bits} bits; at most {} are taken", limits::MAX_RSA_EXPONENT_BITS)
            }
            EcCoordinateLength => f.write_str("a coordinate (`x` or `y`) is not as long as the curve's field elements"),
            EcPointAtInfinity => f.write_str("the point (`x`, `y`) is the point at infinity"),
            EcPointNotOnCurve => f.write_str("the point (`x`, `y`) is not on the curve"),
            Ed25519KeyLength => f.write_str("the Ed25519 key (`x`) is not 32 bytes long"),
            Ed25519NotCanonical => f.write_str("the Ed25519 key (`x`) is not canonically encoded"),
            Ed25519NotOnCurve => f.write_str("the Ed25519 key (`x`) decodes to no point"),
            Ed25519SmallOrder => f.write_str("the Ed25519 key (`x`) is a point of small order"),
            MlDsaKeyLength => f.write_str("the ML-DSA key (`pub`) is not as long as its parameter set's keys"),
            HmacSecretEmpty => f.write_str("the HMAC secret (`k`) is empty"),
            HmacSecretTooShort { bytes, min } => {
                write!(f, "the HMAC secret (`k`) has {bytes} bytes; at least {min} are needed")
            }
            HmacSecretTooLong { bytes } => {
                write!(
                    f,
                    "the HMAC secret (`k`) has {bytes} bytes; at most {} are taken",
                    limits::MAX_HMAC_SECRET_BYTES
                )
            }
            HmacSecretIsPem => f.write_str("the HMAC secret (`k`) is PEM text"),
            HmacSecretIsJwk => f.write_str("the HMAC secret (`k`) is the text of a JWK"),
            HmacSecretIsDer => f.write_str("the HMAC secret (`k`) is a key in DER"),
            RefusedByBackend => f.write_str("the cryptography library does not take the key"),
        }
    }
}

impl Error for KeyRefused {}
