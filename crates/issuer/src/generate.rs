//! Generates private keys with the system's random number generator.

use ring::{
    rand::{SecureRandom, SystemRandom},
    signature::{ED25519_PUBLIC_KEY_LEN, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use tollgate_keys::Algorithm;
use zeroize::Zeroizing;

use crate::{
    error::IssuerError,
    material::Material,
    pkcs8,
    scheme::{Curve, Scheme},
};

/// Generates a private key for `algorithm`.
pub(crate) fn generate(algorithm: Algorithm) -> Result<Material, IssuerError> {
    let random = SystemRandom::new();
    match Scheme::of(algorithm)? {
        // RFC 7518 section 3.2: at least as long as the hash's output.
        Scheme::Hmac(digest) => {
            let secret = random_bytes(&random, digest.digest_algorithm().output_len())?;
            Ok(Material::Oct { secret })
        }
        Scheme::Rsa(_) => rsa(algorithm),
        Scheme::Ecdsa(curve) => ecdsa(curve, &random),
        Scheme::Ed25519 => {
            let seed = random_bytes(&random, ED25519_PUBLIC_KEY_LEN)?;
            let pair =
                Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|rejected| IssuerError::KeyRejected { rejected })?;
            Ok(Material::Okp { seed, public: pair.public_key().as_ref().to_vec() })
        }
    }
}

fn random_bytes(random: &SystemRandom, length: usize) -> Result<Zeroizing<Vec<u8>>, IssuerError> {
    let mut bytes = Zeroizing::new(vec![0; length]);
    random.fill(&mut bytes).map_err(|_| IssuerError::SigningFailed)?;
    Ok(bytes)
}

/// ring returns a new EC key only as PKCS#8, and does not wipe that document: a copy stays on the stack.
fn ecdsa(curve: &Curve, random: &SystemRandom) -> Result<Material, IssuerError> {
    let document = EcdsaKeyPair::generate_pkcs8(curve.signing, random).map_err(|_| IssuerError::SigningFailed)?;
    pkcs8::from_der(document.as_ref())
}

#[cfg(feature = "aws-lc-rs")]
fn rsa(_algorithm: Algorithm) -> Result<Material, IssuerError> {
    use aws_lc_rs::{
        encoding::{AsDer, Pkcs8V1Der},
        rsa::{KeyPair, KeySize},
    };

    // The tests compare GENERATED_RSA_BITS with this size.
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| IssuerError::SigningFailed)?;
    let document: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| IssuerError::SigningFailed)?;
    pkcs8::from_der(document.as_ref())
}

#[cfg(not(feature = "aws-lc-rs"))]
fn rsa(algorithm: Algorithm) -> Result<Material, IssuerError> {
    Err(IssuerError::RsaGenerationUnavailable { algorithm })
}
