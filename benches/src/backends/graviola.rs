use graviola::hashing::hmac::Hmac;
use graviola::hashing::{Hash, Sha256, Sha384, Sha512};
use graviola::signing::ecdsa::{Curve, P256, P384, VerifyingKey};
use graviola::signing::eddsa::Ed25519VerifyingKey;
use graviola::signing::rsa;
use tollgate::Algorithm;

use super::Check;
use super::sample::{Key, Sample};

pub(super) fn check(sample: &Sample) -> Option<Check> {
    match &sample.key {
        Key::Secret(secret) => match sample.algorithm {
            Algorithm::HS256 => Some(hmac::<Sha256>(secret)),
            Algorithm::HS384 => Some(hmac::<Sha384>(secret)),
            Algorithm::HS512 => Some(hmac::<Sha512>(secret)),
            _ => None,
        },
        Key::Rsa { modulus, exponent } => {
            // graviola refuses exponents above 32 bits.
            let key = rsa::VerifyingKey::from_pkcs1_der(&pkcs1(modulus, exponent)).ok()?;
            match sample.algorithm {
                Algorithm::RS256 => {
                    Some(Box::new(move |message, signature| key.verify_pkcs1_sha256(signature, message).is_ok()))
                }
                Algorithm::PS256 => {
                    Some(Box::new(move |message, signature| key.verify_pss_sha256(signature, message).is_ok()))
                }
                _ => None,
            }
        }
        Key::Encoded(bytes) => match sample.algorithm {
            Algorithm::ES256 => ecdsa::<P256, Sha256>(bytes),
            Algorithm::ES384 => ecdsa::<P384, Sha384>(bytes),
            Algorithm::EdDSA => {
                let key = Ed25519VerifyingKey::from_bytes(bytes).ok()?;
                Some(Box::new(move |message, signature| key.verify(signature, message).is_ok()))
            }
            _ => None,
        },
    }
}

fn hmac<H: Hash + Clone + 'static>(secret: &[u8]) -> Check {
    let key = Hmac::<H>::new(secret);
    Box::new(move |message, tag| {
        let mut hmac = key.clone();
        hmac.update(message);
        hmac.verify(tag).is_ok()
    })
}

fn ecdsa<C: Curve + 'static, H: Hash + 'static>(point: &[u8]) -> Option<Check> {
    let key = VerifyingKey::<C>::from_x962_uncompressed(point).ok()?;
    Some(Box::new(move |message, signature| key.verify::<H>(&[message], signature).is_ok()))
}

/// An RSAPublicKey (RFC 8017 appendix A.1.1).
fn pkcs1(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    tagged(0x30, &[integer(modulus), integer(exponent)].concat())
}

fn integer(number: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if number[0] < 0x80 { &[] } else { &[0] };
    tagged(2, &[sign, number].concat())
}

fn tagged(tag: u8, value: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(value.len()).expect("short").to_be_bytes();
    let length: &[u8] = match value.len() {
        0..128 => &[low],
        128..256 => &[0x81, low],
        _ => &[0x82, high, low],
    };
    [&[tag], length, value].concat()
}
