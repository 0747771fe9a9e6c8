//! Keys and signatures, also such as no signer makes.

use ring::digest::{SHA256, SHA384, digest};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING,
    EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use tollgate_ecdsa::limits::KEY_WINDOW_BITS;
use tollgate_ecdsa::{Curve, PreparedKey, Verdict};

/// A key pair of ring with its prepared public key.
pub(crate) struct Signer {
    pub(crate) curve: Curve,
    pub(crate) point: Vec<u8>,
    pub(crate) key: PreparedKey,
    pair: EcdsaKeyPair,
}

impl Signer {
    pub(crate) fn new(curve: Curve) -> Self {
        Self::with_windows(curve, KEY_WINDOW_BITS)
    }

    pub(crate) fn with_windows(curve: Curve, window_bits: u32) -> Self {
        let algorithm = match curve {
            Curve::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
            Curve::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        };
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &SystemRandom::new()).unwrap();
        let point = pair.public_key().as_ref().to_vec();
        Signer { curve, key: PreparedKey::new(curve, &point, window_bits).unwrap(), point, pair }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Verdict {
        self.key.verify(&hash(self.curve, message), signature)
    }

    pub(crate) fn ring_accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = match self.curve {
            Curve::P256 => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.point),
            Curve::P384 => UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, &self.point),
        };
        key.verify(message, signature).is_ok()
    }
}

/// The hash that a JWS uses with the curve.
pub(crate) fn hash(curve: Curve, message: &[u8]) -> Vec<u8> {
    let algorithm = match curve {
        Curve::P256 => &SHA256,
        Curve::P384 => &SHA384,
    };
    digest(algorithm, message).as_ref().to_vec()
}
