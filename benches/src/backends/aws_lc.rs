use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair, ParsedPublicKey, PqdsaKeyPair, PqdsaSigningAlgorithm,
    RsaKeyPair, RsaPublicKeyComponents, VerificationAlgorithm,
};
use tollgate::Algorithm;

use super::Check;
use super::sample::{Key, Sample};

pub(super) fn check(sample: &Sample) -> Option<Check> {
    let key = match &sample.key {
        Key::Secret(secret) => {
            let key = hmac::Key::new(hmac_algorithm(sample.algorithm)?, secret);
            return Some(Box::new(move |message, tag| hmac::verify(&key, message, tag).is_ok()));
        }
        Key::Rsa { modulus, exponent } => {
            let parameters = match sample.algorithm {
                Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
                _ => return None,
            };
            RsaPublicKeyComponents { n: modulus, e: exponent }.to_parsed_public_key(parameters).ok()?
        }
        Key::Encoded(bytes) => {
            let algorithm: &'static dyn VerificationAlgorithm = match sample.algorithm {
                Algorithm::ES256 => &signature::ECDSA_P256_SHA256_FIXED,
                Algorithm::ES384 => &signature::ECDSA_P384_SHA384_FIXED,
                Algorithm::ES512 => &signature::ECDSA_P521_SHA512_FIXED,
                Algorithm::ES256K => &signature::ECDSA_P256K1_SHA256_FIXED,
                Algorithm::EdDSA => &signature::ED25519,
                Algorithm::MlDsa44 => &signature::ML_DSA_44,
                Algorithm::MlDsa65 => &signature::ML_DSA_65,
                Algorithm::MlDsa87 => &signature::ML_DSA_87,
                _ => return None,
            };
            ParsedPublicKey::new(algorithm, bytes).ok()?
        }
    };
    Some(Box::new(move |message, signature| key.verify_sig(message, signature).is_ok()))
}

fn hmac_algorithm(algorithm: Algorithm) -> Option<hmac::Algorithm> {
    match algorithm {
        Algorithm::HS256 => Some(hmac::HMAC_SHA256),
        Algorithm::HS384 => Some(hmac::HMAC_SHA384),
        Algorithm::HS512 => Some(hmac::HMAC_SHA512),
        _ => None,
    }
}

/// Samples that only this library can sign.
pub(super) fn samples(messages: &[Vec<u8>]) -> Vec<Sample> {
    vec![
        rsa_4096(messages),
        ecdsa(Algorithm::ES512, &signature::ECDSA_P521_SHA512_FIXED_SIGNING, messages),
        ecdsa(Algorithm::ES256K, &signature::ECDSA_P256K1_SHA256_FIXED_SIGNING, messages),
        ml_dsa(Algorithm::MlDsa44, &signature::ML_DSA_44_SIGNING, messages),
        ml_dsa(Algorithm::MlDsa65, &signature::ML_DSA_65_SIGNING, messages),
        ml_dsa(Algorithm::MlDsa87, &signature::ML_DSA_87_SIGNING, messages),
    ]
}

fn rsa_4096(messages: &[Vec<u8>]) -> Sample {
    let pair = RsaKeyPair::generate(KeySize::Rsa4096).expect("a key");
    let key = Key::Rsa {
        modulus: pair.public_key().modulus().big_endian_without_leading_zero().to_vec(),
        exponent: pair.public_key().exponent().big_endian_without_leading_zero().to_vec(),
    };
    Sample::signed("RS256-4096", Algorithm::RS256, key, messages, |message| {
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).expect("a signature");
        signature
    })
}

fn ecdsa(algorithm: Algorithm, signing: &'static EcdsaSigningAlgorithm, messages: &[Vec<u8>]) -> Sample {
    let pair = EcdsaKeyPair::generate(signing).expect("a key");
    let key = Key::Encoded(pair.public_key().as_ref().to_vec());
    Sample::signed(algorithm.name(), algorithm, key, messages, |message| {
        pair.sign(&SystemRandom::new(), message).expect("a signature").as_ref().to_vec()
    })
}

fn ml_dsa(algorithm: Algorithm, signing: &'static PqdsaSigningAlgorithm, messages: &[Vec<u8>]) -> Sample {
    let pair = PqdsaKeyPair::generate(signing).expect("a key");
    let key = Key::Encoded(pair.public_key().as_ref().to_vec());
    Sample::signed(algorithm.name(), algorithm, key, messages, |message| {
        let mut signature = vec![0; signing.signature_len()];
        pair.sign(message, &mut signature).expect("a signature");
        signature
    })
}
