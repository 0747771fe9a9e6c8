//! Private JWKs: written, read back, and refused when incomplete.

use crate::support::*;
use serde_json::{Value, json};
use tollgate_issuer::{SigningKey, limits::MAX_PRIVATE_KEY_BYTES};
use tollgate_keys::Algorithm;

fn code(jwk: &Value) -> &'static str {
    SigningKey::from_jwk(&jwk.to_string()).unwrap_err().code()
}

fn parsed(jwk: &str) -> Value {
    serde_json::from_str(jwk).unwrap()
}

fn without(jwk: &str, name: &str) -> Value {
    let mut jwk = parsed(jwk);
    assert!(jwk.as_object_mut().unwrap().remove(name).is_some());
    jwk
}

fn with(jwk: &str, name: &str, value: impl Into<Value>) -> Value {
    let mut jwk = parsed(jwk);
    jwk[name] = value.into();
    jwk
}

#[test]
fn every_algorithm_survives_the_round_trip() {
    for algorithm in ALGORITHMS {
        let key = signing_key(algorithm).with_kid("my key").unwrap();
        let text = key.to_private_jwk();
        let restored = SigningKey::from_jwk(&text).unwrap();
        assert_eq!(restored.algorithm(), algorithm);
        assert_eq!(restored.kid(), "my key");
        assert_eq!(*restored.to_private_jwk(), *text);
        let signature = restored.sign(b"message").unwrap();
        assert!(key.verifying_key().verify(b"message", &signature).is_ok());
    }
}

#[test]
fn the_numbers_come_out_as_they_went_in() {
    for (text, names) in [
        (RSA_JWK, ["n", "e", "d", "p", "q", "dp", "dq", "qi"].as_slice()),
        (EC_JWK, &["crv", "x", "y", "d"]),
        (ED25519_JWK, &["crv", "x", "d"]),
        (HMAC_JWK, &["k"]),
    ] {
        let written = parsed(&SigningKey::from_jwk(text).unwrap().to_private_jwk());
        let given = parsed(text);
        for name in names {
            assert_eq!(written[name], given[name], "{name}");
        }
    }
}

#[test]
fn the_default_kid_is_the_same_for_the_same_key_in_any_form() {
    let from_jwk = SigningKey::from_jwk(RSA_JWK).unwrap();
    let from_pem = SigningKey::from_pkcs8_pem(Algorithm::PS512, RSA_PEM).unwrap();
    assert_eq!(from_jwk.kid(), from_pem.kid());
    assert_eq!(from_jwk.kid().len(), 43);
}

#[test]
fn an_algorithm_is_taken_from_alg_or_from_the_key() {
    let algorithm = |jwk: Value| SigningKey::from_jwk(&jwk.to_string()).unwrap().algorithm();
    assert_eq!(algorithm(parsed(RSA_JWK)), Algorithm::RS256);
    assert_eq!(algorithm(with(RSA_JWK, "alg", "PS384")), Algorithm::PS384);
    assert_eq!(algorithm(parsed(ED25519_JWK)), Algorithm::EdDSA);
    assert_eq!(algorithm(with(ED25519_JWK, "alg", "Ed25519")), Algorithm::Ed25519);
    assert_eq!(code(&without(HMAC_JWK, "alg")), "missing-algorithm");
    assert_eq!(code(&with(EC_JWK, "alg", "es256")), "invalid-member");
    assert_eq!(code(&with(EC_JWK, "alg", "none")), "invalid-member");
}

#[test]
fn an_algorithm_of_another_key_type_is_refused() {
    for (jwk, algorithm) in
        [(EC_JWK, "ES384"), (EC_JWK, "HS256"), (RSA_JWK, "ES256"), (ED25519_JWK, "RS256"), (HMAC_JWK, "RS256")]
    {
        assert_eq!(code(&with(jwk, "alg", algorithm)), "algorithm-mismatch", "{algorithm}");
    }
    assert_eq!(code(&with(EC_JWK, "alg", "ES512")), "unsupported-algorithm");
}

#[test]
fn every_part_of_an_rsa_key_is_needed() {
    for name in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
        let error = SigningKey::from_jwk(&without(RSA_JWK, name).to_string()).unwrap_err();
        assert_eq!(error.code(), "missing-member");
        assert!(error.to_string().ends_with(&format!(" {name}")), "{error}");
    }
    assert_eq!(code(&with(RSA_JWK, "oth", json!([]))), "invalid-member");
}

#[test]
fn every_part_of_the_other_keys_is_needed() {
    for (jwk, names) in
        [(EC_JWK, ["crv", "x", "y", "d"].as_slice()), (ED25519_JWK, &["crv", "x", "d"]), (HMAC_JWK, &["k"])]
    {
        for name in names {
            assert_eq!(code(&without(jwk, name)), "missing-member", "{name}");
        }
    }
}

#[test]
fn halves_that_do_not_belong_together_are_refused() {
    // The x, y and d of other keys.
    let ec = parsed(&SigningKey::generate(Algorithm::ES256).unwrap().to_private_jwk());
    let ed25519 = parsed(&SigningKey::generate(Algorithm::EdDSA).unwrap().to_private_jwk());
    assert_eq!(code(&with(EC_JWK, "d", ec["d"].clone())), "key-rejected");
    assert_eq!(code(&with(EC_JWK, "x", ec["x"].clone())), "key-rejected");
    assert_eq!(code(&with(ED25519_JWK, "d", ed25519["d"].clone())), "key-rejected");
    assert_eq!(code(&with(RSA_JWK, "p", parsed(RSA_JWK)["q"].clone())), "key-rejected");
}

#[test]
fn an_rsa_key_with_a_wrong_exponent_never_signs() {
    // ring notices only while it signs.
    let wrong = with(RSA_JWK, "dp", parsed(RSA_JWK)["dq"].clone());
    assert!(matches!(code(&wrong), "signing-failed" | "key-rejected"));
}

#[test]
fn malformed_members_are_refused() {
    assert_eq!(code(&with(EC_JWK, "d", "not base64url!")), "invalid-member");
    assert_eq!(code(&with(EC_JWK, "d", "AAAA")), "invalid-member");
    assert_eq!(code(&with(EC_JWK, "crv", "P-521")), "invalid-member");
    assert_eq!(code(&with(ED25519_JWK, "crv", "X25519")), "invalid-member");
    assert_eq!(code(&with(ED25519_JWK, "d", "AAAA")), "invalid-member");
    assert_eq!(code(&with(EC_JWK, "kty", "AKP")), "invalid-member");
    assert_eq!(code(&with(EC_JWK, "kty", 7)), "not-a-private-key");
}

#[test]
fn keys_for_another_purpose_are_refused() {
    assert_eq!(code(&with(EC_JWK, "use", "enc")), "not-for-signing");
    assert_eq!(code(&with(EC_JWK, "key_ops", json!(["verify"]))), "not-for-signing");
    let allowed = with(EC_JWK, "key_ops", json!(["sign", "verify"]));
    assert!(SigningKey::from_jwk(&allowed.to_string()).is_ok());
}

#[test]
fn keys_that_no_verifier_takes_are_refused() {
    assert_eq!(code(&with(HMAC_JWK, "k", "c2hvcnQ")), "key-refused");
    let error = SigningKey::from_secret(Algorithm::HS512, &[7; 63]).unwrap_err();
    assert_eq!(error.code(), "key-refused");
    assert!(SigningKey::from_secret(Algorithm::HS512, &varied::<64>()).is_ok());
    let error = SigningKey::from_secret(Algorithm::ES256, &varied::<64>()).unwrap_err();
    assert_eq!(error.code(), "algorithm-mismatch");
}

fn varied<const N: usize>() -> [u8; N] {
    std::array::from_fn(|index| (index * 37) as u8)
}

#[test]
fn what_is_no_private_jwk_is_refused() {
    for text in ["", "{}", "[]", "null", "{\"kty\":\"EC\"", "-----BEGIN PRIVATE KEY-----"] {
        let error = SigningKey::from_jwk(text).unwrap_err();
        assert_eq!(error.code(), "not-a-private-key", "{text}");
    }
    let twice = EC_JWK.replace("\"kty\":\"EC\"", "\"kty\":\"EC\",\"d\":\"AA\"");
    assert_eq!(SigningKey::from_jwk(&twice).unwrap_err().code(), "not-a-private-key");
    let escaped_twin = EC_JWK.replace("\"kty\":\"EC\"", "\"kty\":\"EC\",\"\\u0064\":\"AA\"");
    assert_eq!(SigningKey::from_jwk(&escaped_twin).unwrap_err().code(), "not-a-private-key");
    let long = with(EC_JWK, "x5c", "A".repeat(MAX_PRIVATE_KEY_BYTES));
    assert_eq!(code(&long), "private-key-too-long");
}

#[test]
fn a_kid_is_printable_and_of_bounded_length() {
    for kid in ["", "a\nb", "a\0b", &"k".repeat(257)] {
        assert_eq!(code(&with(EC_JWK, "kid", kid)), "invalid-kid");
        let key = SigningKey::from_jwk(EC_JWK).unwrap();
        assert_eq!(key.with_kid(kid).unwrap_err().code(), "invalid-kid");
    }
    let longest = "k".repeat(256);
    assert!(SigningKey::from_jwk(EC_JWK).unwrap().with_kid(&longest).is_ok());
}

#[test]
fn with_kid_names_the_verifying_key_too() {
    let key = SigningKey::from_jwk(EC_JWK).unwrap().with_kid("k1").unwrap();
    assert_eq!(key.verifying_key().kid(), Some("k1"));
    assert!(key.public_jwk().unwrap().contains(r#""kid":"k1""#));
}
