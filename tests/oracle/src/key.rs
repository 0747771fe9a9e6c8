use ed25519_dalek::VerifyingKey as Ed25519Key;
use hmac::{Hmac, KeyInit, Mac};
use ml_dsa::{MlDsa44, MlDsa65, MlDsa87, MlDsaParams};
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::sha2 as rsa_sha2;
use rsa::sha2::Digest;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, Pss, RsaPublicKey};

use crate::base64::decode_url;
use crate::json::Json;

/// A key for one algorithm.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its id.
    pub kid: Option<String>,
    /// Its algorithm.
    pub alg: String,
    /// The purposes in each JWK that holds the key; empty for a key outside JWKs.
    pub purposes: Vec<Purpose>,
    material: Material,
}

/// The purpose in a JWK.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Purpose {
    /// `use` (RFC 7517 section 4.2).
    pub key_use: Option<String>,
    /// `issuer`, as in Microsoft Entra: the issuer whose tokens the key signs.
    pub issuer: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Material {
    Secret(Vec<u8>),
    Rsa(Box<RsaPublicKey>),
    /// SEC 1 section 2.3.3, uncompressed.
    Point(Vec<u8>),
    Ed25519(Box<Ed25519Key>),
    MlDsa(Vec<u8>),
}

/// The result of a signature check.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Signature {
    Good,
    Bad,
    /// The length is wrong for the algorithm.
    WrongLength,
}

impl Key {
    /// An HMAC key.
    #[must_use]
    pub fn secret(kid: Option<String>, alg: &str, secret: &[u8]) -> Key {
        Key { kid, alg: alg.to_owned(), purposes: Vec::new(), material: Material::Secret(secret.to_vec()) }
    }

    /// The keys of a JWK set (RFC 7517 section 5). All are strong and well-formed; those whose `use` is not listed are
    /// left out. Equal keys are one key with both purposes. Of different keys with the same `kid` and `alg`, none is
    /// used.
    ///
    /// # Panics
    /// If a key is weak or malformed: the oracle judges tokens, not keys.
    #[must_use]
    pub fn read_set(jwks: &str, uses: &[&str]) -> Vec<Key> {
        let set = Json::parse(jwks.as_bytes()).expect("JSON");
        let Some(Json::Array(jwks)) = set.get("keys") else { panic!("no JWK set") };
        let all: Vec<Key> = jwks.iter().filter(|jwk| has_use(jwk, uses)).flat_map(read).collect();
        let mut keys: Vec<Key> = Vec::new();
        for key in &all {
            let has_name = |other: &&Key| other.kid == key.kid && other.alg == key.alg;
            let is_ambiguous = key.kid.is_some() && all.iter().filter(has_name).any(|other| !other.is_same(key));
            if is_ambiguous {
                continue;
            }
            match keys.iter_mut().find(|other| has_name(&&**other) && other.is_same(key)) {
                None => keys.push(key.clone()),
                Some(same) => {
                    let further = key.purposes.iter().filter(|one| !same.purposes.contains(one)).cloned();
                    let further: Vec<_> = further.collect();
                    same.purposes.extend(further);
                }
            }
        }
        keys
    }

    /// Whether `other` is the same key, under any name.
    pub(crate) fn is_same(&self, other: &Key) -> bool {
        self.material == other.material
    }

    /// Its purposes, except absent ones and plain `sig`.
    pub(crate) fn special_purposes(&self) -> &[Purpose] {
        let is_special =
            |one: &Purpose| one.issuer.is_some() || one.key_use.as_deref().is_some_and(|found| found != "sig");
        if self.purposes.iter().any(is_special) { &self.purposes } else { &[] }
    }

    /// Whether a key of this algorithm may have signatures of this length.
    pub(crate) fn may_make(alg: &str, length: usize) -> bool {
        matches!(alg, "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512") && (256..=1024).contains(&length)
    }

    /// Checks `signature` (RFC 7518 section 3, RFC 8037 section 3.1, RFC 8812 section 3.2, RFC 9964).
    pub(crate) fn check(&self, message: &[u8], signature: &[u8]) -> Signature {
        if signature.len() != self.signature_length() {
            Signature::WrongLength
        } else if self.is_good(message, signature) {
            Signature::Good
        } else {
            Signature::Bad
        }
    }

    fn signature_length(&self) -> usize {
        match (&self.material, self.alg.as_str()) {
            (Material::Rsa(key), _) => key.size(),
            (_, "HS256") => 32,
            (_, "HS384") => 48,
            (_, "HS512" | "ES256" | "ES256K" | "EdDSA" | "Ed25519") => 64,
            (_, "ES384") => 96,
            (_, "ES512") => 132,
            (_, "ML-DSA-44") => 2420,
            (_, "ML-DSA-65") => 3309,
            (_, "ML-DSA-87") => 4627,
            _ => unreachable!("{}", self.alg),
        }
    }

    fn is_good(&self, message: &[u8], signature: &[u8]) -> bool {
        match (&self.material, self.alg.as_str()) {
            (Material::Secret(secret), "HS256") => mac::<Hmac<sha2::Sha256>>(secret, message) == signature,
            (Material::Secret(secret), "HS384") => mac::<Hmac<sha2::Sha384>>(secret, message) == signature,
            (Material::Secret(secret), "HS512") => mac::<Hmac<sha2::Sha512>>(secret, message) == signature,
            (Material::Rsa(key), alg) => rsa(key, alg, message, signature),
            (Material::Point(point), alg) => ecdsa(point, alg, message, signature),
            (Material::Ed25519(key), _) => {
                // RFC 8032 section 5.1.7, without the cofactor; S must be below the order.
                let signature = ed25519_dalek::Signature::from_slice(signature);
                signature.is_ok_and(|signature| ed25519_dalek::Verifier::verify(&**key, message, &signature).is_ok())
            }
            (Material::MlDsa(key), "ML-DSA-44") => ml_dsa::<MlDsa44>(key, message, signature),
            (Material::MlDsa(key), "ML-DSA-65") => ml_dsa::<MlDsa65>(key, message, signature),
            (Material::MlDsa(key), "ML-DSA-87") => ml_dsa::<MlDsa87>(key, message, signature),
            _ => unreachable!("{}", self.alg),
        }
    }
}

/// RFC 7517 section 4.2. A null member counts as absent.
fn has_use(jwk: &Json, uses: &[&str]) -> bool {
    let is_listed = |found: &str| uses.contains(&found);
    matches!(jwk.get("use"), None | Some(Json::Null)) || jwk.get("use").and_then(Json::as_str).is_some_and(is_listed)
}

/// One JWK: a key for each of its algorithms.
fn read(jwk: &Json) -> Vec<Key> {
    let text = |name: &str| jwk.get(name).and_then(Json::as_str);
    let octets = |name: &str| decode_url(text(name).expect(name)).expect(name);
    let (material, default) = match (text("kty"), text("crv")) {
        (Some("oct"), _) => (Material::Secret(octets("k")), &[][..]),
        (Some("RSA"), _) => {
            let number = |name| BigUint::from_bytes_be(&octets(name));
            // The crate would refuse keys above its own limit of 4096 bits.
            let key = RsaPublicKey::new_with_max_size(number("n"), number("e"), 8192).expect("an RSA key");
            (Material::Rsa(Box::new(key)), &["RS256"][..])
        }
        (Some("EC"), Some(curve)) => {
            let algs = match curve {
                "P-256" => &["ES256"][..],
                "P-384" => &["ES384"],
                "P-521" => &["ES512"],
                "secp256k1" => &["ES256K"],
                _ => panic!("{curve}"),
            };
            (Material::Point([&[4], &octets("x")[..], &octets("y")].concat()), algs)
        }
        (Some("OKP"), Some("Ed25519")) => {
            let key = octets("x").try_into().expect("32 bytes");
            let key = Ed25519Key::from_bytes(&key).expect("a point");
            (Material::Ed25519(Box::new(key)), &["EdDSA", "Ed25519"][..])
        }
        (Some("AKP"), _) => (Material::MlDsa(octets("pub")), &[][..]),
        other => panic!("{other:?}"),
    };
    let algs = text("alg").map_or(default.to_vec(), |alg| vec![alg]);
    let owned = |name: &str| text(name).map(str::to_owned);
    let purposes = vec![Purpose { key_use: owned("use"), issuer: owned("issuer") }];
    let kid = owned("kid");
    let key = |alg: &str| Key {
        kid: kid.clone(),
        alg: alg.to_owned(),
        purposes: purposes.clone(),
        material: material.clone(),
    };
    algs.into_iter().map(key).collect()
}

fn mac<M: Mac + KeyInit>(secret: &[u8], message: &[u8]) -> Vec<u8> {
    let mac = <M as KeyInit>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

fn rsa(key: &RsaPublicKey, alg: &str, message: &[u8], signature: &[u8]) -> bool {
    use rsa_sha2::{Sha256, Sha384, Sha512};
    let (hash256, hash384, hash512) = (Sha256::digest(message), Sha384::digest(message), Sha512::digest(message));
    let verified = match alg {
        "RS256" => key.verify(Pkcs1v15Sign::new::<Sha256>(), &hash256, signature),
        "RS384" => key.verify(Pkcs1v15Sign::new::<Sha384>(), &hash384, signature),
        "RS512" => key.verify(Pkcs1v15Sign::new::<Sha512>(), &hash512, signature),
        "PS256" => key.verify(Pss::new_with_salt::<Sha256>(32), &hash256, signature),
        "PS384" => key.verify(Pss::new_with_salt::<Sha384>(48), &hash384, signature),
        "PS512" => key.verify(Pss::new_with_salt::<Sha512>(64), &hash512, signature),
        _ => unreachable!("{alg}"),
    };
    verified.is_ok()
}

fn ecdsa(point: &[u8], alg: &str, message: &[u8], signature: &[u8]) -> bool {
    macro_rules! verify {
        ($curve:ident) => {{
            use $curve::ecdsa::signature::Verifier;
            let key = $curve::ecdsa::VerifyingKey::from_sec1_bytes(point).expect("a point");
            let signature = $curve::ecdsa::Signature::from_slice(signature);
            // k256 requires the smaller s, as Bitcoin does; RFC 8812 section 3.2 does not.
            signature.is_ok_and(|signature| {
                key.verify(message, &signature).is_ok() || key.verify(message, &signature.normalize_s()).is_ok()
            })
        }};
    }
    match alg {
        "ES256" => verify!(p256),
        "ES384" => verify!(p384),
        "ES512" => verify!(p521),
        "ES256K" => verify!(k256),
        _ => unreachable!("{alg}"),
    }
}

/// FIPS 204 with an empty context (RFC 9964).
fn ml_dsa<P: MlDsaParams>(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = ml_dsa::VerifyingKey::<P>::decode(&key.try_into().expect("the parameter set's length"));
    ml_dsa::Signature::<P>::try_from(signature).is_ok_and(|signature| key.verify_with_context(message, b"", &signature))
}
