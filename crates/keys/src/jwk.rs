//! One JWK (RFC 7517 section 4) to a vetted key.

use tollgate_jwt::base64url;
use tollgate_jwt::json::{Object, Value};
use zeroize::Zeroizing;

use crate::algorithm::{Algorithm, Curve, KeyType};
use crate::hmac_key::HmacKey;
use crate::key_refused::KeyRefused;
use crate::public_key::PublicKey;

/// A JWK, read. What embeds further keys or certificates (`x5c`, `x5t`, `x5u`, `x5t#S256`) is not looked at.
pub(crate) struct Jwk {
    pub(crate) kid: Option<String>,
    pub(crate) kty: String,
    pub(crate) key_type: Option<KeyType>,
    /// What `alg` names.
    pub(crate) algorithm: Option<Algorithm>,
    /// Whether an asymmetric key came with its private part, which is not read.
    pub(crate) private: bool,
    pub(crate) key: Result<JwkKey, KeyRefused>,
}

pub(crate) enum JwkKey {
    Public(PublicKey),
    Hmac(HmacKey),
}

impl Jwk {
    pub(crate) fn read(jwk: &Object<'_, '_>) -> Self {
        let kty = jwk.get("kty").and_then(|kty| kty.as_str()).unwrap_or_default();
        let key_type = KeyType::from_name(kty);
        let asymmetric = key_type.is_some_and(|key_type| key_type != KeyType::Oct);
        Jwk {
            kid: jwk.get("kid").and_then(|kid| kid.as_str()).map(str::to_owned),
            kty: kty.to_owned(),
            key_type,
            algorithm: jwk.get("alg").and_then(|alg| alg.as_str()).and_then(Algorithm::from_name),
            private: asymmetric && PRIVATE_MEMBERS.iter().any(|name| jwk.get(name).is_some()),
            key: read_key(jwk),
        }
    }

    /// An element of a key set that is not even an object.
    pub(crate) fn not_an_object() -> Self {
        let key = Err(KeyRefused::MalformedMember { member: "keys" });
        Jwk { kid: None, kty: String::new(), key_type: None, algorithm: None, private: false, key }
    }
}

/// RFC 7518 sections 6.2.2 and 6.3.2, RFC 8037 section 2, RFC 9964, and `k`, which has no place in these.
const PRIVATE_MEMBERS: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "priv", "k"];

fn read_key(jwk: &Object<'_, '_>) -> Result<JwkKey, KeyRefused> {
    let key_type = KeyType::from_name(required(jwk, "kty")?).ok_or(KeyRefused::UnsupportedKeyType)?;
    optional(jwk, "kid")?;
    vet_purpose(jwk)?;
    let algorithm = match optional(jwk, "alg")? {
        Some(name) => Some(Algorithm::from_name(name).ok_or(KeyRefused::UnsupportedAlgorithm)?),
        None => None,
    };
    if let Some(algorithm) = algorithm.filter(|algorithm| algorithm.key_type() != key_type) {
        return Err(KeyRefused::AlgorithmContradictsKey { algorithm });
    }
    let key = match key_type {
        KeyType::Oct => {
            let algorithm = algorithm.ok_or(KeyRefused::MissingAlgorithm)?;
            return HmacKey::new(algorithm, &octets(jwk, "k")?).map(JwkKey::Hmac);
        }
        KeyType::Rsa => PublicKey::rsa(&octets(jwk, "n")?, &octets(jwk, "e")?)?,
        KeyType::Ec => {
            let curve = Curve::from_name(required(jwk, "crv")?).ok_or(KeyRefused::UnsupportedCurve)?;
            let (x, y) = (octets(jwk, "x")?, octets(jwk, "y")?);
            if x.len() != y.len() {
                return Err(KeyRefused::EcCoordinateLength);
            }
            PublicKey::ec(curve, &[&[4], &x[..], &y[..]].concat())?
        }
        KeyType::Okp => match required(jwk, "crv")? {
            "Ed25519" => PublicKey::ed25519(&octets(jwk, "x")?)?,
            _ => return Err(KeyRefused::UnsupportedCurve),
        },
        KeyType::Akp => {
            let algorithm = algorithm.ok_or(KeyRefused::MissingAlgorithm)?;
            PublicKey::ml_dsa(algorithm, &octets(jwk, "pub")?)?
        }
    };
    match algorithm {
        Some(algorithm) if !key.admits(algorithm) => Err(KeyRefused::AlgorithmContradictsKey { algorithm }),
        _ => Ok(JwkKey::Public(key)),
    }
}

/// `use` and `key_ops` (RFC 7517 sections 4.2 and 4.3): where they are there, they have to allow verifying.
fn vet_purpose(jwk: &Object<'_, '_>) -> Result<(), KeyRefused> {
    let public_key_use = optional(jwk, "use")?;
    if public_key_use.is_some_and(|public_key_use| public_key_use != "sig") {
        return Err(KeyRefused::UseIsNotSignature);
    }
    let Some(key_ops) = jwk.get("key_ops") else {
        return Ok(());
    };
    let malformed = KeyRefused::MalformedMember { member: "key_ops" };
    let operations = key_ops.as_array().ok_or(malformed.clone())?;
    let operations = operations.iter().map(|operation| operation.as_str()).collect::<Option<Vec<_>>>();
    let mut operations = operations.ok_or(malformed)?;
    if !operations.contains(&"verify") {
        return Err(KeyRefused::KeyOpsWithoutVerify);
    }
    let contradicts_use =
        public_key_use.is_some() && operations.iter().any(|operation| !matches!(*operation, "sign" | "verify"));
    operations.sort_unstable();
    if contradicts_use || operations.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(KeyRefused::KeyOpsContradictory);
    }
    Ok(())
}

/// A member in base64url. It may be a secret, so it is wiped.
fn octets(jwk: &Object<'_, '_>, member: &'static str) -> Result<Zeroizing<Vec<u8>>, KeyRefused> {
    let text = required(jwk, member)?;
    // At full size from the start: what a reallocation left behind would not be wiped.
    let mut octets = Zeroizing::new(Vec::with_capacity(text.len()));
    base64url::decode(text, &mut octets).map_err(|_| KeyRefused::MalformedMember { member })?;
    Ok(octets)
}

fn required<'s>(jwk: &Object<'_, 's>, member: &'static str) -> Result<&'s str, KeyRefused> {
    optional(jwk, member)?.ok_or(KeyRefused::MissingMember { member })
}

/// A member that is a string, if it is there. `null` is not a string.
fn optional<'s>(jwk: &Object<'_, 's>, member: &'static str) -> Result<Option<&'s str>, KeyRefused> {
    match jwk.get(member) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(KeyRefused::MalformedMember { member }),
    }
}
