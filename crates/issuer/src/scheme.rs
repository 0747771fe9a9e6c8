//! The algorithm table: one row per algorithm, with the ring item that signs.

use pkcs8::ObjectIdentifier;
use ring::{
    hmac,
    rand::SystemRandom,
    rsa,
    signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, RsaEncoding},
};
use tollgate_keys::Algorithm;

use crate::{
    error::IssuerError,
    material::{Material, RsaParts},
};

/// How an algorithm signs.
pub(crate) enum Scheme {
    Hmac(&'static hmac::Algorithm),
    Rsa(&'static dyn RsaEncoding),
    Ecdsa(&'static Curve),
    Ed25519,
}

/// An elliptic curve that ECDSA signs on.
pub(crate) struct Curve {
    pub(crate) id: tollgate_keys::Curve,
    /// Bytes in a coordinate and in a private key.
    pub(crate) coordinate_bytes: usize,
    /// The named curve in PKCS#8 (RFC 5480 section 2.1.1.1).
    pub(crate) oid: ObjectIdentifier,
    /// The algorithm of a key on this curve whose JWK has no `alg`.
    pub(crate) algorithm: Algorithm,
    pub(crate) signing: &'static EcdsaSigningAlgorithm,
}

static P256: Curve = Curve {
    id: tollgate_keys::Curve::P256,
    coordinate_bytes: 32,
    oid: ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
    algorithm: Algorithm::ES256,
    signing: &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
};

static P384: Curve = Curve {
    id: tollgate_keys::Curve::P384,
    coordinate_bytes: 48,
    oid: ObjectIdentifier::new_unwrap("1.3.132.0.34"),
    algorithm: Algorithm::ES384,
    signing: &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
};

pub(crate) static CURVES: [&Curve; 2] = [&P256, &P384];

static SCHEMES: [(Algorithm, Scheme); 13] = [
    (Algorithm::HS256, Scheme::Hmac(&hmac::HMAC_SHA256)),
    (Algorithm::HS384, Scheme::Hmac(&hmac::HMAC_SHA384)),
    (Algorithm::HS512, Scheme::Hmac(&hmac::HMAC_SHA512)),
    (Algorithm::RS256, Scheme::Rsa(&signature::RSA_PKCS1_SHA256)),
    (Algorithm::RS384, Scheme::Rsa(&signature::RSA_PKCS1_SHA384)),
    (Algorithm::RS512, Scheme::Rsa(&signature::RSA_PKCS1_SHA512)),
    (Algorithm::PS256, Scheme::Rsa(&signature::RSA_PSS_SHA256)),
    (Algorithm::PS384, Scheme::Rsa(&signature::RSA_PSS_SHA384)),
    (Algorithm::PS512, Scheme::Rsa(&signature::RSA_PSS_SHA512)),
    (Algorithm::ES256, Scheme::Ecdsa(&P256)),
    (Algorithm::ES384, Scheme::Ecdsa(&P384)),
    (Algorithm::EdDSA, Scheme::Ed25519),
    (Algorithm::Ed25519, Scheme::Ed25519),
];

impl Scheme {
    pub(crate) fn of(algorithm: Algorithm) -> Result<&'static Self, IssuerError> {
        SCHEMES
            .iter()
            .find(|(named, _)| *named == algorithm)
            .map(|(_, scheme)| scheme)
            .ok_or(IssuerError::UnsupportedAlgorithm { algorithm })
    }
}

/// A private key in the form that its ring function requires.
pub(crate) enum Signer {
    Hmac(hmac::Key),
    Rsa(Box<rsa::KeyPair>, &'static dyn RsaEncoding),
    Ecdsa(Box<EcdsaKeyPair>, &'static Curve),
    Ed25519(Box<Ed25519KeyPair>),
}

impl Signer {
    /// Prepares `material` for `algorithm`. ring checks that the private and the public part match.
    pub(crate) fn prepare(algorithm: Algorithm, material: &Material) -> Result<Self, IssuerError> {
        let rejected = |rejected| IssuerError::KeyRejected { rejected };
        match (Scheme::of(algorithm)?, material) {
            (Scheme::Hmac(digest), Material::Oct { secret }) => Ok(Self::Hmac(hmac::Key::new(**digest, secret))),
            (Scheme::Rsa(encoding), Material::Rsa(parts)) => {
                let pair = rsa_pair(parts).map_err(rejected)?;
                Ok(Self::Rsa(Box::new(pair), *encoding))
            }
            (Scheme::Ecdsa(wanted), Material::Ec { curve, d, x, y }) if wanted.id == curve.id => {
                let random = SystemRandom::new();
                let point = uncompressed_point(x, y);
                let pair = EcdsaKeyPair::from_private_key_and_public_key(curve.signing, d, &point, &random)
                    .map_err(rejected)?;
                Ok(Self::Ecdsa(Box::new(pair), curve))
            }
            (Scheme::Ed25519, Material::Okp { seed, public }) => {
                let pair = Ed25519KeyPair::from_seed_and_public_key(seed, public).map_err(rejected)?;
                Ok(Self::Ed25519(Box::new(pair)))
            }
            _ => Err(IssuerError::AlgorithmMismatch { algorithm }),
        }
    }

    /// Bytes in a signature (RFC 7518 section 3, RFC 8032 section 5.1.6).
    pub(crate) fn signature_bytes(&self) -> usize {
        match self {
            Self::Hmac(key) => key.algorithm().digest_algorithm().output_len(),
            Self::Rsa(pair, _) => pair.public().modulus_len(),
            Self::Ecdsa(_, curve) => 2 * curve.coordinate_bytes,
            Self::Ed25519(_) => 64,
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, IssuerError> {
        match self {
            Self::Hmac(key) => Ok(hmac::sign(key, message).as_ref().to_vec()),
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(*encoding, &SystemRandom::new(), message, &mut signature)
                    .map_err(|_| IssuerError::SigningFailed)?;
                Ok(signature)
            }
            Self::Ecdsa(pair, _) => pair
                .sign(&SystemRandom::new(), message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| IssuerError::SigningFailed),
            Self::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

fn rsa_pair(parts: &RsaParts) -> Result<rsa::KeyPair, ring::error::KeyRejected> {
    rsa::KeyPair::from_components(&rsa::KeyPairComponents {
        public_key: rsa::PublicKeyComponents { n: parts.n.as_slice(), e: parts.e.as_slice() },
        d: parts.d.as_slice(),
        p: parts.p.as_slice(),
        q: parts.q.as_slice(),
        dP: parts.dp.as_slice(),
        dQ: parts.dq.as_slice(),
        qInv: parts.qi.as_slice(),
    })
}

/// SEC 1 section 2.3.3: 0x04, x, y.
pub(crate) fn uncompressed_point(x: &[u8], y: &[u8]) -> Vec<u8> {
    [&[0x04], x, y].concat()
}
