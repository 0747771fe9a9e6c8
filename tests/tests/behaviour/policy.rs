//! The facts that a token needs: time, audience, issuer, type, required claims. By Engine::verify throughout.

use serde_json::{Value, json};
use tollgate::jwt::base64url;
use tollgate::{Algorithm, Engine, Issuer, Principal, Rejection, TypProfile};
use tollgate_issuer::SigningKey;
use tollgate_keys::test_hooks::signature_checks;
use tollgate_tests::{AUDIENCE, Draft, ISSUER, NOW, engine, issuer, key_set, signing_key};

fn es256() -> SigningKey {
    signing_key(Algorithm::ES256, 0)
}

/// Verifies the draft's token at `now`. A rejection has to come before any signature check.
fn verify(engine: &Engine, draft: &Draft, key: &SigningKey, now: i64) -> Result<Principal, Rejection> {
    let before = signature_checks();
    let result = engine.verify_at(draft.sign(key).as_bytes(), now);
    if result.is_err() {
        assert_eq!(signature_checks(), before, "rejected only after a signature check");
    }
    result
}

fn code(engine: &Engine, draft: &Draft, key: &SigningKey) -> Result<(), &'static str> {
    verify(engine, draft, key, NOW).map(drop).map_err(|rejection| rejection.code())
}

#[test]
fn a29_exp_ends_a_token_after_the_leeway() {
    let key = es256();
    for leeway in [0, 1, 60, 300] {
        let engine = Engine::builder().issuer(issuer([&key]).leeway(leeway)).build().unwrap();
        let draft = Draft::new(&key).claim("exp", NOW);
        let end = NOW + i64::from(leeway);
        for now in [NOW - 1, end - 1] {
            assert!(verify(&engine, &draft, &key, now).is_ok(), "{leeway} {now}");
        }
        for now in [end, end + 1, i64::MAX] {
            let expected = Rejection::Expired { expired_at: NOW, now };
            assert_eq!(verify(&engine, &draft, &key, now).unwrap_err(), expected, "{leeway}");
        }
    }
}

#[test]
fn a29_nbf_begins_a_token_before_the_leeway() {
    let key = es256();
    for leeway in [0, 60] {
        let engine = Engine::builder().issuer(issuer([&key]).leeway(leeway)).build().unwrap();
        let draft = Draft::new(&key).claim("nbf", NOW).claim("exp", NOW + 1000);
        let start = NOW - i64::from(leeway);
        assert!(verify(&engine, &draft, &key, start).is_ok());
        assert!(verify(&engine, &draft, &key, NOW + 1).is_ok());
        let expected = Rejection::NotYetValid { not_before: NOW, now: start - 1 };
        assert_eq!(verify(&engine, &draft, &key, start - 1).unwrap_err(), expected);
    }
}

#[test]
fn a29_odd_numbers_are_numbers_and_nothing_else_is() {
    let key = es256();
    let engine = engine([&key]);
    let with = |name: &str, text: &str| {
        let base = Draft::new(&key).without_claim(name);
        let claims = base.claims_json();
        base.payload_text(format!("{{\"{name}\":{text},{}", &claims[1..]))
    };
    let digits = "9".repeat(300);
    for text in ["1e999", "\"1763800600\"", "true", "null", "[]", "{}", "[1763800600]", &"9".repeat(400)] {
        for name in ["exp", "nbf", "iat"] {
            let code = code(&engine, &with(name, text), &key).unwrap_err();
            assert!(["invalid-claim", "malformed-token"].contains(&code), "{name} {text}: {code}");
        }
    }
    for text in ["0", "-0", "-1", "1.5", "-9223372036854775808", "0.5", "1e3", "-1e300"] {
        assert_eq!(code(&engine, &with("exp", text), &key), Err("expired"), "{text}");
        assert_eq!(code(&engine, &with("nbf", text), &key), Ok(()), "{text}");
    }
    for text in
        ["9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551616", "1e300", &digits]
    {
        assert_eq!(code(&engine, &with("exp", text), &key), Ok(()), "{text}");
        assert_eq!(code(&engine, &with("nbf", text), &key), Err("not-yet-valid"), "{text}");
        assert!(verify(&engine, &with("exp", text), &key, i64::MAX).is_err(), "{text}");
    }
    assert!(verify(&engine, &with("exp", "0"), &key, 0).is_err());
    assert!(verify(&engine, &with("exp", "0"), &key, -100).is_err());
    assert!(verify(&engine, &with("exp", "-5"), &key, i64::MIN).is_err());
}

#[test]
fn a30_a_token_without_exp_is_rejected_unless_the_danger_is_asked_for() {
    let key = es256();
    let draft = Draft::new(&key).without_claim("exp");
    assert_eq!(code(&engine([&key]), &draft, &key), Err("missing-claim"));
    let lax = Engine::builder().issuer(issuer([&key]).danger_accept_missing_exp()).build().unwrap();
    assert_eq!(verify(&lax, &draft, &key, NOW).unwrap().expires_at(), None);
    assert!(verify(&lax, &Draft::new(&key), &key, i64::MAX).is_err());
}

#[test]
fn a31_iss_is_the_issuer_to_the_letter() {
    let key = es256();
    let engine = engine([&key]);
    assert_eq!(code(&engine, &Draft::new(&key).without_claim("iss"), &key), Err("missing-claim"));
    for value in [json!(1), json!([ISSUER]), json!(null), json!({}), json!(true)] {
        assert_eq!(code(&engine, &Draft::new(&key).claim("iss", value), &key), Err("invalid-claim"));
    }
    let (bare, upper) = (ISSUER.trim_end_matches('/'), ISSUER.to_uppercase());
    let (longer, prefixed) = (format!("{ISSUER}evil"), format!("x{ISSUER}"));
    for value in [bare, &upper, &longer, &prefixed, "", "https://auth.example.com//", &ISSUER[..10], "*", ".*"] {
        assert_eq!(code(&engine, &Draft::new(&key).claim("iss", value), &key), Err("unknown-issuer"), "{value}");
    }
}

#[test]
fn a32_an_issuer_is_not_believed_about_another() {
    let (a, b) = (es256(), signing_key(Algorithm::ES256, 0));
    assert_eq!(a.kid(), b.kid(), "both issuers' keys have one kid");
    let engine = Engine::builder()
        .issuer(Issuer::new("https://a/").audience(AUDIENCE).keys(key_set([&a])))
        .issuer(Issuer::new("https://b/").audience(AUDIENCE).keys(key_set([&b])))
        .build()
        .unwrap();
    let verify =
        |iss: &str, key: &SigningKey| engine.verify_at(Draft::new(key).claim("iss", iss).sign(key).as_bytes(), NOW);
    assert_eq!(verify("https://a/", &a).unwrap().issuer(), Some("https://a/"));
    assert_eq!(verify("https://b/", &b).unwrap().issuer(), Some("https://b/"));
    assert_eq!(verify("https://a/", &b).unwrap_err(), Rejection::BadSignature);
    assert_eq!(verify("https://b/", &a).unwrap_err(), Rejection::BadSignature);
    // Equal subjects of two issuers can be told apart.
    let (first, second) = (verify("https://a/", &a).unwrap(), verify("https://b/", &b).unwrap());
    assert_eq!(first.subject(), second.subject());
    assert_ne!(first.issuer(), second.issuer());
}

#[test]
fn a33_aud_holds_the_audience_as_one_whole_entry() {
    let key = es256();
    let engine = engine([&key]);
    let judge = |aud: Value| code(&engine, &Draft::new(&key).claim("aud", aud), &key);
    for aud in [json!(AUDIENCE), json!([AUDIENCE]), json!(["x", AUDIENCE]), json!([AUDIENCE, "x"])] {
        assert_eq!(judge(aud.clone()), Ok(()), "{aud}");
    }
    let padded = format!("{AUDIENCE} ");
    for aud in [
        json!("x"),
        json!([]),
        json!(""),
        json!([""]),
        json!(padded),
        json!(format!("{AUDIENCE}/x")),
        json!(&AUDIENCE[1..]),
        json!(AUDIENCE.to_uppercase()),
        json!(format!("x,{AUDIENCE}")),
        json!("*"),
    ] {
        assert_eq!(judge(aud.clone()), Err("wrong-audience"), "{aud}");
    }
    for aud in
        [json!(1), json!(null), json!({}), json!([[AUDIENCE]]), json!([1, AUDIENCE]), json!(format!("x\0{AUDIENCE}"))]
    {
        assert_eq!(judge(aud.clone()), Err("invalid-claim"), "{aud}");
    }
    assert_eq!(code(&engine, &Draft::new(&key).without_claim("aud"), &key), Err("missing-claim"));
}

#[test]
fn a33_any_of_several_audiences_will_do() {
    let key = es256();
    let engine = Engine::builder().issuer(issuer([&key]).audience("second")).build().unwrap();
    let principal = verify(&engine, &Draft::new(&key).claim("aud", json!(["x", "second"])), &key, NOW).unwrap();
    assert_eq!(principal.audience().collect::<Vec<_>>(), ["x", "second"]);
    assert_eq!(code(&engine, &Draft::new(&key).claim("aud", "third"), &key), Err("wrong-audience"));
    let any = Issuer::new(ISSUER).keys(key_set([&key])).danger_accept_any_audience();
    let any = Engine::builder().issuer(any).build().unwrap();
    assert_eq!(code(&any, &Draft::new(&key).claim("aud", "third"), &key), Ok(()));
    assert_eq!(code(&any, &Draft::new(&key).without_claim("aud"), &key), Ok(()));
    assert_eq!(code(&any, &Draft::new(&key).claim("aud", 1), &key), Err("invalid-claim"));
}

#[test]
fn a34_sub_is_a_string_that_is_not_empty() {
    let key = es256();
    let engine = engine([&key]);
    for sub in [json!(""), json!(1), json!(null), json!(["user-1"]), json!("a\0b")] {
        assert_eq!(code(&engine, &Draft::new(&key).claim("sub", sub.clone()), &key), Err("invalid-claim"), "{sub}");
    }
    assert_eq!(code(&engine, &Draft::new(&key).without_claim("sub"), &key), Ok(()));
}

#[test]
fn a20_each_profile_takes_its_own_typ() {
    let key = es256();
    let judge = |profile, typ: Option<&str>| {
        let engine = Engine::builder().issuer(issuer([&key]).typ(profile)).build().unwrap();
        let draft = Draft::new(&key).without_header("typ");
        code(&engine, &typ.map_or(draft.clone(), |typ| draft.header("typ", typ)), &key)
    };
    use TypProfile::{AccessToken, Jwt, JwtOrAccessToken};
    for typ in [None, Some("JWT"), Some("jwt"), Some("application/JWT"), Some("APPLICATION/jwt")] {
        assert_eq!(judge(Jwt, typ), Ok(()), "{typ:?}");
        assert_eq!(judge(AccessToken, typ), Err("type-not-allowed"), "{typ:?}");
        assert_eq!(judge(JwtOrAccessToken, typ), Ok(()), "{typ:?}");
    }
    for typ in [Some("at+jwt"), Some("AT+JWT"), Some("application/at+jwt"), Some("Application/At+Jwt")] {
        assert_eq!(judge(Jwt, typ), Err("type-not-allowed"), "{typ:?}");
        assert_eq!(judge(AccessToken, typ), Ok(()), "{typ:?}");
        assert_eq!(judge(JwtOrAccessToken, typ), Ok(()), "{typ:?}");
    }
    for typ in
        ["dpop+jwt", "logout+jwt", "secevent+jwt", "", " at+jwt", "at+jwt ", "application/application/at+jwt", "at"]
    {
        for profile in [Jwt, AccessToken, JwtOrAccessToken] {
            assert_eq!(judge(profile, Some(typ)), Err("type-not-allowed"), "{typ:?}");
        }
    }
}

#[test]
fn a20_an_access_token_has_the_claims_of_rfc_9068() {
    let key = es256();
    let engine = Engine::builder().issuer(issuer([&key]).typ(TypProfile::JwtOrAccessToken)).build().unwrap();
    for name in ["sub", "client_id", "iat", "jti", "exp", "aud", "iss"] {
        let draft = Draft::new(&key).header("typ", "at+jwt").without_claim(name);
        assert_eq!(code(&engine, &draft, &key), Err("missing-claim"), "{name}");
    }
    assert_eq!(code(&engine, &Draft::new(&key).without_claim("jti"), &key), Ok(()));
}

#[test]
fn required_claims_are_required() {
    let key = es256();
    let engine = Engine::builder().issuer(issuer([&key]).require_claim("tenant")).build().unwrap();
    assert_eq!(
        verify(&engine, &Draft::new(&key), &key, NOW).unwrap_err(),
        Rejection::MissingClaim { name: "tenant".into() }
    );
    assert_eq!(code(&engine, &Draft::new(&key).claim("tenant", Value::Null), &key), Err("missing-claim"));
    assert_eq!(code(&engine, &Draft::new(&key).claim("tenant", 0), &key), Ok(()));
}

#[test]
fn a28_unknown_claims_are_passed_over_but_checked_whole() {
    let key = es256();
    let engine = engine([&key]);
    let with = |text: &str| {
        let claims = Draft::new(&key).claims_json();
        Draft::new(&key).payload_text(format!("{{\"x\":{text},{}", &claims[1..]))
    };
    assert_eq!(code(&engine, &with(r#"{"a":[1,{"b":null}]}"#), &key), Ok(()));
    for text in
        ["{\"a\":1,\"a\":2}", "[1,]", "\"\\ud800\"", "nul", "1e999", "\"\u{1}\"", "{\"b\":[{\"c\":1,\"\\u0063\":2}]}"]
    {
        assert_eq!(code(&engine, &with(text), &key), Err("malformed-token"), "{text}");
    }
}

#[test]
fn a38_time_is_checked_anew_on_each_call_and_never_goes_back() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};
    let key = es256();
    let time = Arc::new(AtomicI64::new(NOW));
    let clock = {
        let time = time.clone();
        move || time.load(Ordering::Relaxed)
    };
    let engine = Engine::builder().issuer(issuer([&key]).leeway(0)).clock(clock).build().unwrap();
    let token = Draft::new(&key).claim("exp", NOW + 10).sign(&key);
    assert!(engine.verify(token.as_bytes()).is_ok());
    time.store(NOW + 10, Ordering::Relaxed);
    assert_eq!(engine.verify(token.as_bytes()).unwrap_err().code(), "expired");
    time.store(NOW, Ordering::Relaxed);
    assert_eq!(engine.verify(token.as_bytes()).unwrap_err().code(), "expired", "expired stays expired");
}

#[test]
fn a51_a52_a_token_that_is_bound_to_its_sender_is_no_bearer_token() {
    let key = es256();
    let engine = engine([&key]);
    let digest = base64url::encode([7; 32]);
    let bound_to = |cnf: Value| code(&engine, &Draft::new(&key).claim("cnf", cnf), &key);
    for (cnf, expected) in [
        (json!({ "x5t#S256": digest }), "certificate-required"),
        (json!({ "jkt": digest }), "proof-required"),
        (json!({ "jkt": "a" }), "invalid-confirmation"),
        (json!({ "jkt": digest, "x": 1 }), "sender-constrained"),
        (json!({}), "empty-confirmation"),
        (json!({ "jwk": {} }), "sender-constrained"),
        (json!({ "kid": "a" }), "sender-constrained"),
        (json!({ "x": null }), "sender-constrained"),
        (json!({ "X5T#S256": digest }), "sender-constrained"),
        (json!({ "x5t": digest }), "sender-constrained"),
        (json!({ "x5t#S256": digest, "x": 1 }), "sender-constrained"),
        (json!({ "x": 1, "x5t#S256": digest }), "sender-constrained"),
        (json!(null), "invalid-claim"),
        (json!([]), "invalid-claim"),
        (json!("x"), "invalid-claim"),
    ] {
        assert_eq!(bound_to(cnf.clone()), Err(expected), "{cnf}");
    }
    let (padded, shorter, longer) = (format!("{digest}="), base64url::encode([7; 31]), base64url::encode([7; 33]));
    let loose = format!("{}x", &digest[..42]);
    for value in [json!(""), json!(padded), json!(shorter), json!(longer), json!(loose), json!(null), json!([digest])] {
        assert_eq!(bound_to(json!({ "x5t#S256": value })), Err("invalid-confirmation"), "{value}");
    }
}

#[test]
fn an_algorithm_that_the_issuer_does_not_use_is_rejected_before_the_signature() {
    let (used, unused) = (signing_key(Algorithm::ES256, 0), signing_key(Algorithm::EdDSA, 0));
    let issuer = issuer([&used, &unused]).algorithms(&[Algorithm::ES256]);
    let engine = Engine::builder().issuer(issuer).build().unwrap();
    assert!(verify(&engine, &Draft::new(&used), &used, NOW).is_ok());
    assert_eq!(verify(&engine, &Draft::new(&unused), &unused, NOW).unwrap_err(), Rejection::AlgorithmNotAllowed);
}
