use std::error::Error;
use std::fmt;

use crate::algorithm::Algorithm;
#[cfg(doc)]
use crate::limits;

/// Why one key may not be used.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyRefused {
    /// A required member of the JWK is missing.
    MissingMember {
        /// Its name.
        member: &'static str,
    },
    /// A member of the JWK has another JSON type than it must, or is not canonical base64url.
    MalformedMember {
        /// Its name.
        member: &'static str,
    },
    /// The `kid` is longer than [`limits::MAX_KEY_ID_BYTES`].
    KeyIdTooLong,
    /// A `kty` or an object identifier that is not known here.
    UnsupportedKeyType,
    /// A `crv` or named curve that is not known here or is not one for signatures.
    UnsupportedCurve,
    /// An `alg` that is not known here, or that no backend of this build has.
    UnsupportedAlgorithm,
    /// Parameters of the key's algorithm identifier that no algorithm here has (RFC 4055, RFC 5480).
    UnsupportedParameters,
    /// A key whose algorithm only its `alg` can tell, without one.
    MissingAlgorithm,
    /// `alg` is not one for this `kty` and `crv`, or the key is asked to be for an algorithm that is not.
    AlgorithmContradictsKey {
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// An RSA key without `alg`, where no RSA algorithm that it could be for is configured.
    NoAdmittedAlgorithm,
    /// `use` is not `sig`.
    UseIsNotSignature,
    /// `key_ops` does not hold `verify`.
    KeyOpsWithoutVerify,
    /// `key_ops` holds an operation twice, or one that contradicts `use` (RFC 7517 section 4.3).
    KeyOpsContradictory,
    /// A private key in a remote set, or in PEM or DER. Whoever published it has lost it.
    PrivateKey,
    /// An `oct` key in a remote set.
    SymmetricKeyInRemoteSet,
    /// An `oct` key in one document with keys of other kinds.
    SymmetricKeyBesidePublicKeys,
    /// Another key of the set has the same `kid` and algorithm.
    DuplicateKeyId,
    /// A PEM block that cannot be decoded.
    MalformedPem,
    /// A PEM block of a kind that holds no key.
    UnsupportedPemLabel,
    /// Not the DER of what it should be.
    MalformedDer,
    /// The RSA modulus is shorter than [`limits::MIN_RSA_MODULUS_BITS`].
    RsaModulusTooSmall {
        /// Its length in bits.
        bits: usize,
    },
    /// The RSA modulus is longer than [`limits::MAX_RSA_MODULUS_BITS`].
    RsaModulusTooLarge {
        /// Its length in bits.
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
        /// Its length in bits.
        bits: usize,
    },
    /// A coordinate is not as long as the curve's field elements, or the point is not uncompressed.
    EcCoordinateLength,
    /// The point is the point at infinity, or (0, 0), which stands for it.
    EcPointAtInfinity,
    /// The point is not on its curve, or a coordinate is not below the field's prime.
    EcPointNotOnCurve,
    /// An Ed25519 key is not 32 bytes long.
    Ed25519KeyLength,
    /// An Ed25519 key encodes its point in more than the one way of RFC 8032 section 5.1.2.
    Ed25519NotCanonical,
    /// An Ed25519 key decodes to no point.
    Ed25519NotOnCurve,
    /// An Ed25519 key is a point of small order, under which anybody can sign.
    Ed25519SmallOrder,
    /// An ML-DSA key is not as long as its parameter set's keys are.
    MlDsaKeyLength,
    /// The HMAC secret is empty.
    HmacSecretEmpty,
    /// The HMAC secret is shorter than the hash's output (RFC 7518 section 3.2).
    HmacSecretTooShort {
        /// Its length in bytes.
        bytes: usize,
        /// The least length in bytes.
        min: usize,
    },
    /// The HMAC secret is longer than [`limits::MAX_HMAC_SECRET_BYTES`].
    HmacSecretTooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The HMAC secret is PEM text: a key for another algorithm, most likely public (CVE-2015-9235).
    HmacSecretIsPem,
    /// The HMAC secret is the text of a JWK or JWK set.
    HmacSecretIsJwk,
    /// The HMAC secret is the DER of a public key or certificate.
    HmacSecretIsDer,
    /// The cryptography library does not take the key.
    RefusedByBackend,
}

impl KeyRefused {
    /// The stable name of this reason, in kebab-case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.texts().0
    }

    /// The code and the sentence. The data, where there is any, [`fmt::Display`] adds.
    fn texts(&self) -> (&'static str, &'static str) {
        use KeyRefused::*;
        match self {
            MissingMember { .. } => ("missing-member", "a required member is missing"),
            MalformedMember { .. } => ("malformed-member", "a member is not what it must be"),
            KeyIdTooLong => ("kid-too-long", "`kid` is too long"),
            UnsupportedKeyType => ("unsupported-key-type", "this kind of key is not known"),
            UnsupportedCurve => ("unsupported-curve", "this curve is not known, or not for signatures"),
            UnsupportedAlgorithm => ("unsupported-algorithm", "this algorithm is not supported"),
            UnsupportedParameters => ("unsupported-parameters", "these algorithm parameters are not supported"),
            MissingAlgorithm => ("missing-algorithm", "a key of this kind needs `alg`"),
            AlgorithmContradictsKey { .. } => ("algorithm-contradicts-key", "the algorithm is not one for this key"),
            NoAdmittedAlgorithm => ("no-admitted-algorithm", "the key has no `alg`, and none is configured for it"),
            UseIsNotSignature => ("use-not-sig", "`use` is not `sig`"),
            KeyOpsWithoutVerify => ("key-ops-without-verify", "`key_ops` does not hold `verify`"),
            KeyOpsContradictory => ("key-ops-contradictory", "`key_ops` contradicts itself or `use`"),
            PrivateKey => ("private-key", "a private key where only a public one may be"),
            SymmetricKeyInRemoteSet => ("symmetric-key-in-remote-set", "a remote set may not hold `oct` keys"),
            SymmetricKeyBesidePublicKeys => {
                ("symmetric-key-beside-public-keys", "an `oct` key in one document with public keys")
            }
            DuplicateKeyId => ("duplicate-kid", "another key has the same `kid` and algorithm"),
            MalformedPem => ("malformed-pem", "the PEM block cannot be decoded"),
            UnsupportedPemLabel => ("unsupported-pem-label", "a PEM block of this kind holds no key"),
            MalformedDer => ("malformed-der", "the DER cannot be decoded"),
            RsaModulusTooSmall { .. } => ("rsa-modulus-too-small", "the RSA modulus is too short"),
            RsaModulusTooLarge { .. } => ("rsa-modulus-too-large", "the RSA modulus is too long"),
            RsaModulusEven => ("rsa-modulus-even", "the RSA modulus is even"),
            RsaModulusRoca => ("rsa-modulus-roca", "the RSA modulus has the ROCA fingerprint (CVE-2017-15361)"),
            RsaExponentTooSmall => ("rsa-exponent-too-small", "the RSA exponent is 0 or 1"),
            RsaExponentEven => ("rsa-exponent-even", "the RSA exponent is even"),
            RsaExponentTooLarge { .. } => ("rsa-exponent-too-large", "the RSA exponent is too long"),
            EcCoordinateLength => ("ec-coordinate-length", "a coordinate has the wrong length"),
            EcPointAtInfinity => ("ec-point-at-infinity", "the point is the point at infinity"),
            EcPointNotOnCurve => ("ec-point-not-on-curve", "the point is not on the curve"),
            Ed25519KeyLength => ("ed25519-key-length", "the Ed25519 key is not 32 bytes long"),
            Ed25519NotCanonical => ("ed25519-not-canonical", "the Ed25519 key is not canonically encoded"),
            Ed25519NotOnCurve => ("ed25519-not-on-curve", "the Ed25519 key decodes to no point"),
            Ed25519SmallOrder => ("ed25519-small-order", "the Ed25519 key is a point of small order"),
            MlDsaKeyLength => ("ml-dsa-key-length", "the ML-DSA key has the wrong length"),
            HmacSecretEmpty => ("hmac-secret-empty", "the HMAC secret is empty"),
            HmacSecretTooShort { .. } => ("hmac-secret-too-short", "the HMAC secret is too short"),
            HmacSecretTooLong { .. } => ("hmac-secret-too-long", "the HMAC secret is too long"),
            HmacSecretIsPem => ("hmac-secret-is-pem", "the HMAC secret is PEM text"),
            HmacSecretIsJwk => ("hmac-secret-is-jwk", "the HMAC secret is the text of a JWK"),
            HmacSecretIsDer => ("hmac-secret-is-der", "the HMAC secret is a key in DER"),
            RefusedByBackend => ("refused-by-backend", "the cryptography library does not take the key"),
        }
    }
}

impl fmt::Display for KeyRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.texts().1)?;
        match self {
            KeyRefused::MissingMember { member } | KeyRefused::MalformedMember { member } => write!(f, ": `{member}`"),
            KeyRefused::AlgorithmContradictsKey { algorithm } => write!(f, ": {algorithm}"),
            KeyRefused::RsaModulusTooSmall { bits }
            | KeyRefused::RsaModulusTooLarge { bits }
            | KeyRefused::RsaExponentTooLarge { bits } => write!(f, ": {bits} bits"),
            KeyRefused::HmacSecretTooShort { bytes, min } => write!(f, ": {bytes} bytes, at least {min} are needed"),
            KeyRefused::HmacSecretTooLong { bytes } => write!(f, ": {bytes} bytes"),
            _ => Ok(()),
        }
    }
}

impl Error for KeyRefused {}
