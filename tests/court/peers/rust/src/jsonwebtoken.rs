use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use crate::Verdict;

pub const ALGORITHMS: &[&str] =
    &["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

pub fn verify(keys: &Value, token: &str, policy: &Value) -> Option<Verdict> {
    let header = decode_header(token).ok()?;
    let set: JwkSet = serde_json::from_value(keys.clone()).ok()?;
    let jwk: &Jwk = match (&header.kid, &set.keys[..]) {
        (Some(kid), _) => set.find(kid)?,
        (None, [only]) => only,
        (None, _) => return Some(Verdict::Unsupported),
    };
    let names = policy["algorithms"].as_array()?;
    let algorithms: Vec<Algorithm> = names.iter().filter_map(|name| name.as_str()?.parse().ok()).collect();
    let mut validation = Validation::new(*algorithms.first()?);
    validation.algorithms = algorithms;
    validation.leeway = policy["leeway"].as_u64()?;
    validation.validate_nbf = true;
    validation.set_issuer(&[policy["iss"].as_str()?]);
    validation.set_audience(&[policy["aud"].as_str()?]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    decode::<Value>(token, &DecodingKey::from_jwk(jwk).ok()?, &validation).ok().map(|_| Verdict::Accept)
}
