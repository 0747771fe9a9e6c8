//! Helpers that the tests share: one key per algorithm, and a verifier.
use std::sync::Arc;

use serde_json::Value;
use tollgate_issuer::{Minter, SigningKey, SigningKeys};
use tollgate_jwt::{CompactJws, base64url, json};
use tollgate_keys::{Algorithm, KeySet};

pub(crate) const HMAC_JWK: &str = include_str!("../keys/rfc7515-a1.jwk.json");
pub(crate) const RSA_JWK: &str = include_str!("../keys/rfc7515-a2.jwk.json");
pub(crate) const RSA_PEM: &str = include_str!("../keys/rfc7515-a2.pkcs8.pem");
pub(crate) const EC_JWK: &str = include_str!("../keys/rfc7515-a3.jwk.json");
pub(crate) const EC_PEM: &str = include_str!("../keys/rfc7515-a3.pkcs8.pem");
pub(crate) const ED25519_JWK: &str = include_str!("../keys/rfc8037-a1.jwk.json");
pub(crate) const ED25519_PEM: &str = include_str!("../keys/rfc8037-a1.pkcs8.pem");

pub(crate) const ISSUER: &str = "https://auth.example.com/";
pub(crate) const AUDIENCE: &str = "https://api.example.com";
pub(crate) const NOW: i64 = 1_700_000_000;

pub(crate) const ALGORITHMS: [Algorithm; 13] = [
    Algorithm::HS256,
    Algorithm::HS384,
    Algorithm::HS512,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
    Algorithm::Ed25519,
];

/// A key for `algorithm`: RSA from RFC 7515, the others new.
pub(crate) fn signing_key(algorithm: Algorithm) -> SigningKey {
    if is_rsa(algorithm) {
        SigningKey::from_pkcs8_pem(algorithm, RSA_PEM).unwrap()
    } else {
        SigningKey::generate(algorithm).unwrap()
    }
}

pub(crate) fn is_rsa(algorithm: Algorithm) -> bool {
    algorithm.name().starts_with("RS") || algorithm.name().starts_with("PS")
}

pub(crate) fn is_hmac(algorithm: Algorithm) -> bool {
    algorithm.name().starts_with("HS")
}

pub(crate) fn minter(key: SigningKey) -> (Minter, Arc<SigningKeys>) {
    let keys = Arc::new(SigningKeys::new(key));
    (Minter::new(ISSUER, Arc::clone(&keys)).unwrap(), keys)
}

/// Mints an ordinary token.
pub(crate) fn mint(minter: &Minter) -> String {
    minter.token().subject("user-7").audience(AUDIENCE).mint_at(NOW).unwrap()
}

pub(crate) fn verifies(set: &KeySet, token: &str) -> bool {
    let jws = CompactJws::parse(token).unwrap();
    let mut buffer = json::Buffer::default();
    let header = jws.decode_header(&mut buffer).unwrap();
    set.verify(&jws, &header, &mut Vec::new()).is_ok()
}

pub(crate) fn published(jwks: &str) -> KeySet {
    let loaded = KeySet::builder().jwks(jwks.as_bytes()).unwrap().build_with_reports();
    assert!(loaded.reports.iter().all(|report| report.refused.is_none()));
    loaded.set
}

pub(crate) fn part(token: &str, index: usize) -> Value {
    let mut bytes = Vec::new();
    base64url::decode(token.split('.').nth(index).unwrap(), &mut bytes).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

pub(crate) fn header(token: &str) -> Value {
    part(token, 0)
}

pub(crate) fn claims(token: &str) -> Value {
    part(token, 1)
}
