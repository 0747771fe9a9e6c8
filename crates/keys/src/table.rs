//! The algorithm table: one row per algorithm. No other code in this crate matches on the algorithm.

use crate::algorithm::{Algorithm, Curve, KeyType};
use crate::backend::{self, Backend};
use crate::limits::{MAX_RSA_MODULUS_BITS, MIN_RSA_MODULUS_BITS};

/// All properties of one algorithm.
pub(crate) struct Row {
    pub(crate) algorithm: Algorithm,
    pub(crate) name: &'static str,
    pub(crate) form: KeyForm,
    pub(crate) signature_length: SignatureLength,
    /// Checks the algorithm's signatures. None if no backend of this build supports the algorithm.
    pub(crate) backend: Option<&'static dyn Backend>,
}

/// The form of key that an algorithm requires.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum KeyForm {
    /// A secret of at least this many bytes: the hash's output (RFC 7518 section 3.2).
    Secret { min_bytes: usize },
    /// A modulus and an exponent.
    Rsa,
    /// A point on a curve.
    Ec(Curve),
    /// A point on edwards25519.
    Ed25519,
    /// This many bytes (FIPS 204, table 2).
    MlDsa { public_bytes: usize },
}

impl KeyForm {
    pub(crate) fn key_type(self) -> KeyType {
        match self {
            KeyForm::Secret { .. } => KeyType::Oct,
            KeyForm::Rsa => KeyType::Rsa,
            KeyForm::Ec(_) => KeyType::Ec,
            KeyForm::Ed25519 => KeyType::Okp,
            KeyForm::MlDsa { .. } => KeyType::Akp,
        }
    }
}

/// The length of a signature, in bytes.
#[derive(Clone, Copy)]
pub(crate) enum SignatureLength {
    Fixed(usize),
    /// As long as the RSA key's modulus (RFC 8017 section 8.2.2, step 1).
    Modulus,
}

impl SignatureLength {
    /// Whether a key of the algorithm could make a signature of this many bytes.
    pub(crate) fn admits(self, bytes: usize) -> bool {
        match self {
            SignatureLength::Fixed(length) => length == bytes,
            SignatureLength::Modulus => {
                (MIN_RSA_MODULUS_BITS.div_ceil(8)..=MAX_RSA_MODULUS_BITS.div_ceil(8)).contains(&bytes)
            }
        }
    }
}

/// The row of `algorithm`.
pub(crate) fn row(algorithm: Algorithm) -> &'static Row {
    &ROWS[algorithm as usize]
}

/// How many algorithms there are.
pub(crate) const ALGORITHMS: usize = 18;

/// In the order of [`Algorithm`]'s variants; the assertion below checks it.
pub(crate) static ROWS: [Row; ALGORITHMS] = {
    use Algorithm::*;
    use KeyForm::*;
    use SignatureLength::*;
    [
        new(HS256, "HS256", Secret { min_bytes: 32 }, Fixed(32), backend::HS256),
        new(HS384, "HS384", Secret { min_bytes: 48 }, Fixed(48), backend::HS384),
        new(HS512, "HS512", Secret { min_bytes: 64 }, Fixed(64), backend::HS512),
        new(RS256, "RS256", Rsa, Modulus, backend::RS256),
        new(RS384, "RS384", Rsa, Modulus, backend::RS384),
        new(RS512, "RS512", Rsa, Modulus, backend::RS512),
        new(PS256, "PS256", Rsa, Modulus, backend::PS256),
        new(PS384, "PS384", Rsa, Modulus, backend::PS384),
        new(PS512, "PS512", Rsa, Modulus, backend::PS512),
        new(ES256, "ES256", Ec(Curve::P256), Fixed(64), backend::ES256),
        new(ES384, "ES384", Ec(Curve::P384), Fixed(96), backend::ES384),
        new(ES512, "ES512", Ec(Curve::P521), Fixed(132), backend::ES512),
        new(ES256K, "ES256K", Ec(Curve::Secp256k1), Fixed(64), backend::ES256K),
        new(EdDSA, "EdDSA", KeyForm::Ed25519, Fixed(64), backend::ED25519),
        new(Algorithm::Ed25519, "Ed25519", KeyForm::Ed25519, Fixed(64), backend::ED25519),
        new(MlDsa44, "ML-DSA-44", MlDsa { public_bytes: 1312 }, Fixed(2420), backend::ML_DSA_44),
        new(MlDsa65, "ML-DSA-65", MlDsa { public_bytes: 1952 }, Fixed(3309), backend::ML_DSA_65),
        new(MlDsa87, "ML-DSA-87", MlDsa { public_bytes: 2592 }, Fixed(4627), backend::ML_DSA_87),
    ]
};

const fn new(
    algorithm: Algorithm,
    name: &'static str,
    form: KeyForm,
    signature_length: SignatureLength,
    backend: Option<&'static dyn Backend>,
) -> Row {
    Row { algorithm, name, form, signature_length, backend }
}

const _: () = {
    let mut index = 0;
    while index < ALGORITHMS {
        assert!(ROWS[index].algorithm as usize == index, "the rows are in the order of the variants");
        index += 1;
    }
};
