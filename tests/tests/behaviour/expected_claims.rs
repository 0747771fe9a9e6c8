//! Expected values of claims, optional claims, and limits for the size of claims. By Engine::verify throughout.

use serde_json::{Value, json};
use tollgate::{Algorithm, Engine, Expected, Issuer, Principal, Rejection, TypProfile};
use tollgate_issuer::SigningKey;
use tollgate_keys::test_hooks::signature_checks;
use tollgate_tests::{AUDIENCE, Draft, ISSUER, NOW, issuer, key_set, signing_key};

fn hs256() -> SigningKey {
    signing_key(Algorithm::HS256, 0)
}

/// Verifies. A rejection has to come before any signature check.
fn verify(engine: &Engine, draft: &Draft, key: &SigningKey) -> Result<Principal, Rejection> {
    let before = signature_checks();
    let result = engine.verify_at(draft.sign(key).as_bytes(), NOW);
    assert!(result.is_ok() || signature_checks() == before, "rejected only after a signature check");
    result
}

fn code(engine: &Engine, draft: &Draft, key: &SigningKey) -> Result<(), &'static str> {
    verify(engine, draft, key).map(drop).map_err(|rejection| rejection.code())
}

#[test]
fn a_claim_has_one_of_the_values_that_are_expected() {
    let key = hs256();
    let judge = |expected: Expected, value: Value| {
        let engine = Engine::builder().issuer(issuer([&key]).expect_claim("c", expected)).build().unwrap();
        code(&engine, &Draft::new(&key).claim("c", value), &key)
    };
    let all = [
        json!("access"),
        json!("gold"),
        json!(true),
        json!(false),
        json!("true"),
        json!(1),
        json!(1.0),
        json!("1"),
        json!(1.5),
        json!(-3),
        json!(null),
        json!({}),
        json!({ "access": true }),
        json!("Access"),
        json!("access "),
        json!(""),
        json!(0),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(9_007_199_254_740_993_i64),
    ];
    let cases: [(Expected, &[usize]); 12] = [
        ("access".into(), &[0]),
        (["gold", "access"].into(), &[0, 1]),
        (true.into(), &[2]),
        (false.into(), &[3]),
        ("true".into(), &[4]),
        (1.into(), &[5, 6]),
        (1.0.into(), &[5, 6]),
        ("1".into(), &[7]),
        (vec![1.5, -3.0].into(), &[8, 9]),
        ("".into(), &[15]),
        (i64::MAX.into(), &[17]),
        (9_007_199_254_740_993_i64.into(), &[19]),
    ];
    for (expected, good) in cases {
        for (index, value) in all.iter().enumerate() {
            let verdict = if good.contains(&index) { Ok(()) } else { Err("wrong-claim") };
            assert_eq!(judge(expected.clone(), value.clone()), verdict, "{expected} and {value}");
            // An array has to contain one of them, at its first level.
            assert_eq!(judge(expected.clone(), json!(["x", value])), verdict, "{expected} and [{value}]");
            assert_eq!(judge(expected.clone(), json!([["x", value]])), Err("wrong-claim"), "{expected} [[{value}]]");
        }
        assert_eq!(judge(expected.clone(), json!([])), Err("wrong-claim"), "{expected}");
        assert_eq!(judge(expected, json!(vec!["x"; 129])), Err("too-many-entries"));
    }
}

#[test]
fn a_number_is_expected_exactly() {
    let key = hs256();
    let judge = |expected: i64, text: &str| {
        let engine = Engine::builder().issuer(issuer([&key]).expect_claim("c", expected)).build().unwrap();
        let claims = Draft::new(&key).claims_json();
        code(&engine, &Draft::new(&key).payload_text(format!("{{\"c\":{text},{}", &claims[1..])), &key)
    };
    for text in ["7", "7.0", "7e0", "0.7e1", "70E-1"] {
        assert_eq!(judge(7, text), Ok(()), "{text}");
    }
    for text in ["-7", "7.5", "70", "7.000001", "7e1"] {
        assert_eq!(judge(7, text), Err("wrong-claim"), "{text}");
    }
    // Doubles from 2^53 on represent several integers, and equal none of them.
    let large = 9_007_199_254_740_993;
    assert_eq!(judge(large, "9007199254740993"), Ok(()));
    for text in ["9007199254740992", "9007199254740993.0", "9007199254740992.0", "9.007199254740993e15"] {
        assert_eq!(judge(large, text), Err("wrong-claim"), "{text}");
    }
    assert_eq!(judge(0, "-0"), Ok(()));
    assert_eq!(judge(0, "-0.0"), Ok(()));
    assert_eq!(judge(i64::MAX, "9223372036854775808"), Err("wrong-claim"));
}

#[test]
fn what_is_expected_is_required_wherever_it_stands() {
    let key = hs256();
    let issuer = issuer([&key]).expect_claim("token_use", "access").expect_claim("/resource/tier", ["gold", "silver"]);
    let engine = Engine::builder().issuer(issuer).build().unwrap();
    let draft = Draft::new(&key).claim("token_use", "access");
    let of_tier = |tier: Value| draft.clone().claim("resource", json!({ "tier": tier }));
    assert_eq!(code(&engine, &of_tier(json!("gold")), &key), Ok(()));
    assert_eq!(code(&engine, &of_tier(json!("lead")), &key), Err("wrong-claim"));
    assert_eq!(code(&engine, &of_tier(json!("gold")).claim("token_use", "id"), &key), Err("wrong-claim"));
    let absent = verify(&engine, &draft, &key).unwrap_err();
    assert_eq!(absent, Rejection::MissingClaim { name: "/resource/tier".into() });
    let absent = verify(&engine, &of_tier(json!("gold")).without_claim("token_use"), &key).unwrap_err();
    assert_eq!(absent, Rejection::MissingClaim { name: "token_use".into() });
    // A claim of the same name elsewhere is a different one.
    assert_eq!(code(&engine, &draft.clone().claim("tier", "gold"), &key), Err("missing-claim"));
    assert_eq!(code(&engine, &draft.clone().claim("/resource/tier", "gold"), &key), Err("missing-claim"));

    let wrong = verify(&engine, &of_tier(json!("lead\n")), &key).unwrap_err().to_string();
    assert_eq!(wrong, format!(r#"the claim /resource/tier is "lead\n"; of {ISSUER} is expected "gold" or "silver""#));
    for long in [json!("x".repeat(4000)), json!(vec!["y"; 100]), json!("\u{7}".repeat(1000)), json!({ "a": 1 })] {
        let wrong = verify(&engine, &of_tier(long), &key).unwrap_err().to_string();
        assert!(wrong.chars().count() <= 256 && !wrong.contains(char::is_control), "{wrong}");
    }
}

#[test]
fn a_required_claim_may_stand_anywhere() {
    let key = hs256();
    let engine = Engine::builder().issuer(issuer([&key]).require_claim("/a/0")).build().unwrap();
    let with = |value: Value| code(&engine, &Draft::new(&key).claim("a", value), &key);
    assert_eq!(with(json!([0])), Ok(()));
    assert_eq!(with(json!({ "0": false })), Ok(()));
    for absent in [json!([]), json!([null]), json!({}), json!("0"), json!(null)] {
        assert_eq!(with(absent.clone()), Err("missing-claim"), "{absent}");
    }
}

#[test]
fn a20_of_the_claims_of_rfc_9068_those_named_may_be_absent() {
    let key = hs256();
    let engine = |names: &[&str]| {
        let issuer = issuer([&key]).typ(TypProfile::JwtOrAccessToken).optional_claims(names);
        Engine::builder().issuer(issuer).build().unwrap()
    };
    let without = |name: &str| Draft::new(&key).header("typ", "at+jwt").without_claim(name);
    let all = ["sub", "client_id", "iat", "jti"];
    for optional in all {
        let engine = engine(&[optional]);
        for absent in all {
            let verdict = if absent == optional { Ok(()) } else { Err("missing-claim") };
            assert_eq!(code(&engine, &without(absent), &key), verdict, "{absent} where {optional} is optional");
        }
    }
    let lax = engine(&all);
    let bare = all.iter().fold(Draft::new(&key).header("typ", "at+jwt"), |draft, name| draft.without_claim(name));
    assert_eq!(code(&lax, &bare, &key), Ok(()));
    for required in ["iss", "exp", "aud"] {
        assert_eq!(code(&lax, &without(required), &key), Err("missing-claim"), "{required}");
    }
    // An optional claim still has a type, and a subject that is mapped from elsewhere does not replace `sub`.
    assert_eq!(code(&lax, &without("sub").claim("sub", Value::Null), &key), Err("invalid-claim"));
    let mapped = issuer([&key]).typ(TypProfile::AccessToken).subject_claims(&["sub", "client_id"]);
    let mapped = Engine::builder().issuer(mapped).build().unwrap();
    assert_eq!(code(&mapped, &without("sub"), &key), Err("missing-claim"));
}

#[test]
fn a27_limits_can_be_raised_for_each_issuer_and_their_errors_name_them() {
    let key = hs256();
    let named = |name: &str| Issuer::new(name).audience(AUDIENCE).keys(key_set([&key]));
    let engine = Engine::builder()
        .issuer(named("https://narrow/").max_list_entries(2).max_members(12))
        .issuer(named("https://usual/"))
        .issuer(named("https://wide/").max_list_entries(1024).max_members(1024))
        .max_header_bytes(64 * 1024)
        .build()
        .unwrap();
    let verdict = |issuer: &str, draft: Draft| {
        let result = verify(&engine, &draft.claim("iss", issuer), &key);
        result.map(drop).map_err(|rejection| (rejection.code(), rejection.to_string()))
    };
    let audiences = |count: usize| {
        let audiences: Vec<_> = (1..count).map(|n| format!("https://{n}.example")).chain([AUDIENCE.into()]).collect();
        Draft::new(&key).claim("aud", audiences)
    };
    let clients = |count: usize| {
        let access: serde_json::Map<_, _> =
            (0..count).map(|n| (format!("client-{n}"), json!({ "roles": ["user"] }))).collect();
        Draft::new(&key).claim("resource_access", access)
    };
    let too_many = |entries: usize, max: usize| {
        let message = format!("the claim aud has {entries} entries; at most {max} are allowed (max_list_entries)");
        Err(("too-many-entries", message))
    };
    let too_wide = |members: usize, max: usize| {
        let message = format!(
            "the payload is too wide: an object has {members} members; at most {max} are allowed (max_members)"
        );
        Err(("too-many-members", message))
    };
    assert_eq!(verdict("https://narrow/", audiences(2)), Ok(()));
    assert_eq!(verdict("https://narrow/", audiences(3)), too_many(3, 2));
    assert_eq!(verdict("https://usual/", audiences(128)), Ok(()));
    assert_eq!(verdict("https://usual/", audiences(129)), too_many(129, 128));
    assert_eq!(verdict("https://wide/", audiences(1024)), Ok(()));
    assert_eq!(verdict("https://wide/", audiences(1025)), too_many(1025, 1024));
    assert_eq!(verdict("https://usual/", audiences(1025)), too_many(1025, 1024), "before the issuer is known");
    assert_eq!(verdict("https://narrow/", clients(12)), Ok(()));
    assert_eq!(verdict("https://narrow/", clients(13)), too_wide(13, 12));
    assert_eq!(verdict("https://usual/", clients(300)), too_wide(300, 256));
    assert_eq!(verdict("https://wide/", clients(300)), Ok(()));
    assert_eq!(verdict("https://wide/", clients(1025)), too_wide(1025, 1024));
    // The other issuers are no laxer because one is.
    let twins = format!("{{{}}}", vec![r#""a":0"#; 300].join(","));
    assert_eq!(verdict("https://wide/", Draft::new(&key).payload_text(twins)).unwrap_err().0, "malformed-token");
}
