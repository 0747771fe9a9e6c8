//! The published JWKS: public members only, ever.

use crate::support::*;
use proptest::prelude::*;
use serde_json::Value;
use tollgate_issuer::{SigningKey, SigningKeys};
use tollgate_keys::Algorithm;

/// RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1, RFC 8037 section 2.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "k", "oth"];

fn published_keys(keys: &SigningKeys) -> Vec<Value> {
    let jwks: Value = serde_json::from_str(&keys.jwks()).unwrap();
    assert_eq!(jwks.as_object().unwrap().keys().collect::<Vec<_>>(), ["keys"]);
    jwks["keys"].as_array().unwrap().clone()
}

fn members(jwk: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[test]
fn each_key_type_publishes_exactly_its_public_members() {
    let expected = |algorithm: Algorithm| -> &[&str] {
        match algorithm {
            algorithm if is_rsa(algorithm) => &["alg", "e", "kid", "kty", "n", "use"],
            Algorithm::EdDSA | Algorithm::Ed25519 => &["alg", "crv", "kid", "kty", "use", "x"],
            _ => &["alg", "crv", "kid", "kty", "use", "x", "y"],
        }
    };
    for algorithm in ALGORITHMS.into_iter().filter(|algorithm| !is_hmac(*algorithm)) {
        let keys = SigningKeys::new(signing_key(algorithm));
        let published = published_keys(&keys);
        let [jwk] = published.as_slice() else { panic!("one key") };
        assert_eq!(members(jwk), expected(algorithm), "{algorithm:?}");
        assert_eq!(jwk["alg"], algorithm.name());
        assert_eq!(jwk["use"], "sig");
        assert_eq!(jwk["kid"], keys.signing_key().kid());
    }
}

#[test]
fn hmac_keys_are_never_published() {
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        let key = signing_key(algorithm);
        assert!(key.public_jwk().is_none());
        let keys = SigningKeys::new(key);
        assert_eq!(&*keys.jwks(), r#"{"keys":[]}"#);
        assert_eq!(keys.key_set().len(), 1);
    }
}

#[test]
fn the_text_is_made_once_a_step() {
    let keys = SigningKeys::new(signing_key(Algorithm::ES256));
    assert!(std::ptr::eq(&*keys.jwks(), &*keys.jwks()));
    let before = keys.jwks();
    keys.announce(signing_key(Algorithm::ES256), NOW).unwrap();
    assert_ne!(keys.jwks(), before);
}

#[test]
fn a_kid_with_quotes_stays_one_json_string() {
    let kid = r#"a"b\c<é>"#;
    let key = signing_key(Algorithm::ES256).with_kid(kid).unwrap();
    let (minter, keys) = minter(key);
    assert_eq!(published_keys(&keys)[0]["kid"], kid);
    let token = mint(&minter);
    assert_eq!(header(&token)["kid"], kid);
    assert!(verifies(&published(&keys.jwks()), &token));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Announce(Algorithm),
    Rotate,
    Prune,
    WithdrawLast,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::sample::select(ALGORITHMS.to_vec()).prop_map(Step::Announce),
        4 => Just(Step::Rotate),
        1 => Just(Step::Prune),
        1 => Just(Step::WithdrawLast),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_rotation_publishes_a_private_member(steps in prop::collection::vec(step(), 0..12)) {
        let keys = SigningKeys::new(signing_key(Algorithm::ES256)).with_overlap(2).unwrap();
        let mut secrets = secrets_of(&keys.signing_key().to_private_jwk());
        for (now, step) in (NOW..).zip(steps) {
            // A refused step must not change the published keys.
            match step {
                Step::Announce(algorithm) => {
                    let key = distinct_key(algorithm, now);
                    secrets.extend(secrets_of(&key.to_private_jwk()));
                    let _ = keys.announce(key, NOW);
                }
                Step::Rotate => drop(keys.rotate(now)),
                Step::Prune => drop(keys.prune(now)),
                Step::WithdrawLast => {
                    let last = published_keys(&keys).pop();
                    if let Some(kid) = last.as_ref().and_then(|jwk| jwk["kid"].as_str()) {
                        let _ = keys.withdraw(kid);
                    }
                }
            }
            let jwks = keys.jwks();
            for jwk in published_keys(&keys) {
                prop_assert_ne!(&jwk["kty"], "oct");
                prop_assert!(members(&jwk).iter().all(|name| !PRIVATE_MEMBERS.contains(name)));
            }
            prop_assert!(secrets.iter().all(|secret| !jwks.contains(secret.as_str())));
        }
    }
}

fn distinct_key(algorithm: Algorithm, now: i64) -> SigningKey {
    signing_key(algorithm).with_kid(format!("key-{now}")).unwrap()
}

fn secrets_of(private_jwk: &str) -> Vec<String> {
    let jwk: Value = serde_json::from_str(private_jwk).unwrap();
    let secret = |name: &&str| jwk[*name].as_str().map(str::to_owned);
    PRIVATE_MEMBERS.iter().filter_map(secret).collect()
}
