//! The state of a rotation as text: written, and restored in another process.

use std::sync::Arc;

use crate::support::*;
use serde_json::{Value, json};
use tollgate_issuer::{Minter, SigningKey, SigningKeys, limits::DEFAULT_OVERLAP_SECONDS};
use tollgate_keys::Algorithm;

fn rotated() -> SigningKeys {
    let keys = SigningKeys::new(signing_key(Algorithm::HS256)).with_overlap(7_200).unwrap();
    for algorithm in [Algorithm::ES256, Algorithm::RS256] {
        keys.announce(signing_key(algorithm)).unwrap();
        keys.rotate(NOW).unwrap();
    }
    keys.announce(signing_key(Algorithm::EdDSA)).unwrap();
    keys
}

fn code(state: &Value) -> &'static str {
    SigningKeys::from_private_jwks(&state.to_string()).unwrap_err().code()
}

fn state(keys: &SigningKeys) -> Value {
    serde_json::from_str(&keys.to_private_jwks()).unwrap()
}

#[test]
fn a_restored_rotation_is_the_same() {
    let keys = rotated();
    let restored = SigningKeys::from_private_jwks(&keys.to_private_jwks()).unwrap();
    assert_eq!(restored.jwks(), keys.jwks());
    assert_eq!(restored.overlap(), 7_200);
    assert_eq!(restored.next_retirement(), Some(NOW + 7_200));
    assert_eq!(restored.signing_key().kid(), keys.signing_key().kid());
    assert_eq!(*restored.to_private_jwks(), *keys.to_private_jwks());
}

#[test]
fn a_restored_rotation_goes_on() {
    let keys = Arc::new(rotated());
    let old = mint(&Minter::new(ISSUER, keys.clone()).unwrap());
    let restored = SigningKeys::from_private_jwks(&keys.to_private_jwks()).unwrap();
    assert_eq!(restored.rotate(NOW + 60).unwrap(), NOW + 7_260);
    assert!(verifies(&restored.key_set(), &old));
    assert_eq!(restored.prune(NOW + 7_200), 2);
    assert!(verifies(&restored.key_set(), &old));
    assert_eq!(restored.prune(NOW + 7_260), 1);
    assert!(!verifies(&restored.key_set(), &old));
}

#[test]
fn a_plain_private_jwks_of_one_key_signs() {
    let keys = SigningKeys::from_private_jwks(&format!("{{\"keys\":[{EC_JWK}]}}")).unwrap();
    assert_eq!(keys.signing_key().algorithm(), Algorithm::ES256);
    assert_eq!(keys.overlap(), DEFAULT_OVERLAP_SECONDS);
}

#[test]
fn each_entry_is_a_private_jwk_of_its_own() {
    for entry in state(&rotated())["keys"].as_array().unwrap() {
        assert!(SigningKey::from_jwk(&entry.to_string()).is_ok());
    }
}

#[test]
fn exactly_one_key_signs() {
    let mut none = state(&rotated());
    none["keys"][0]["tollgate_state"] = json!("announced");
    assert_eq!(code(&none), "not-a-private-key");
    let mut two = state(&rotated());
    two["keys"][1]["tollgate_state"] = json!("signing");
    assert_eq!(code(&two), "not-a-private-key");
    assert_eq!(code(&json!({"keys": []})), "not-a-private-key");
}

#[test]
fn at_most_one_key_is_announced() {
    let mut two = state(&rotated());
    two["keys"][2]["tollgate_state"] = json!("announced");
    assert_eq!(code(&two), "already-announced");
}

#[test]
fn a_retired_key_needs_its_time() {
    for time in [Value::Null, json!(-1), json!(i64::MAX)] {
        let mut state = state(&rotated());
        state["keys"][2]["tollgate_retires_at"] = time;
        assert_eq!(code(&state), "invalid-member");
    }
}

#[test]
fn doubled_keys_and_impossible_overlaps_are_refused() {
    let mut doubled = state(&rotated());
    let again = doubled["keys"][2].clone();
    doubled["keys"].as_array_mut().unwrap().push(again);
    assert_eq!(code(&doubled), "duplicate-key");
    let mut overlap = state(&rotated());
    overlap["tollgate_overlap"] = json!(-1);
    assert_eq!(code(&overlap), "invalid-overlap");
}

#[test]
fn what_is_no_private_jwks_is_refused() {
    for text in ["", "[]", "{}", EC_JWK, "{\"keys\":7}", "{\"keys\":[7]}"] {
        let error = SigningKeys::from_private_jwks(text).unwrap_err();
        assert_eq!(error.code(), "not-a-private-key", "{text}");
    }
}
