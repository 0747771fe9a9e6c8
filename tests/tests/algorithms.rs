//! One key, one algorithm; the header never selects it.

use serde_json::{Value, json};
use tollgate::{Algorithm, Engine, Rejection};
use tollgate_issuer::SigningKey;
use tollgate_keys::test_hooks::signature_checks;
use tollgate_tests::{Draft, NOW, engine, issuer, key_set, signing_key};

const ALGORITHMS: [Algorithm; 13] = [
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

/// The rejection's code; it comes before any signature check.
fn unchecked_code(engine: &Engine, token: &str) -> &'static str {
    let before = signature_checks();
    let rejection = engine.verify_at(token.as_bytes(), NOW).expect_err(token);
    assert_eq!(signature_checks(), before, "{}: only after a signature check", rejection.code());
    rejection.code()
}

#[test]
fn every_algorithm_verifies_what_its_key_signed_and_nothing_else() {
    for algorithm in ALGORITHMS {
        let (key, other) = (signing_key(algorithm, 0), signing_key(algorithm, 1));
        let engine = engine([&key]);
        let token = Draft::new(&key).sign(&key);
        let principal = engine.verify_at(token.as_bytes(), NOW).unwrap_or_else(|error| panic!("{algorithm}: {error}"));
        assert_eq!((principal.subject(), principal.key_id()), (Some("user-1"), Some(key.kid())));
        let forged = Draft::new(&key).sign(&other);
        assert_eq!(engine.verify_at(forged.as_bytes(), NOW).unwrap_err(), Rejection::BadSignature, "{algorithm}");
        let changed = Draft::new(&key).claim("sub", "admin").signing_input();
        let changed = format!("{changed}.{}", token.rsplit('.').next().unwrap());
        assert_eq!(engine.verify_at(changed.as_bytes(), NOW).unwrap_err(), Rejection::BadSignature, "{algorithm}");
    }
}

#[test]
fn a01_none_and_its_kin_are_rejected() {
    let key = signing_key(Algorithm::ES256, 0);
    let engine = engine([&key]);
    let names = [
        json!("none"),
        json!("None"),
        json!("NONE"),
        json!("nOnE"),
        json!("none "),
        json!(" none"),
        json!("none\0"),
        json!(""),
        json!(null),
        json!([]),
        json!({}),
        json!(0),
        json!("HS256 "),
        json!("es256"),
        json!("ES256\0"),
        json!("ES256K1"),
        json!(["ES256"]),
    ];
    for name in names.map(Some).into_iter().chain([None::<Value>]) {
        let draft = Draft::new(&key).without_header("alg");
        let draft = name.clone().map_or(draft.clone(), |name| draft.header("alg", name));
        for token in [draft.sign(&key), draft.with_signature(""), draft.with_signature([0; 64])] {
            let code = unchecked_code(&engine, &token);
            assert!(["algorithm-not-allowed", "malformed-token"].contains(&code), "{name:?}: {code}");
        }
        let without_kid = draft.without_header("kid").with_signature("");
        unchecked_code(&engine, &without_kid);
    }
}

#[test]
fn a02_an_unknown_algorithm_with_an_empty_signature_is_rejected() {
    let key = signing_key(Algorithm::ES256, 0);
    let engine = engine([&key]);
    for name in ["unknown", "HS1", "RS1", "A128KW", "dir", "RSA-OAEP", "ES256K", "ML-DSA-44", "x"] {
        let token = Draft::new(&key).header("alg", name).with_signature("");
        let code = unchecked_code(&engine, &token);
        assert!(["algorithm-not-allowed", "algorithm-mismatch"].contains(&code), "{name}: {code}");
    }
}

#[test]
fn a03_a_public_key_is_never_an_hmac_secret() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        let key = signing_key(algorithm, 0);
        let engine = engine([&key]);
        let jwk = key.public_jwk().unwrap();
        let members: Value = serde_json::from_str(&jwk).unwrap();
        let mut raw = Vec::new();
        tollgate_jwt::base64url::decode(members["n"].as_str().or(members["x"].as_str()).unwrap(), &mut raw).unwrap();
        raw.resize(raw.len().max(64), 0);
        let text = [jwk.clone(), format!("{jwk}\n"), format!(" {jwk}"), format!("\n{jwk}\n")];
        for secret in text.iter().map(String::as_bytes).chain([&raw[..]]) {
            for hmac in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                // The attacker's tool refuses no secret, so the MAC is made without the vetting.
                let Ok(forger) = SigningKey::from_secret(hmac, &pad(secret)) else { continue };
                let with_kid = Draft::new(&key).header("alg", hmac.name());
                let code = unchecked_code(&engine, &with_kid.sign(&forger));
                assert_eq!(code, "algorithm-mismatch");
                assert_eq!(unchecked_code(&engine, &with_kid.without_header("kid").sign(&forger)), "unknown-key");
            }
        }
    }
}

/// Text that would be refused as a secret for looking like a key, made to pass by one more byte in front.
fn pad(secret: &[u8]) -> Vec<u8> {
    [b"\x01", secret].concat()
}

#[test]
fn a04_every_pair_of_algorithms_off_the_diagonal_is_rejected() {
    for key_algorithm in ALGORITHMS {
        let key = signing_key(key_algorithm, 0);
        let engine = engine([&key]);
        for header_algorithm in Algorithm::all().filter(|algorithm| *algorithm != key_algorithm) {
            let token = Draft::new(&key).header("alg", header_algorithm.name()).sign(&key);
            assert_eq!(unchecked_code(&engine, &token), "algorithm-mismatch", "{key_algorithm} {header_algorithm}");
            let token = Draft::new(&key).header("alg", header_algorithm.name()).without_header("kid").sign(&key);
            assert_eq!(unchecked_code(&engine, &token), "unknown-key", "{key_algorithm} {header_algorithm}");
        }
    }
}

#[test]
fn algorithms_that_the_issuer_is_not_configured_for_are_rejected() {
    let (es256, eddsa) = (signing_key(Algorithm::ES256, 0), signing_key(Algorithm::EdDSA, 0));
    let engine = Engine::builder().issuer(issuer([&es256, &eddsa]).algorithms(&[Algorithm::EdDSA])).build().unwrap();
    assert!(engine.verify_at(Draft::new(&eddsa).sign(&eddsa).as_bytes(), NOW).is_ok());
    assert_eq!(unchecked_code(&engine, &Draft::new(&es256).sign(&es256)), "algorithm-not-allowed");
}

#[test]
fn a15_keys_that_the_token_brings_along_are_never_used() {
    let (key, attacker) = (signing_key(Algorithm::ES256, 0), signing_key(Algorithm::ES256, 1));
    let engine = engine([&key]);
    let jwk: Value = serde_json::from_str(&attacker.public_jwk().unwrap()).unwrap();
    let url = json!("https://127.0.0.1:9/keys");
    for (name, value) in [("jwk", jwk), ("jku", url.clone()), ("x5u", url), ("x5c", json!(["AAAA"]))] {
        let draft = Draft::new(&attacker).header(name, value);
        let with_known_kid = draft.clone().header("kid", key.kid()).sign(&attacker);
        assert_eq!(engine.verify_at(with_known_kid.as_bytes(), NOW).unwrap_err(), Rejection::BadSignature);
        assert_eq!(unchecked_code(&engine, &draft.sign(&attacker)), "unknown-key");
        let without_kid = draft.without_header("kid").sign(&attacker);
        assert_eq!(engine.verify_at(without_kid.as_bytes(), NOW).unwrap_err(), Rejection::BadSignature);
    }
}

#[test]
fn a16_a_kid_is_only_ever_looked_up() {
    let key = signing_key(Algorithm::ES256, 0);
    let engine = engine([&key]);
    for kid in ["../../etc/passwd", "' OR 1=1 --", "a\u{1b}[31m", "", " ", "ES256-0 ", "es256-0", &"k".repeat(4096)] {
        let token = Draft::new(&key).header("kid", kid).sign(&key);
        assert_eq!(unchecked_code(&engine, &token), "unknown-key", "{kid}");
        let shown = engine.verify_at(token.as_bytes(), NOW).unwrap_err().to_string();
        assert!(!shown.contains('\u{1b}'));
    }
    for kid in [json!(1), json!(null), json!([]), json!({}), json!("a\0b")] {
        let token = Draft::new(&key).header("kid", kid).sign(&key);
        assert_eq!(unchecked_code(&engine, &token), "malformed-token");
    }
    let huge = Draft::new(&key).header("kid", "k".repeat(64 * 1024)).sign(&key);
    assert_eq!(unchecked_code(&engine, &huge), "header-too-long");
}

#[test]
fn a17_without_kid_a_bounded_number_of_keys_is_tried() {
    let keys: Vec<_> = (0..5).map(|index| signing_key(Algorithm::ES256, index)).collect();
    let other = signing_key(Algorithm::EdDSA, 9);
    let token = Draft::new(&keys[3]).without_header("kid").sign(&keys[3]);
    let engine = |count: usize| {
        let set = key_set(keys[..count].iter().chain([&other]));
        Engine::builder().issuer(issuer([]).keys(set)).build().unwrap()
    };
    let before = signature_checks();
    assert_eq!(engine(4).verify_at(token.as_bytes(), NOW).unwrap().key_id(), Some("ES256-3"));
    assert!(signature_checks() - before <= 4);
    assert_eq!(engine(3).verify_at(token.as_bytes(), NOW).unwrap_err(), Rejection::BadSignature);
    assert_eq!(unchecked_code(&engine(5), &token), "ambiguous-key");
}

#[test]
fn a_signature_of_the_wrong_length_is_not_checked() {
    for algorithm in ALGORITHMS {
        let key = signing_key(algorithm, 0);
        let engine = engine([&key]);
        let draft = Draft::new(&key);
        let token = draft.sign(&key);
        let mut signature = Vec::new();
        tollgate_jwt::base64url::decode(token.rsplit('.').next().unwrap(), &mut signature).unwrap();
        for wrong in [&signature[1..], &signature[..signature.len() - 1], &[&[0], &signature[..]].concat(), &[]] {
            assert_eq!(unchecked_code(&engine, &draft.with_signature(wrong)), "malformed-signature", "{algorithm}");
        }
    }
}
