//! Reads one JWK (RFC 7517 section 4) into a vetted key.

use tollgate_jwt::json::{Object, Value};
use tollgate_jwt::{CertificateNames, base64url};
use zeroize::Zeroizing;

use crate::algorithm::{Algorithm, Curve, KeyType};
use crate::hmac_key::HmacKey;
use crate::key_purpose::KeyPurpose;
use crate::key_refused::KeyRefused;
use crate::key_uses::SIGNATURE;
use crate::limits::MAX_KEY_ID_BYTES;
use crate::public_key::PublicKey;
use crate::thumbprint::Thumbprint;

/// A parsed JWK. A member that is null is absent. Members that embed further keys or certificates (`x5c`, `x5u`) are
/// ignored; `x5t` and `x5t#S256` are used as names only.
pub(crate) struct Jwk {
    pub(crate) kid: Option<String>,
    pub(crate) kty: String,
    pub(crate) key_type: Option<KeyType>,
    /// The algorithm that `alg` names.
    pub(crate) algorithm: Option<Algorithm>,
    /// The key's purpose, which is judged when the options are known.
    pub(crate) purpose: KeyPurpose,
    /// Whether an asymmetric key came with its private part, which is not read.
    pub(crate) private: bool,
    /// The public key's thumbprint, also if the key is refused for its purpose.
    pub(crate) thumbprint: Option<Thumbprint>,
    pub(crate) key: Result<JwkKey, KeyRefused>,
}

pub(crate) enum JwkKey {
    Public(PublicKey),
    Hmac(HmacKey),
    /// A secret without an `alg`.
    Secret(Zeroizing<Vec<u8>>),
}

impl Jwk {
    /// Whether `object` is meant to be a JWK: `kty` is the one member that every JWK has.
    pub(crate) fn is_one(object: &Object<'_, '_>) -> bool {
        present(object, "kty").is_some()
    }

    pub(crate) fn read(jwk: &Object<'_, '_>) -> Self {
        let text = |member| present(jwk, member).and_then(|value| value.as_str());
        let name = |member| text(member).filter(|name| name.len() <= MAX_KEY_ID_BYTES).map(Box::from);
        let kty = text("kty").unwrap_or_default();
        let key_type = KeyType::from_name(kty);
        let is_asymmetric = key_type.is_some_and(|key_type| key_type != KeyType::Oct);
        let algorithm = text("alg").and_then(Algorithm::from_name);
        let key = read_key(jwk, algorithm);
        let thumbprint = match &key {
            Ok(JwkKey::Public(key)) => Some(*key.thumbprint()),
            Ok(JwkKey::Hmac(_) | JwkKey::Secret(_)) | Err(_) => None,
        };
        Jwk {
            kid: text("kid").map(str::to_owned),
            kty: kty.to_owned(),
            key_type,
            algorithm,
            purpose: KeyPurpose {
                key_use: text("use").map(Box::from),
                issuer: text("issuer").map(Box::from),
                certificate: CertificateNames { x5t: name("x5t"), x5t_sha256: name("x5t#S256") },
            },
            private: is_asymmetric && PRIVATE_MEMBERS.iter().any(|member| present(jwk, member).is_some()),
            thumbprint,
            key: vet_members(jwk).and(key).and_then(|key| vet_algorithm(key, algorithm)),
        }
    }

    /// Reads a public key for `algorithm` that a sender transmits with its signature.
    pub(crate) fn read_public(jwk: &Object<'_, '_>, algorithm: Algorithm) -> Result<PublicKey, KeyRefused> {
        // A null member is refused too: there is no reason to send it.
        if PRIVATE_MEMBERS.iter().any(|member| jwk.get(member).is_some()) {
            return Err(KeyRefused::PrivateKey);
        }
        let jwk = Self::read(jwk);
        if let Some(found) = jwk.purpose.key_use.filter(|key_use| &**key_use != SIGNATURE) {
            return Err(KeyRefused::UseIsNotSignature { found });
        }
        match jwk.key? {
            JwkKey::Public(key) if key.admits(algorithm) && jwk.algorithm.is_none_or(|own| own == algorithm) => Ok(key),
            _ => Err(KeyRefused::AlgorithmContradictsKey { algorithm }),
        }
    }

    /// The result for an element of a key set that is not an object.
    pub(crate) fn not_an_object() -> Self {
        let key = Err(KeyRefused::MalformedMember { member: "keys", expected: "an array of objects" });
        let (kty, purpose) = (String::new(), KeyPurpose::default());
        Jwk { kid: None, kty, key_type: None, algorithm: None, purpose, private: false, thumbprint: None, key }
    }
}

/// The private members of RFC 7518 sections 6.2.2 and 6.3.2, RFC 8037 section 2 and RFC 9964, and `k`, which asymmetric
/// keys do not have.
const PRIVATE_MEMBERS: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "priv", "k"];

/// Reads the key itself, for any purpose. `algorithm`: the one that `alg` names, if known.
fn read_key(jwk: &Object<'_, '_>, algorithm: Option<Algorithm>) -> Result<JwkKey, KeyRefused> {
    let kty = required(jwk, "kty")?;
    match KeyType::from_name(kty).ok_or_else(|| KeyRefused::unsupported_key_type(kty))? {
        KeyType::Oct => match (octets(jwk, "k")?, algorithm) {
            (secret, Some(algorithm)) => HmacKey::new(algorithm, &secret).map(JwkKey::Hmac),
            (secret, None) => Ok(JwkKey::Secret(secret)),
        },
        KeyType::Rsa => PublicKey::rsa(&octets(jwk, "n")?, &octets(jwk, "e")?).map(JwkKey::Public),
        KeyType::Ec => {
            let crv = required(jwk, "crv")?;
            let curve = Curve::from_name(crv).ok_or_else(|| KeyRefused::unsupported_curve(crv))?;
            let (x, y) = (octets(jwk, "x")?, octets(jwk, "y")?);
            if x.len() != y.len() {
                return Err(KeyRefused::EcCoordinateLength);
            }
            PublicKey::ec(curve, &[&[4], &x[..], &y[..]].concat()).map(JwkKey::Public)
        }
        KeyType::Okp => match required(jwk, "crv")? {
            "Ed25519" => PublicKey::ed25519(&octets(jwk, "x")?).map(JwkKey::Public),
            crv => Err(KeyRefused::unsupported_curve(crv)),
        },
        KeyType::Akp => {
            let algorithm = algorithm.ok_or(KeyRefused::MissingAlgorithm)?;
            PublicKey::ml_dsa(algorithm, &octets(jwk, "pub")?).map(JwkKey::Public)
        }
    }
}

/// Checks the members other than the key itself: type, name, purpose, issuer and algorithm.
fn vet_members(jwk: &Object<'_, '_>) -> Result<(), KeyRefused> {
    let kty = required(jwk, "kty")?;
    let key_type = KeyType::from_name(kty).ok_or_else(|| KeyRefused::unsupported_key_type(kty))?;
    optional(jwk, "kid")?;
    vet_purpose(jwk)?;
    optional(jwk, "issuer")?;
    let Some(alg) = optional(jwk, "alg")? else {
        return Ok(());
    };
    match Algorithm::from_name(alg) {
        None => Err(KeyRefused::unsupported_algorithm(alg)),
        Some(algorithm) if algorithm.key_type() != key_type => Err(KeyRefused::AlgorithmContradictsKey { algorithm }),
        Some(_) => Ok(()),
    }
}

fn vet_algorithm(key: JwkKey, algorithm: Option<Algorithm>) -> Result<JwkKey, KeyRefused> {
    match (&key, algorithm) {
        (JwkKey::Public(public), Some(algorithm)) if !public.admits(algorithm) => {
            Err(KeyRefused::AlgorithmContradictsKey { algorithm })
        }
        _ => Ok(key),
    }
}

/// If `key_ops` (RFC 7517 section 4.3) is present, it must contain `verify`. If `use` is present too, `key_ops` must
/// contain signature operations only. An empty `key_ops` allows nothing.
fn vet_purpose(jwk: &Object<'_, '_>) -> Result<(), KeyRefused> {
    let public_key_use = optional(jwk, "use")?;
    let Some(key_ops) = present(jwk, "key_ops") else {
        return Ok(());
    };
    let malformed = || KeyRefused::MalformedMember { member: "key_ops", expected: "an array of strings" };
    let operations = key_ops.as_array().ok_or_else(malformed)?;
    let operations = operations.iter().map(|operation| operation.as_str()).collect::<Option<Vec<_>>>();
    let mut operations = operations.ok_or_else(malformed)?;
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

/// Decodes a base64url member. The value may be a secret, so it is wiped.
fn octets(jwk: &Object<'_, '_>, member: &'static str) -> Result<Zeroizing<Vec<u8>>, KeyRefused> {
    let text = required(jwk, member)?;
    // Allocated at full size: reallocation would leave an unwiped copy.
    let mut octets = Zeroizing::new(Vec::with_capacity(text.len()));
    let expected = "canonical base64url without padding";
    base64url::decode(text, &mut octets).map_err(|_| KeyRefused::MalformedMember { member, expected })?;
    Ok(octets)
}

fn required<'s>(jwk: &Object<'_, 's>, member: &'static str) -> Result<&'s str, KeyRefused> {
    optional(jwk, member)?.ok_or(KeyRefused::MissingMember { member })
}

/// Returns an optional member that must be a string.
fn optional<'s>(jwk: &Object<'_, 's>, member: &'static str) -> Result<Option<&'s str>, KeyRefused> {
    match present(jwk, member) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(KeyRefused::MalformedMember { member, expected: "a string" }),
    }
}

/// Returns a member that is present. Some providers write null for an absent one.
fn present<'a, 's>(jwk: &Object<'a, 's>, member: &str) -> Option<Value<'a, 's>> {
    jwk.get(member).filter(|value| !matches!(value, Value::Null))
}
