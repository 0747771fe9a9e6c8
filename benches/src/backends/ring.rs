use ring::hmac;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};
use tollgate::Algorithm;

use super::Check;
use super::sample::{Key, Sample};

pub(super) fn check(sample: &Sample) -> Option<Check> {
    match &sample.key {
        Key::Secret(secret) => {
            let key = hmac::Key::new(hmac_algorithm(sample.algorithm)?, secret);
            Some(Box::new(move |message, tag| hmac::verify(&key, message, tag).is_ok()))
        }
        Key::Rsa { modulus, exponent } => {
            let parameters = match sample.algorithm {
                Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
                _ => return None,
            };
            let key = RsaPublicKeyComponents { n: modulus.clone(), e: exponent.clone() };
            Some(Box::new(move |message, signature| key.verify(parameters, message, signature).is_ok()))
        }
        Key::Encoded(bytes) => {
            let algorithm: &dyn VerificationAlgorithm = match sample.algorithm {
                Algorithm::ES256 => &signature::ECDSA_P256_SHA256_FIXED,
                Algorithm::ES384 => &signature::ECDSA_P384_SHA384_FIXED,
                Algorithm::EdDSA => &signature::ED25519,
                _ => return None,
            };
            let key = UnparsedPublicKey::new(algorithm, bytes.clone());
            Some(Box::new(move |message, signature| key.verify(message, signature).is_ok()))
        }
    }
}

fn hmac_algorithm(algorithm: Algorithm) -> Option<hmac::Algorithm> {
    match algorithm {
        Algorithm::HS256 => Some(hmac::HMAC_SHA256),
        Algorithm::HS384 => Some(hmac::HMAC_SHA384),
        Algorithm::HS512 => Some(hmac::HMAC_SHA512),
        _ => None,
    }
}
