use ring::{hmac, signature};
use tollgate::Algorithm;
use tollgate::jwt::base64url;
use tollgate_issuer::SigningKey;

/// ring alone, with its key set up once: the lower bound of a verify.
pub enum Primitive {
    /// A public-key algorithm.
    Signature(signature::UnparsedPublicKey<Vec<u8>>),
    /// HMAC.
    Hmac(hmac::Key),
    /// RSA, from modulus and exponent.
    Rsa(signature::RsaPublicKeyComponents<Vec<u8>>),
}

impl Primitive {
    /// The verifying half of `key`.
    ///
    /// # Panics
    /// For an algorithm that is not benchmarked.
    #[must_use]
    pub fn new(key: &SigningKey) -> Self {
        let jwk: serde_json::Value = serde_json::from_str(&key.to_private_jwk()).expect("a JWK");
        let member = |name: &str| {
            let mut bytes = Vec::new();
            base64url::decode(jwk[name].as_str().expect(name), &mut bytes).expect(name);
            bytes
        };
        match key.algorithm() {
            Algorithm::HS256 => Primitive::Hmac(hmac::Key::new(hmac::HMAC_SHA256, &member("k"))),
            Algorithm::RS256 => Primitive::Rsa(signature::RsaPublicKeyComponents { n: member("n"), e: member("e") }),
            Algorithm::ES256 => {
                let point = [vec![4], member("x"), member("y")].concat();
                Primitive::Signature(signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point))
            }
            Algorithm::EdDSA => {
                Primitive::Signature(signature::UnparsedPublicKey::new(&signature::ED25519, member("x")))
            }
            other => panic!("{other} is not benchmarked"),
        }
    }

    /// Whether `signature` is valid for `message`.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Primitive::Signature(key) => key.verify(message, signature).is_ok(),
            Primitive::Hmac(key) => hmac::verify(key, message, signature).is_ok(),
            Primitive::Rsa(key) => key.verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok(),
        }
    }
}
