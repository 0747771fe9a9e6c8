//! `x5t` and `x5t#S256` as names of keys, for tokens without `kid`: by Engine::verify throughout.

use serde_json::{Value, json};
use tollgate::{Algorithm, Engine, Issuer, KeyRing, KeySet};
use tollgate_issuer::SigningKey;
use tollgate_keys::test_hooks::signature_checks;
use tollgate_tests::{AUDIENCE, Draft, ISSUER, NOW, signing_key};

/// More keys than are tried without a name.
const KEYS: usize = 6;

fn keys() -> Vec<SigningKey> {
    (0..KEYS).map(|index| signing_key(Algorithm::ES256, index)).collect()
}

fn jwk(key: &SigningKey, members: Value) -> Value {
    let mut jwk: Value = serde_json::from_str(&key.public_jwk().unwrap()).unwrap();
    for (name, value) in members.as_object().unwrap() {
        jwk[name] = value.clone();
    }
    jwk
}

fn set(jwks: &[Value]) -> KeySet {
    KeySet::builder().jwks(json!({ "keys": jwks }).to_string().as_bytes()).unwrap().build().unwrap()
}

/// A key set as AD FS publishes it: each key under the thumbprint of its certificate, here "x0", "x1" and so on.
fn published(keys: &[SigningKey]) -> Vec<Value> {
    let named = |(index, key)| jwk(key, json!({ "x5t": format!("x{index}"), "x5t#S256": format!("s{index}") }));
    keys.iter().enumerate().map(named).collect()
}

fn engine(keys: impl Into<KeyRing>) -> Engine {
    let issuer = Issuer::new(ISSUER).audience(AUDIENCE).keys(keys);
    Engine::builder().issuer(issuer).no_cache().build().unwrap()
}

fn nameless(key: &SigningKey) -> Draft {
    Draft::new(key).without_header("kid")
}

/// The `kid` of the key or the code of the rejection, and how many signatures were checked.
fn verify(engine: &Engine, token: &str) -> (Result<String, &'static str>, u64) {
    let before = signature_checks();
    let result = engine.verify_at(token, NOW);
    let result = result.map(|principal| principal.key_id().unwrap().to_owned()).map_err(|rejection| rejection.code());
    (result, signature_checks() - before)
}

#[test]
fn a17_a_token_without_kid_names_its_key_by_the_thumbprint_of_its_certificate() {
    let keys = keys();
    let engine = engine(set(&published(&keys)));
    for (index, key) in keys.iter().enumerate() {
        let expected = || (Ok(key.kid().to_owned()), 1);
        // More than once, so that the header is a cached one.
        for subject in ["one", "two", "three"] {
            let draft = nameless(key).claim("sub", subject);
            assert_eq!(verify(&engine, &draft.clone().header("x5t", format!("x{index}")).sign(key)), expected());
            assert_eq!(verify(&engine, &draft.header("x5t#S256", format!("s{index}")).sign(key)), expected());
        }
        let both = nameless(key).header("x5t", format!("x{index}")).header("x5t#S256", format!("s{index}"));
        assert_eq!(verify(&engine, &both.sign(key)), expected());
        // The stronger thumbprint decides, if a key has it.
        let better = nameless(key).header("x5t", "x0").header("x5t#S256", format!("s{index}"));
        assert_eq!(verify(&engine, &better.sign(key)), expected());
        let other = nameless(key).header("x5t", format!("x{index}")).header("x5t#S256", "unknown");
        assert_eq!(verify(&engine, &other.sign(key)), expected());
        // The value of one is not accepted for the other.
        let crossed = nameless(key).header("x5t", format!("s{index}")).header("x5t#S256", format!("x{index}"));
        assert_eq!(verify(&engine, &crossed.sign(key)), (Err("ambiguous-key"), 0));
    }
    let without = nameless(&keys[0]).sign(&keys[0]);
    assert_eq!(verify(&engine, &without), (Err("ambiguous-key"), 0));
}

#[test]
fn a15_a_thumbprint_brings_no_key_along() {
    let keys = keys();
    let engine = engine(set(&published(&keys)));
    let attacker = signing_key(Algorithm::ES256, 99);
    let own: Value = serde_json::from_str(&attacker.public_jwk().unwrap()).unwrap();
    for (name, value) in [("x5t", "x0"), ("x5t#S256", "s0")] {
        let forged = nameless(&attacker).header(name, value);
        assert_eq!(verify(&engine, &forged.sign(&attacker)), (Err("bad-signature"), 1));
        // With a certificate or key in the header that would fit.
        let brought =
            forged.header("jwk", own.clone()).header("x5c", json!(["MIIC"])).header("x5u", "https://evil.example/x5u");
        assert_eq!(verify(&engine, &brought.sign(&attacker)), (Err("bad-signature"), 1));
    }
    // The thumbprint of a real certificate is a name like any other, and is not computed: only a JWK with it is found
    // by it.
    let unnamed: Vec<Value> = keys.iter().map(|key| jwk(key, json!({ "x5c": ["MIIC"] }))).collect();
    let engine = self::engine(set(&unnamed));
    let token = nameless(&keys[0]).header("x5t", "x0").sign(&keys[0]);
    assert_eq!(verify(&engine, &token), (Err("ambiguous-key"), 0));
}

#[test]
fn a16_a_thumbprint_is_only_ever_looked_up() {
    let keys = keys();
    let engine = engine(set(&published(&keys)));
    let long = "x".repeat(4000);
    for name in ["x5t", "x5t#S256"] {
        for value in ["", "X0", "x0 ", "x0=", "../x0", "' OR 1=1 --", "x", "x00", "\u{1b}[31m", &long] {
            let token = nameless(&keys[0]).header(name, value).sign(&keys[0]);
            assert_eq!(verify(&engine, &token), (Err("ambiguous-key"), 0), "{value:?}");
        }
        for value in [json!(0), json!(["x0"]), json!({ "x0": "x0" }), json!(null), json!(true), json!("x\u{0}")] {
            let token = nameless(&keys[0]).header(name, value.clone()).sign(&keys[0]);
            assert_eq!(verify(&engine, &token), (Err("malformed-token"), 0), "{value}");
            // Beside a kid, the thumbprint is ignored.
            let named = Draft::new(&keys[0]).header(name, value).sign(&keys[0]);
            assert_eq!(verify(&engine, &named), (Ok(keys[0].kid().to_owned()), 1));
        }
        let twice = format!(r#"{{"alg":"ES256","{name}":"x0","{name}":"x1"}}"#);
        let token = nameless(&keys[0]).header_text(twice).sign(&keys[0]);
        assert_eq!(verify(&engine, &token), (Err("malformed-token"), 0));
    }
}

#[test]
fn a_kid_comes_before_a_thumbprint() {
    let keys = keys();
    let engine = engine(set(&published(&keys)));
    let token = Draft::new(&keys[0]).header("x5t", "x1").header("x5t#S256", "s1").sign(&keys[0]);
    assert_eq!(verify(&engine, &token), (Ok(keys[0].kid().to_owned()), 1));
    let unknown = Draft::new(&keys[0]).header("kid", "unknown").header("x5t", "x0").sign(&keys[0]);
    assert_eq!(verify(&engine, &unknown), (Err("unknown-key"), 0));
}

#[test]
fn a_thumbprint_that_no_key_has_leaves_a_few_keys_to_be_tried() {
    let keys = keys();
    let engine = engine(set(&published(&keys)[..3]));
    let token = nameless(&keys[2]).header("x5t", "unknown").sign(&keys[2]);
    assert_eq!(verify(&engine, &token).0, Ok(keys[2].kid().to_owned()));
    // A thumbprint that a key has excludes all other keys.
    let token = nameless(&keys[2]).header("x5t", "x1").sign(&keys[2]);
    assert_eq!(verify(&engine, &token), (Err("bad-signature"), 1));
    // Keys of other algorithms with the same thumbprint do not matter.
    let rsa = signing_key(Algorithm::RS256, 0);
    let engine = self::engine(set(&[jwk(&rsa, json!({ "x5t": "x0" })), jwk(&keys[0], json!({ "x5t": "x0" }))]));
    for key in [&rsa, &keys[0]] {
        let token = nameless(key).header("x5t", "x0").sign(key);
        assert_eq!(verify(&engine, &token), (Ok(key.kid().to_owned()), 1));
    }
}

#[test]
fn a_thumbprint_of_several_keys_is_nobodys() {
    let keys = keys();
    let same = |key: &SigningKey| jwk(key, json!({ "x5t": "same" }));
    let engine = engine(set(&keys.iter().map(same).collect::<Vec<_>>()));
    let token = nameless(&keys[0]).header("x5t", "same").sign(&keys[0]);
    assert_eq!(verify(&engine, &token), (Err("ambiguous-key"), 0));
    // The same key twice counts as one: under one kid, under two, and with a certificate that was renewed.
    let mut jwks = published(&keys);
    jwks.push(jwk(&keys[0], json!({ "x5t": "renewed" })));
    jwks.push(jwk(&keys[0], json!({ "x5t": "x0", "kid": "other" })));
    let engine = self::engine(set(&jwks));
    for name in ["x0", "renewed"] {
        let token = nameless(&keys[0]).header("x5t", name).sign(&keys[0]);
        let (result, checks) = verify(&engine, &token);
        assert!(result.is_ok() && checks == 1, "{name}: {result:?}");
    }
}

#[test]
fn a32_a_thumbprint_names_no_key_of_another_issuer() {
    let keys = keys();
    let jwks: Vec<Value> = (0..KEYS)
        .map(|index| {
            let issuer = if index == 0 { json!("https://other.example/") } else { json!(null) };
            jwk(&keys[index], json!({ "x5t": format!("x{index}"), "issuer": issuer }))
        })
        .collect();
    let engine = engine(set(&jwks));
    let of = |index: usize| nameless(&keys[index]).header("x5t", format!("x{index}")).sign(&keys[index]);
    assert_eq!(verify(&engine, &of(0)), (Err("key-not-admitted"), 0));
    assert_eq!(verify(&engine, &of(1)), (Ok(keys[1].kid().to_owned()), 1));
}

#[test]
fn a_jwk_whose_thumbprint_is_no_name_is_used_as_any_other() {
    let key = signing_key(Algorithm::ES256, 0);
    for value in [json!(5), json!(null), json!(["x"]), json!("x".repeat(2000))] {
        let engine = engine(set(&[jwk(&key, json!({ "x5t": value }))]));
        assert_eq!(verify(&engine, &Draft::new(&key).sign(&key)), (Ok(key.kid().to_owned()), 1));
    }
}
