//! The state of a rotation as text: written, and restored in another process.

use std::sync::Arc;

use crate::support::*;
use serde_json::{Value, json};
use tollgate_issuer::{KeyRole, Minter, SigningKey, SigningKeys, limits::DEFAULT_OVERLAP_SECONDS};
use tollgate_keys::Algorithm;

fn rotated() -> SigningKeys {
    let keys = SigningKeys::new(signing_key(Algorithm::HS256)).with_overlap(7_200).unwrap();
    for algorithm in [Algorithm::ES256, Algorithm::RS256] {
        keys.announce(signing_key(algorithm), NOW).unwrap();
        keys.rotate(NOW).unwrap();
    }
    keys.announce(signing_key(Algorithm::EdDSA), NOW).unwrap();
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
    two["keys"][2]["tollgate_since"] = json!(NOW);
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
fn an_announced_key_needs_its_time_and_a_signing_one_may_have_it() {
    for time in [Value::Null, json!(-1), json!(i64::MAX)] {
        let mut state = state(&rotated());
        state["keys"][1]["tollgate_since"] = time;
        assert_eq!(code(&state), "invalid-member");
    }
    let mut signing = state(&rotated());
    signing["keys"][0]["tollgate_since"] = json!(-1);
    assert_eq!(code(&signing), "invalid-member");
    signing["keys"][0]["tollgate_since"] = Value::Null;
    let keys = SigningKeys::from_private_jwks(&signing.to_string()).unwrap();
    assert_eq!(keys.published()[0].role, KeyRole::Signing { since: None });
}

#[test]
fn a_rotation_elsewhere_is_applied_to_keys_in_use() {
    let keys = Arc::new(rotated());
    let (ring, minter) = (keys.key_ring(), Minter::new(ISSUER, keys.clone()).unwrap());
    let (old, overlap) = (mint(&minter), keys.overlap());
    let elsewhere = SigningKeys::from_private_jwks(&keys.to_private_jwks()).unwrap().with_overlap(60).unwrap();
    elsewhere.rotate(NOW + 1).unwrap();
    keys.replace_by_private_jwks(&elsewhere.to_private_jwks()).unwrap();
    let new = mint(&minter);
    assert_eq!(keys.signing_key().kid(), elsewhere.signing_key().kid());
    assert!(verifies(&ring.load(), &old) && verifies(&ring.load(), &new));
    assert_eq!(keys.overlap(), overlap, "that of the process stays");
    assert_eq!(keys.replace_by_private_jwks("{}").unwrap_err().code(), "not-a-private-key");
    assert_eq!(keys.jwks(), elsewhere.jwks(), "nothing has changed");
}

#[test]
fn published_keys_have_their_roles() {
    let keys = SigningKeys::new(signing_key(Algorithm::ES256)).with_overlap(60).unwrap();
    let roles = |keys: &SigningKeys| -> Vec<KeyRole> { keys.published().iter().map(|key| key.role).collect() };
    assert_eq!(roles(&keys), [KeyRole::Signing { since: None }]);
    let keys = keys.with_signing_since(NOW).unwrap();
    keys.announce(signing_key(Algorithm::EdDSA), NOW + 5).unwrap();
    assert_eq!(roles(&keys), [KeyRole::Signing { since: Some(NOW) }, KeyRole::Announced { since: NOW + 5 }]);
    keys.rotate(NOW + 9).unwrap();
    assert_eq!(roles(&keys), [KeyRole::Signing { since: Some(NOW + 9) }, KeyRole::Retired { until: NOW + 69 }]);
    let restored = SigningKeys::from_private_jwks(&keys.to_private_jwks()).unwrap();
    assert_eq!(roles(&restored), roles(&keys));
    assert_eq!(keys.announce(signing_key(Algorithm::ES384), -1).unwrap_err().code(), "invalid-time");
    assert_eq!(keys.with_signing_since(-1).unwrap_err().code(), "invalid-time");
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
