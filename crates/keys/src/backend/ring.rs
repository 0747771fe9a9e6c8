//! The algorithms of ring, which has no P-521, no secp256k1 and no ML-DSA.

use std::sync::Arc;

use ::ring::signature::{self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};
use ::ring::{digest, hmac};

use super::{Backend, KeyMaterial, PreparedKey, SignatureCheck};

type Choice = Option<&'static dyn Backend>;

pub(crate) const HS256: Choice = backend!(Hmac(hmac::HMAC_SHA256));
pub(crate) const HS384: Choice = backend!(Hmac(hmac::HMAC_SHA384));
pub(crate) const HS512: Choice = backend!(Hmac(hmac::HMAC_SHA512));
pub(crate) const RS256: Choice = backend!(Rsa(&signature::RSA_PKCS1_2048_8192_SHA256));
pub(crate) const RS384: Choice = backend!(Rsa(&signature::RSA_PKCS1_2048_8192_SHA384));
pub(crate) const RS512: Choice = backend!(Rsa(&signature::RSA_PKCS1_2048_8192_SHA512));
pub(crate) const PS256: Choice = backend!(Rsa(&signature::RSA_PSS_2048_8192_SHA256));
pub(crate) const PS384: Choice = backend!(Rsa(&signature::RSA_PSS_2048_8192_SHA384));
pub(crate) const PS512: Choice = backend!(Rsa(&signature::RSA_PSS_2048_8192_SHA512));
pub(crate) const ES256: Choice = backend!(Encoded(&signature::ECDSA_P256_SHA256_FIXED));
pub(crate) const ES384: Choice = backend!(Encoded(&signature::ECDSA_P384_SHA384_FIXED));
pub(crate) const ED25519: Choice = backend!(Encoded(&signature::ED25519));
pub(crate) const ES512: Choice = None;
pub(crate) const ES256K: Choice = None;
pub(crate) const ML_DSA_44: Choice = None;
pub(crate) const ML_DSA_65: Choice = None;
pub(crate) const ML_DSA_87: Choice = None;

pub(crate) fn sha256(message: &[u8]) -> [u8; 32] {
    let mut output = [0; 32];
    output.copy_from_slice(digest::digest(&digest::SHA256, message).as_ref());
    output
}

#[cfg(all(feature = "ecdsa-tables", not(feature = "fips")))]
pub(crate) fn sha384(message: &[u8]) -> [u8; 48] {
    let mut output = [0; 48];
    output.copy_from_slice(digest::digest(&digest::SHA384, message).as_ref());
    output
}

#[cfg(all(feature = "ed25519-tables", not(feature = "fips")))]
pub(crate) fn sha512(parts: [&[u8]; 3]) -> [u8; 64] {
    let mut context = digest::Context::new(&digest::SHA512);
    parts.into_iter().for_each(|part| context.update(part));
    let mut output = [0; 64];
    output.copy_from_slice(context.finish().as_ref());
    output
}

struct Hmac(hmac::Algorithm);

impl Backend for Hmac {
    fn prepare(&self, key: &KeyMaterial<'_>) -> Option<PreparedKey> {
        match *key {
            KeyMaterial::Secret(secret) => Some(Arc::new(hmac::Key::new(self.0, secret))),
            _ => None,
        }
    }
}

impl SignatureCheck for hmac::Key {
    fn check(&self, message: &[u8], signature: &[u8]) -> bool {
        hmac::verify(self, message, signature).is_ok()
    }
}

struct Rsa(&'static RsaParameters);

impl Backend for Rsa {
    fn prepare(&self, key: &KeyMaterial<'_>) -> Option<PreparedKey> {
        match *key {
            KeyMaterial::Rsa { modulus, exponent } => {
                let components = RsaPublicKeyComponents { n: modulus.into(), e: exponent.into() };
                Some(Arc::new(RsaKey { parameters: self.0, components }))
            }
            _ => None,
        }
    }
}

/// ring parses an RSA key at every check; its preparsed form is private to its signing keys.
struct RsaKey {
    parameters: &'static RsaParameters,
    components: RsaPublicKeyComponents<Box<[u8]>>,
}

impl SignatureCheck for RsaKey {
    fn check(&self, message: &[u8], signature: &[u8]) -> bool {
        self.components.verify(self.parameters, message, signature).is_ok()
    }
}

struct Encoded(&'static dyn VerificationAlgorithm);

impl Backend for Encoded {
    fn prepare(&self, key: &KeyMaterial<'_>) -> Option<PreparedKey> {
        match *key {
            KeyMaterial::Encoded(bytes) => Some(Arc::new(UnparsedPublicKey::new(self.0, Box::<[u8]>::from(bytes)))),
            _ => None,
        }
    }
}

impl SignatureCheck for UnparsedPublicKey<Box<[u8]>> {
    fn check(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verify(message, signature).is_ok()
    }
}
