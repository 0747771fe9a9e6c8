//! Every rejection code at least once, with its status and its challenge.

use std::collections::BTreeMap;

use tollgate::jwt::base64url;
use tollgate::{Algorithm, ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord, Rejection};
use tollgate_tests::{Draft, NOW, issuer, key_set, signing_key};

const INVALID_TOKEN: &str = r#"Bearer error="invalid_token""#;
const BASIC: &str = r#"Basic realm="tollgate", charset="UTF-8""#;

/// The codes that `verify` gives; each is met below.
const CODES: [&str; 26] = [
    "missing-credential",
    "header-too-long",
    "malformed-credential",
    "unsupported-scheme",
    "malformed-token",
    "encrypted-token",
    "critical-header",
    "unsupported-header",
    "algorithm-not-allowed",
    "type-not-allowed",
    "missing-claim",
    "invalid-claim",
    "unknown-issuer",
    "wrong-audience",
    "expired",
    "not-yet-valid",
    "unknown-key",
    "ambiguous-key",
    "algorithm-mismatch",
    "malformed-signature",
    "bad-signature",
    "unknown-api-key",
    "unknown-client",
    "sender-constrained",
    "too-many-members",
    "too-many-entries",
];

#[test]
fn every_code_is_reached_and_answers_as_rfc_6750_says() {
    let key = signing_key(Algorithm::ES256, 0);
    let crowd: Vec<_> = (0..5).map(|index| signing_key(Algorithm::EdDSA, index)).collect();
    let format = KeyFormat::new("tg", "live").unwrap();
    let table = ApiKeyTable::new(format.clone());
    let ended = ApiKey::generate(&format).unwrap();
    table.insert(ended.digest(), KeyRecord::api_key("k", "u").expires_at(NOW).into());
    let keys = key_set(crowd.iter().chain([&key]));
    let engine = Engine::builder().issuer(issuer([]).keys(keys)).api_keys(table).build().unwrap();
    let unknown = ApiKey::generate(&format).unwrap();

    let draft = || Draft::new(&key);
    let sign = |draft: Draft| draft.sign(&key);
    let nobody = format!("Basic {}", base64url::encode("abc:defg:hij"));
    let headers = [
        String::new(),
        "a".repeat(9000),
        "Bearer".to_owned(),
        "Basic YWJj".to_owned(),
        "Digest x".to_owned(),
        "ey.a".to_owned(),
        "eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d".to_owned(),
        sign(draft().header("crit", "exp")),
        sign(draft().header("zip", "DEF")),
        sign(draft().header("alg", "none")),
        sign(draft().header("typ", "at+jwt")),
        sign(draft().without_claim("exp")),
        sign(draft().claim("exp", "soon")),
        sign(draft().claim("iss", "https://other/")),
        sign(draft().claim("aud", "other")),
        sign(draft().claim("cnf", serde_json::json!({}))),
        sign(draft().claim("exp", NOW - 100)),
        ended.as_str().to_owned(),
        sign(draft().claim("nbf", NOW + 100)),
        sign(draft().header("kid", "other")),
        sign(draft().header("alg", "EdDSA").without_header("kid")),
        sign(draft().header("alg", "EdDSA")),
        draft().with_signature("short"),
        draft().with_signature([7; 64]),
        unknown.as_str().to_owned(),
        nobody,
        sign(draft().payload_text(format!("{{{}}}", vec!["\"a\":0"; 257].join(",")))),
        sign(draft().claim("aud", vec!["a"; 129])),
    ];
    let mut met = BTreeMap::new();
    for header in &headers {
        let rejection = engine.verify_at(header.as_bytes(), NOW).expect_err(header);
        assert_eq!(rejection.status(), 401, "{header}");
        let challenge = rejection.challenge().to_string();
        match rejection.code() {
            "missing-credential" => assert_eq!(challenge, "Bearer"),
            "unknown-client" => assert_eq!(challenge, BASIC),
            "malformed-credential" => assert!([BASIC, INVALID_TOKEN].contains(&&*challenge)),
            _ => assert_eq!(challenge, INVALID_TOKEN),
        }
        assert!(!rejection.to_string().is_empty());
        met.insert(rejection.code(), rejection);
    }
    for code in CODES {
        assert!(met.contains_key(code), "{code} was not met");
    }
}

#[test]
fn more_than_one_credential_is_a_bad_request() {
    let rejection = Rejection::MultipleCredentials;
    assert_eq!((rejection.code(), rejection.status()), ("multiple-credentials", 400));
    assert_eq!(rejection.challenge().to_string(), r#"Bearer error="invalid_request""#);
}

#[test]
fn a_spoilt_checksum_is_told_from_an_unknown_key() {
    let format = KeyFormat::new("tg", "live").unwrap();
    let engine = Engine::builder().api_keys(ApiKeyTable::new(format.clone())).build().unwrap();
    let key = ApiKey::generate(&format).unwrap();
    let mut spoilt = key.as_str().to_owned();
    let last = if spoilt.pop() == Some('a') { 'b' } else { 'a' };
    spoilt.push(last);
    assert_eq!(engine.verify(spoilt.as_bytes()).unwrap_err().code(), "malformed-api-key");
    assert_eq!(engine.verify(key.as_str().as_bytes()).unwrap_err().code(), "unknown-api-key");
}

#[test]
fn a50_nothing_of_a_token_reaches_the_challenge_or_the_message_unescaped() {
    let key = signing_key(Algorithm::ES256, 0);
    let engine = tollgate_tests::engine([&key]);
    let nasty = "x\r\nSet-Cookie: a=b\u{1b}[31m\"";
    for draft in [Draft::new(&key).claim("iss", nasty), Draft::new(&key).header("kid", nasty)] {
        let rejection = engine.verify_at(draft.sign(&key).as_bytes(), NOW).unwrap_err();
        assert_eq!(rejection.challenge().to_string(), INVALID_TOKEN);
        assert!(!rejection.to_string().contains(['\r', '\n', '\u{1b}']), "{rejection}");
    }
}

#[test]
fn a_realm_is_one_quoted_string_whatever_is_in_it() {
    let challenge = |realm| Rejection::UnknownClient.challenge().with_realm(realm).to_string();
    assert_eq!(challenge(r#"a "b" \c"#), r#"Basic realm="a \"b\" \\c", charset="UTF-8""#);
    assert_eq!(challenge("a\r\nset-cookie: b\u{7f}é"), r#"Basic realm="a??set-cookie: b??", charset="UTF-8""#);
}
