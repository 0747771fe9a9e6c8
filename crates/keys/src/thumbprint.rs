//! JWK thumbprints with SHA-256 (RFC 7638; RFC 8037 section 2 for OKP, RFC 9964 for AKP).

use tollgate_jwt::base64url;

use crate::algorithm::{Algorithm, Curve};
use crate::backend::sha256;

pub(crate) type Thumbprint = [u8; 32];

/// A JWK of the members that its thumbprint is computed of, in their order.
#[derive(Clone)]
pub(crate) struct CanonicalJwk(Secret);

impl CanonicalJwk {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn thumbprint(&self) -> Thumbprint {
        sha256(self.0.as_bytes())
    }
}

/// Both numbers without leading zeros.
pub(crate) fn rsa(modulus: &[u8], exponent: &[u8]) -> CanonicalJwk {
    jwk(&[("e", &encode(exponent)), ("kty", "RSA"), ("n", &encode(modulus))])
}

/// Both coordinates at full length.
pub(crate) fn ec(curve: Curve, x: &[u8], y: &[u8]) -> CanonicalJwk {
    jwk(&[("crv", curve.name()), ("kty", "EC"), ("x", &encode(x)), ("y", &encode(y))])
}

pub(crate) fn ed25519(key: &[u8]) -> CanonicalJwk {
    jwk(&[("crv", "Ed25519"), ("kty", "OKP"), ("x", &encode(key))])
}

pub(crate) fn ml_dsa(algorithm: Algorithm, key: &[u8]) -> CanonicalJwk {
    jwk(&[("alg", algorithm.name()), ("kty", "AKP"), ("pub", &encode(key))])
}

/// Identifies a secret inside the process. Anyone who sees the thumbprint can test guesses (RFC 7638 section 7).
pub(crate) fn oct(secret: &[u8]) -> Thumbprint {
    jwk(&[("k", &encode(secret)), ("kty", "oct")]).thumbprint()
}

fn encode(bytes: &[u8]) -> Secret {
    Secret::new(base64url::encode(bytes))
}

/// All texts are wiped, because one of them is a secret.
type Secret = zeroize::Zeroizing<String>;

/// `members`: in lexicographic order of their names (RFC 7638 section 3.3), values that need no escape.
fn jwk(members: &[(&str, &str)]) -> CanonicalJwk {
    let length = members.iter().map(|(name, value)| name.len() + value.len() + 6).sum::<usize>() + 2;
    // Allocated at full size: reallocation would leave an unwiped copy.
    let mut json = Secret::new(String::with_capacity(length));
    for (index, (name, value)) in members.iter().enumerate() {
        json.push_str(if index == 0 { "{\"" } else { ",\"" });
        json.push_str(name);
        json.push_str("\":\"");
        json.push_str(value);
        json.push('"');
    }
    json.push('}');
    CanonicalJwk(json)
}
