//! The contents of a minted token, and the input that the minter refuses.

use std::{collections::HashSet, sync::Arc};

use crate::support::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate_issuer::{
    Minter, SigningKey, SigningKeys, TokenBuilder,
    limits::{DEFAULT_LIFETIME_SECONDS, DEFAULT_OVERLAP_SECONDS, MAX_TIME_SECONDS},
};
use tollgate_jwt::{
    CompactJws,
    json::Buffer,
    limits::{MAX_JSON_MEMBERS, MAX_JSON_NESTING, MAX_LIST_ENTRIES},
};
use tollgate_keys::Algorithm;

fn es256() -> Minter {
    minter(SigningKey::generate(Algorithm::ES256).unwrap()).0
}

/// The error code of minting.
fn code(token: TokenBuilder<'_>) -> &'static str {
    token.mint_at(NOW).unwrap_err().code()
}

#[test]
fn the_header_names_type_algorithm_and_key() {
    let minter = es256();
    let expected = json!({"typ": "JWT", "alg": "ES256", "kid": minter.keys().signing_key().kid()});
    assert_eq!(header(&mint(&minter)), expected);
    let token = minter.token().typ("logout+jwt").mint_at(NOW).unwrap();
    assert_eq!(header(&token)["typ"], "logout+jwt");
}

#[test]
fn a_bare_token_has_issuer_times_and_id() {
    let token = es256().token().mint_at(NOW).unwrap();
    let mut claims = claims(&token);
    let jti = claims.as_object_mut().unwrap().remove("jti").unwrap();
    assert_eq!(jti.as_str().unwrap().len(), 22);
    assert_eq!(claims, json!({"iss": ISSUER, "iat": NOW, "exp": NOW + DEFAULT_LIFETIME_SECONDS}));
}

#[test]
fn every_claim_is_written() {
    let token = es256()
        .token()
        .subject("user-7")
        .audience("a")
        .audience("b")
        .audience("a")
        .client_id("client-1")
        .scope("read:sites write:sites")
        .jti("id-1")
        .lifetime(60)
        .not_before(NOW - 5)
        .claim("roles", json!(["admin", "ops"]))
        .claim("email", "user@example.com".into())
        .mint_at(NOW)
        .unwrap();
    let expected = json!({
        "iss": ISSUER, "sub": "user-7", "aud": ["a", "b"], "client_id": "client-1",
        "scope": "read:sites write:sites", "jti": "id-1", "iat": NOW, "nbf": NOW - 5, "exp": NOW + 60,
        "roles": ["admin", "ops"], "email": "user@example.com",
    });
    assert_eq!(claims(&token), expected);
}

#[test]
fn the_strict_parser_reads_what_was_minted() {
    let token = es256()
        .token()
        .subject("J\u{f6}rg \"the\" \\ \u{1f511}")
        .audience(AUDIENCE)
        .claim("nested", json!({"a": [1, 2.5, null, true, {"b": "c"}]}))
        .mint_at(NOW)
        .unwrap();
    let jws = CompactJws::parse(&token).unwrap();
    let mut buffer = Buffer::default();
    let claims = jws.decode_claims(&mut buffer).unwrap();
    assert_eq!(claims.sub(), Some("J\u{f6}rg \"the\" \\ \u{1f511}"));
    assert_eq!(claims.exp(), Some(NOW + DEFAULT_LIFETIME_SECONDS));
    assert!(claims.get("nested").is_some());
}

#[test]
fn one_audience_is_a_string() {
    let token = es256().token().audience(AUDIENCE).mint_at(NOW).unwrap();
    assert_eq!(claims(&token)["aud"], AUDIENCE);
}

#[test]
fn an_empty_scope_is_left_out() {
    let token = es256().token().scope("").mint_at(NOW).unwrap();
    assert_eq!(claims(&token).get("scope"), None);
}

#[test]
fn ids_are_distinct() {
    let minter = es256();
    let ids: HashSet<String> = (0..100).map(|_| claims(&mint(&minter))["jti"].to_string()).collect();
    assert_eq!(ids.len(), 100);
}

#[test]
fn mint_takes_the_time_of_the_system() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let claims = claims(&es256().token().mint().unwrap());
    let iat = claims["iat"].as_u64().unwrap();
    assert!((now.as_secs()..=now.as_secs() + 60).contains(&iat));
}

#[test]
fn access_tokens_follow_rfc_9068() {
    let minter = es256();
    let whole = || minter.token().access_token().subject("s").audience("a").client_id("c");
    let token = whole().mint_at(NOW).unwrap();
    assert_eq!(header(&token)["typ"], "at+jwt");
    let claims = claims(&token);
    for name in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
        assert!(claims.get(name).is_some(), "{name}");
    }
    let token = minter.token();
    for incomplete in [
        token.clone().access_token().subject("s").audience("a"),
        token.clone().access_token().subject("s").client_id("c"),
        token.clone().access_token().audience("a").client_id("c"),
        token.clone().typ("at+jwt"),
        token.clone().typ("application/AT+JWT"),
    ] {
        assert_eq!(code(incomplete), "missing-claim");
    }
    assert_eq!(code(whole().typ("JWT")), "invalid-type");
    assert!(whole().typ("application/at+jwt").mint_at(NOW).is_ok());
}

#[test]
fn claims_with_their_own_method_are_refused_as_further_claims() {
    let minter = es256();
    for name in ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope"] {
        assert_eq!(code(minter.token().claim(name, "x".into())), "registered-claim", "{name}");
    }
}

#[test]
fn a_claim_given_twice_is_refused() {
    let token = es256();
    let token = token.token().claim("tenant", 1.into()).claim("tenant", 1.into());
    assert_eq!(code(token), "duplicate-claim");
}

#[test]
fn texts_that_verifiers_refuse_are_refused() {
    let minter = es256();
    for text in ["", "a\0b", "a\nb", "\u{85}"] {
        assert_eq!(code(minter.token().subject(text)), "invalid-claim");
        assert_eq!(code(minter.token().audience(text)), "invalid-claim");
        assert_eq!(code(minter.token().client_id(text)), "invalid-claim");
        assert_eq!(code(minter.token().jti(text)), "invalid-claim");
        let keys = Arc::clone(minter.keys());
        assert_eq!(Minter::new(text, keys).unwrap_err().code(), "invalid-claim");
    }
    for scope in [" ", "a  b", " a", "a ", "a\tb", "a\"b", "a\\b", "\u{e9}"] {
        assert_eq!(code(minter.token().scope(scope)), "invalid-claim", "{scope}");
    }
    for typ in ["", "a b", "\u{e9}", "a\n"] {
        assert_eq!(code(minter.token().typ(typ)), "invalid-type", "{typ}");
    }
}

#[test]
fn lifetimes_are_positive_and_within_the_overlap() {
    let minter = es256();
    for seconds in [0, -1, i64::MIN] {
        assert_eq!(code(minter.token().lifetime(seconds)), "invalid-lifetime");
    }
    assert!(minter.token().lifetime(DEFAULT_OVERLAP_SECONDS).mint_at(NOW).is_ok());
    for seconds in [DEFAULT_OVERLAP_SECONDS + 1, i64::MAX] {
        assert_eq!(code(minter.token().lifetime(seconds)), "lifetime-exceeds-overlap");
    }
    let longest = es256().with_lifetime(DEFAULT_OVERLAP_SECONDS).unwrap();
    let token = longest.token().mint_at(NOW).unwrap();
    assert_eq!(claims(&token)["exp"], NOW + DEFAULT_OVERLAP_SECONDS);
    assert_eq!(es256().with_lifetime(0).unwrap_err().code(), "invalid-lifetime");
}

#[test]
fn times_are_such_as_a_claim_can_say() {
    let minter = es256();
    for now in [-1, i64::MIN, i64::MAX, MAX_TIME_SECONDS + 1] {
        assert_eq!(minter.token().mint_at(now).unwrap_err().code(), "invalid-time");
    }
    let error = minter.token().mint_at(MAX_TIME_SECONDS).unwrap_err();
    assert_eq!(error.code(), "invalid-lifetime");
    for not_before in [-1, NOW + DEFAULT_LIFETIME_SECONDS, i64::MAX] {
        assert_eq!(code(minter.token().not_before(not_before)), "invalid-claim");
    }
}

#[test]
fn a_token_that_verifiers_find_too_long_is_refused() {
    let token = es256();
    let token = token.token().claim("blob", Value::from("x".repeat(8 * 1024)));
    assert_eq!(code(token), "token-too-long");
}

#[test]
fn a_builder_makes_as_many_tokens_as_it_is_cloned() {
    let keys = Arc::new(SigningKeys::new(SigningKey::generate(Algorithm::EdDSA).unwrap()));
    let minter = Minter::new(ISSUER, Arc::clone(&keys)).unwrap();
    let template = minter.token().subject("s").audience("a");
    let (first, second) = (template.clone().mint_at(NOW).unwrap(), template.mint_at(NOW).unwrap());
    assert_ne!(first, second);
    assert!(verifies(&keys.key_set(), &first) && verifies(&keys.key_set(), &second));
}

fn nested(levels: usize) -> Value {
    (1..levels).fold(json!([]), |inner, _| json!([inner]))
}

#[test]
fn claims_beyond_the_parsers_limits_are_refused() {
    let minter = es256();
    let deepest = minter.token().claim("deep", nested(MAX_JSON_NESTING - 1)).mint_at(NOW).unwrap();
    assert!(is_read(&deepest));
    assert_eq!(code(minter.token().claim("deep", nested(MAX_JSON_NESTING))), "unreadable-claim");

    let object = |members: usize| (0..members).map(|name| (name.to_string(), Value::Null)).collect::<Value>();
    let widest = minter.token().claim("wide", object(MAX_JSON_MEMBERS)).mint_at(NOW).unwrap();
    assert!(is_read(&widest));
    assert_eq!(code(minter.token().claim("wide", object(MAX_JSON_MEMBERS + 1))), "unreadable-claim");

    let claims = |count: usize| (0..count).fold(minter.token(), |token, name| token.claim(name.to_string(), 1.into()));
    assert!(is_read(&claims(MAX_JSON_MEMBERS - 9).mint_at(NOW).unwrap()));
    assert_eq!(code(claims(MAX_JSON_MEMBERS - 8)), "unreadable-claim");

    let audiences = |count: usize| (0..count).fold(minter.token(), |token, name| token.audience(name.to_string()));
    assert!(is_read(&audiences(MAX_LIST_ENTRIES).mint_at(NOW).unwrap()));
    assert_eq!(code(audiences(MAX_LIST_ENTRIES + 1)), "invalid-claim");
}

fn is_read(token: &str) -> bool {
    let jws = CompactJws::parse(token).unwrap();
    jws.decode_claims(&mut Buffer::default()).is_ok()
}

fn claim_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..8).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_minted_is_read_by_the_strict_parser(
        subject in any::<String>(),
        scope in "[ -~]{0,12}",
        name in any::<String>(),
        value in claim_value(),
    ) {
        let minter = es256();
        let token = minter.token().subject(subject.as_str()).scope(scope.as_str()).claim(name.as_str(), value.clone());
        if let Ok(token) = token.mint_at(NOW) {
            let jws = CompactJws::parse(&token).unwrap();
            let mut buffer = Buffer::default();
            let read = jws.decode_claims(&mut buffer).unwrap();
            prop_assert_eq!(read.sub(), Some(subject.as_str()));
            prop_assert_eq!(read.scope().iter().collect::<Vec<_>>(), scope.split_terminator(' ').collect::<Vec<_>>());
            prop_assert!(read.get(&name).is_some());
        }
    }
}
