use ml_dsa::{MlDsa44, MlDsa65, MlDsa87, MlDsaParams};
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pkcs8::DecodePrivateKey;
use rsa::rand_core::{CryptoRng, RngCore};
use rsa::sha2::{Digest, Sha256, Sha384, Sha512};
use rsa::traits::PublicKeyParts;
use rsa::{Pss, RsaPrivateKey};

use crate::base64::encode_url;

/// A deterministic private key with deterministic signatures.
pub(crate) struct Signer {
    pub(crate) alg: &'static str,
    secret: Secret,
}

enum Secret {
    Hmac(Vec<u8>),
    Rsa(Box<RsaPrivateKey>),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(Box<p521::ecdsa::SigningKey>),
    K256(k256::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
    MlDsa44(Box<ml_dsa::ExpandedSigningKey<MlDsa44>>),
    MlDsa65(Box<ml_dsa::ExpandedSigningKey<MlDsa65>>),
    MlDsa87(Box<ml_dsa::ExpandedSigningKey<MlDsa87>>),
}

/// Finding it by trial would take too long at every start.
const RSA_KEYS: [&str; 2] = [include_str!("../../keys/rsa2048-1.pem"), include_str!("../../keys/rsa2048-2.pem")];

impl Signer {
    /// The key of that number for `alg`; there are two RSA keys.
    pub(crate) fn new(alg: &'static str, number: usize) -> Self {
        let label = format!("tollgate oracle {alg} {number}");
        let wide = Sha512::digest(label.as_bytes());
        let narrow: [u8; 32] = wide[..32].try_into().expect("32 of 64 bytes");
        let seed = narrow.into();
        let secret = match alg {
            "HS256" | "HS384" | "HS512" => Secret::Hmac(wide.to_vec()),
            "ES256" => Secret::P256(p256::ecdsa::SigningKey::from_slice(&narrow).expect("a scalar")),
            "ES384" => Secret::P384(p384::ecdsa::SigningKey::from_slice(&wide[..48]).expect("a scalar")),
            "ES512" => {
                let scalar = [&[0, 0], &wide[..]].concat();
                Secret::P521(Box::new(p521::ecdsa::SigningKey::from_slice(&scalar).expect("a scalar")))
            }
            "ES256K" => Secret::K256(k256::ecdsa::SigningKey::from_slice(&narrow).expect("a scalar")),
            "EdDSA" | "Ed25519" => Secret::Ed25519(ed25519_dalek::SigningKey::from_bytes(&narrow)),
            "ML-DSA-44" => Secret::MlDsa44(Box::new(ml_dsa::ExpandedSigningKey::from_seed(&seed))),
            "ML-DSA-65" => Secret::MlDsa65(Box::new(ml_dsa::ExpandedSigningKey::from_seed(&seed))),
            "ML-DSA-87" => Secret::MlDsa87(Box::new(ml_dsa::ExpandedSigningKey::from_seed(&seed))),
            _ => Secret::Rsa(Box::new(RsaPrivateKey::from_pkcs8_pem(RSA_KEYS[number % 2]).expect("an RSA key"))),
        };
        Signer { alg, secret }
    }

    /// The secret of an HMAC key.
    pub(crate) fn hmac_secret(&self) -> Option<&[u8]> {
        match &self.secret {
            Secret::Hmac(secret) => Some(secret),
            _ => None,
        }
    }

    /// The public JWK, with `alg` and `kid` if requested; `None` for an HMAC key.
    pub(crate) fn jwk(&self, kid: Option<&str>, with_alg: bool) -> Option<String> {
        let members = match &self.secret {
            Secret::Hmac(_) => return None,
            Secret::Rsa(key) => {
                let [n, e] = [key.n(), key.e()].map(|number| encode_url(&number.to_bytes_be()));
                format!(r#""kty":"RSA","n":"{n}","e":"{e}""#)
            }
            Secret::P256(key) => point("P-256", key.verifying_key().to_sec1_point(false).as_bytes()),
            Secret::P384(key) => point("P-384", key.verifying_key().to_sec1_point(false).as_bytes()),
            Secret::P521(key) => point("P-521", key.verifying_key().to_sec1_point(false).as_bytes()),
            Secret::K256(key) => point("secp256k1", key.verifying_key().to_sec1_point(false).as_bytes()),
            Secret::Ed25519(key) => {
                let x = encode_url(key.verifying_key().as_bytes());
                format!(r#""kty":"OKP","crv":"Ed25519","x":"{x}""#)
            }
            Secret::MlDsa44(key) => akp(&key.verifying_key().encode()),
            Secret::MlDsa65(key) => akp(&key.verifying_key().encode()),
            Secret::MlDsa87(key) => akp(&key.verifying_key().encode()),
        };
        let kid = kid.map(|kid| format!(r#","kid":"{kid}""#)).unwrap_or_default();
        let alg = if with_alg { format!(r#","alg":"{}""#, self.alg) } else { String::new() };
        Some(format!("{{{members}{kid}{alg}}}"))
    }

    /// Signs as in JWS: an ECDSA signature is r and s.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        use ed25519_dalek::Signer as _;
        match &self.secret {
            Secret::Hmac(secret) => hmac(self.alg, secret, message),
            Secret::Rsa(key) => rsa(key, self.alg, message),
            Secret::P256(key) => p256::ecdsa::Signature::to_vec(&key.sign(message)),
            Secret::P384(key) => p384::ecdsa::Signature::to_vec(&key.sign(message)),
            Secret::P521(key) => p521::ecdsa::Signature::to_vec(&key.sign(message)),
            Secret::K256(key) => k256::ecdsa::Signature::to_vec(&key.sign(message)),
            Secret::Ed25519(key) => key.sign(message).to_vec(),
            Secret::MlDsa44(key) => ml_dsa(key, message),
            Secret::MlDsa65(key) => ml_dsa(key, message),
            Secret::MlDsa87(key) => ml_dsa(key, message),
        }
    }
}

/// The HMAC under any secret, weak ones included.
pub(crate) fn hmac(alg: &str, secret: &[u8], message: &[u8]) -> Vec<u8> {
    use hmac::{Hmac, KeyInit, Mac};
    fn mac<M: Mac + KeyInit>(secret: &[u8], message: &[u8]) -> Vec<u8> {
        let mac = <M as KeyInit>::new_from_slice(secret).expect("HMAC takes keys of any length");
        mac.chain_update(message).finalize().into_bytes().to_vec()
    }
    match alg {
        "HS384" => mac::<Hmac<sha2::Sha384>>(secret, message),
        "HS512" => mac::<Hmac<sha2::Sha512>>(secret, message),
        _ => mac::<Hmac<sha2::Sha256>>(secret, message),
    }
}

fn rsa(key: &RsaPrivateKey, alg: &str, message: &[u8]) -> Vec<u8> {
    let mut salt = Salt(message.len() as u64);
    let signature = match alg {
        "RS256" => key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message)),
        "RS384" => key.sign(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(message)),
        "RS512" => key.sign(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(message)),
        "PS256" => key.sign_with_rng(&mut salt, Pss::new_with_salt::<Sha256>(32), &Sha256::digest(message)),
        "PS384" => key.sign_with_rng(&mut salt, Pss::new_with_salt::<Sha384>(48), &Sha384::digest(message)),
        _ => key.sign_with_rng(&mut salt, Pss::new_with_salt::<Sha512>(64), &Sha512::digest(message)),
    };
    signature.expect("2048 bits are enough")
}

fn ml_dsa<P: MlDsaParams>(key: &ml_dsa::ExpandedSigningKey<P>, message: &[u8]) -> Vec<u8> {
    key.sign_deterministic(message, b"").expect("an empty context is short enough").encode().to_vec()
}

fn point(curve: &str, point: &[u8]) -> String {
    let (x, y) = point[1..].split_at(point.len() / 2);
    format!(r#""kty":"EC","crv":"{curve}","x":"{}","y":"{}""#, encode_url(x), encode_url(y))
}

fn akp(public: &[u8]) -> String {
    format!(r#""kty":"AKP","pub":"{}""#, encode_url(public))
}

/// Salts that are not random, so that a plan always makes the same token. These keys protect nothing.
struct Salt(u64);

impl RngCore for Salt {
    fn next_u32(&mut self) -> u32 {
        self.next_u64() as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 ^ self.0 >> 29
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.next_u64() as u8;
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Salt {}
