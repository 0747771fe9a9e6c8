//! The algorithms of aws-lc-rs. Public keys are parsed once.

use std::sync::Arc;

use aws_lc_rs::signature::{self, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm};
use aws_lc_rs::{digest, hmac};

use super::{Backend, KeyMaterial, PreparedKey, SignatureCheck};

type Choice = Option<&'static dyn Backend>;

pub(crate) const HS256: Choice = backend!(Hmac(&hmac::HMAC_SHA256));
pub(crate) const HS384: Choice = backend!(Hmac(&hmac::HMAC_SHA384));
pub(crate) const HS512: Choice = backend!(Hmac(&hmac::HMAC_SHA512));
pub(crate) const RS256: Choice = backend!(Rsa(&signature::RSA_PKCS1_2048_8192_SHA256));
pub(crate) const RS384: Choice = backend!(Rsa(&signature::RSA_PKCS1_2048_8192_SHA384));
pub(crate) const RS512: Choice = backend!(Rsa(&signature::RSA_PKCS1_2048_8192_SHA512));
pub(crate) const PS256: Choice = backend!(Rsa(&signature::RSA_PSS_2048_8192_SHA256));
pub(crate) const PS384: Choice = backend!(Rsa(&signature::RSA_PSS_2048_8192_SHA384));
pub(crate) const PS512: Choice = backend!(Rsa(&signature::RSA_PSS_2048_8192_SHA512));
pub(crate) const ES256: Choice = backend!(Encoded(&signature::ECDSA_P256_SHA256_FIXED));
pub(crate) const ES384: Choice = backend!(Encoded(&signature::ECDSA_P384_SHA384_FIXED));
pub(crate) const ES512: Choice = backend!(Encoded(&signature::ECDSA_P521_SHA512_FIXED));
pub(crate) const ES256K: Choice = backend!(Encoded(&signature::ECDSA_P256K1_SHA256_FIXED));
pub(crate) const ED25519: Choice = backend!(Encoded(&signature::ED25519));
pub(crate) const ML_DSA_44: Choice = backend!(Encoded(&signature::ML_DSA_44));
pub(crate) const ML_DSA_65: Choice = backend!(Encoded(&signature::ML_DSA_65));
pub(crate) const ML_DSA_87: Choice = backend!(Encoded(&signature::ML_DSA_87));

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

struct Hmac(&'static hmac::Algorithm);

impl Backend for Hmac {
    fn prepare(&self, key: &KeyMaterial<'_>) -> Option<PreparedKey> {
        match *key {
            KeyMaterial::Secret(secret) => Some(Arc::new(hmac::Key::new(*self.0, secret))),
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
                let components = RsaPublicKeyComponents { n: modulus, e: exponent };
                Some(Arc::new(components.to_parsed_public_key(self.0).ok()?))
            }
            _ => None,
        }
    }
}

struct Encoded(&'static dyn VerificationAlgorithm);

impl Backend for Encoded {
    fn prepare(&self, key: &KeyMaterial<'_>) -> Option<PreparedKey> {
        match *key {
            KeyMaterial::Encoded(bytes) => Some(Arc::new(ParsedPublicKey::new(self.0, bytes).ok()?)),
            _ => None,
        }
    }
}

impl SignatureCheck for ParsedPublicKey {
    fn check(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verify_sig(message, signature).is_ok()
    }
}
