//! Keys whose JWK restricts them to some tokens: which issuers accept which. By Engine::verify throughout.

use serde_json::{Value, json};
use tollgate::{Algorithm, BuildError, Engine, EngineBuilder, Issuer, KeyRing, KeySet, KeyUses};
use tollgate_issuer::SigningKey;
use tollgate_keys::test_hooks::signature_checks;
use tollgate_tests::{AUDIENCE, Draft, ISSUER, NOW, signing_key};

const OTHER: &str = "https://other.example.com/";

fn es256(index: usize) -> SigningKey {
    signing_key(Algorithm::ES256, index)
}

/// The set of these keys, each with further members in its JWK.
fn set(keys: &[(&SigningKey, Value)]) -> KeySet {
    let jwks: Vec<Value> = keys.iter().map(|(key, members)| jwk(key, members)).collect();
    let uses = KeyUses::new(["sig", "jwt-svid"]).unwrap();
    KeySet::builder().key_uses(uses).jwks(json!({ "keys": jwks }).to_string().as_bytes()).unwrap().build().unwrap()
}

fn jwk(key: &SigningKey, members: &Value) -> Value {
    let mut jwk: Value = serde_json::from_str(&key.public_jwk().unwrap()).unwrap();
    for (name, value) in members.as_object().unwrap() {
        jwk[name] = value.clone();
    }
    jwk
}

fn issuer(name: &str, keys: impl Into<KeyRing>) -> Issuer {
    Issuer::new(name).audience(AUDIENCE).keys(keys)
}

fn engine(issuers: impl IntoIterator<Item = Issuer>) -> Engine {
    issuers.into_iter().fold(Engine::builder(), EngineBuilder::issuer).build().unwrap()
}

/// The code of the rejection, and how many signatures were checked.
fn verify(engine: &Engine, token: &str) -> (Result<(), &'static str>, u64) {
    let before = signature_checks();
    let result = engine.verify_at(token, NOW).map(drop).map_err(|rejection| rejection.code());
    (result, signature_checks() - before)
}

const ACCEPTED: (Result<(), &str>, u64) = (Ok(()), 1);
const FROM_THE_CACHE: (Result<(), &str>, u64) = (Ok(()), 0);
const NOT_ADMITTED: (Result<(), &str>, u64) = (Err("key-not-admitted"), 0);

fn of(iss: &str, key: &SigningKey) -> String {
    Draft::new(key).claim("iss", iss).sign(key)
}

#[test]
fn an_issuer_takes_keys_of_the_uses_it_is_configured_with() {
    let [usual, signing, svid] = [0, 1, 2].map(es256);
    let keys =
        set(&[(&usual, json!({"use": null})), (&signing, json!({"use": "sig"})), (&svid, json!({"use": "jwt-svid"}))]);
    let judge = |issuer: Issuer| {
        let engine = engine([issuer]);
        [&usual, &signing, &svid].map(|key| verify(&engine, &of(ISSUER, key)))
    };
    assert_eq!(judge(issuer(ISSUER, keys.clone())), [ACCEPTED, ACCEPTED, NOT_ADMITTED]);
    let both = issuer(ISSUER, keys.clone()).key_use(&["sig", "jwt-svid"]);
    assert_eq!(judge(both), [ACCEPTED, ACCEPTED, ACCEPTED]);
    let one = issuer(ISSUER, keys).key_use(&["jwt-svid"]);
    assert_eq!(judge(one), [ACCEPTED, NOT_ADMITTED, ACCEPTED]);
}

#[test]
fn issuers_that_share_a_ring_each_take_their_own_keys() {
    let [signing, svid] = [0, 1].map(es256);
    let ring = KeyRing::new(set(&[(&signing, json!({"use": "sig"})), (&svid, json!({"use": "jwt-svid"}))]));
    let engine = engine([issuer(ISSUER, ring.clone()), issuer(OTHER, ring).key_use(&["jwt-svid"])]);
    assert_eq!(verify(&engine, &of(ISSUER, &signing)), ACCEPTED);
    assert_eq!(verify(&engine, &of(ISSUER, &svid)), NOT_ADMITTED);
    assert_eq!(verify(&engine, &of(OTHER, &signing)), NOT_ADMITTED);
    assert_eq!(verify(&engine, &of(OTHER, &svid)), ACCEPTED);
}

#[test]
fn a_token_without_kid_is_tried_under_keys_of_the_right_use_alone() {
    let [signing, svid] = [0, 1].map(es256);
    let engine =
        engine([issuer(ISSUER, set(&[(&signing, json!({"use": "sig"})), (&svid, json!({"use": "jwt-svid"}))]))]);
    let nameless = |key: &SigningKey| Draft::new(key).without_header("kid").sign(key);
    assert_eq!(verify(&engine, &nameless(&signing)), ACCEPTED);
    assert_eq!(verify(&engine, &nameless(&svid)), (Err("bad-signature"), 1));
}

#[test]
fn a39_a_key_that_gets_another_use_verifies_no_token_of_the_cache() {
    let [signing, other] = [0, 1].map(es256);
    let with_use = |one: &str| set(&[(&signing, json!({"use": one})), (&other, json!({"use": null}))]);
    let ring = KeyRing::new(with_use("sig"));
    let engine = engine([issuer(ISSUER, ring.clone())]);
    let [token, others] = [&signing, &other].map(|key| of(ISSUER, key));
    for _ in 0..4 {
        assert!(verify(&engine, &token).0.is_ok() && verify(&engine, &others).0.is_ok());
    }
    ring.replace(with_use("jwt-svid"));
    for _ in 0..3 {
        assert_eq!(verify(&engine, &token), NOT_ADMITTED);
        assert_eq!(verify(&engine, &others), FROM_THE_CACHE);
    }
    ring.replace(with_use("sig"));
    assert_eq!(verify(&engine, &token), ACCEPTED);
}

#[test]
fn a65_an_issuer_that_takes_no_key_of_its_set_is_refused() {
    let key = es256(0);
    let keys = set(&[(&key, json!({"use": "jwt-svid"}))]);
    let build = |issuer: Issuer| Engine::builder().issuer(issuer).build().map(drop);
    let no_key = BuildError::NoUsableKey { issuer: ISSUER.into() };
    assert_eq!(build(issuer(ISSUER, keys.clone())), Err(no_key.clone()));
    assert_eq!(build(issuer(ISSUER, keys.clone()).key_use(&["jwt-svid"])), Ok(()));
    assert_eq!(build(issuer(ISSUER, keys.clone()).key_use(&["sig", "x509-svid"])), Err(no_key));
    assert_eq!(build(issuer(ISSUER, KeyRing::new(keys.clone()))), Ok(()), "a ring may be filled later");
    // If no key comes from a JWK, no use can be listed.
    let secret = || KeySet::builder().hmac(None, Algorithm::HS256, &[7; 32]);
    let no_effect = BuildError::KeyUseWithoutEffect { issuer: ISSUER.into() };
    assert!(no_effect.to_string().contains("(key_use)"));
    assert_eq!(build(issuer(ISSUER, secret().build().unwrap())), Ok(()));
    assert_eq!(build(issuer(ISSUER, secret().build().unwrap()).key_use(&["sig"])), Err(no_effect));
    let beside = secret().jwk(jwk(&key, &json!({"use": "sig"})).to_string().as_bytes()).unwrap().build().unwrap();
    assert_eq!(build(issuer(ISSUER, beside).key_use(&["sig"])), Ok(()));
    assert_eq!(build(issuer(ISSUER, KeyRing::new(secret().build().unwrap())).key_use(&["sig"])), Ok(()));
    for (uses, message) in [
        (&[][..], "has a wrong key_use: a list of the use of keys must not be empty"),
        (&["sig", ""], "has a wrong key_use: the use of a key must not be empty; a key without use is taken anyway"),
    ] {
        let refused = build(issuer(ISSUER, keys.clone()).key_use(uses)).unwrap_err().to_string();
        assert_eq!(refused, format!("the issuer {ISSUER:?} {message}"));
    }
}

#[test]
fn a61_a_key_that_is_not_admitted_is_named_in_a_short_message() {
    let key = es256(0);
    let engine = engine([issuer(ISSUER, KeyRing::new(set(&[(&key, json!({"use": "jwt-svid"}))])))]);
    let rejection = engine.verify_at(of(ISSUER, &key), NOW).unwrap_err();
    let expected = format!(r#"the key "ES256-0" is not for tokens of "{ISSUER}": its use is "jwt-svid""#);
    assert_eq!((rejection.to_string(), rejection.status()), (expected, 401));
    assert_eq!(rejection.missing_key(), None, "no fetch would help");
}
