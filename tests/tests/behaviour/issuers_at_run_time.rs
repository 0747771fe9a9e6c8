//! Issuers that are added to a running engine, replaced and removed. By Engine::verify throughout.

use serde_json::json;
use tollgate::{
    Algorithm, ApiKeyTable, BuildError, Engine, Issuer, KeyFormat, KeyRing, RefusalCode, TypProfile, TypSet,
};
use tollgate_issuer::SigningKey;
use tollgate_keys::test_hooks::signature_checks;
use tollgate_tests::{AUDIENCE, Draft, ISSUER, NOW, engine, issuer, key_set, signing_key};

const OTHER: &str = "https://other.example.com/";

fn hs256(index: usize) -> SigningKey {
    signing_key(Algorithm::HS256, index)
}

fn other(key: &SigningKey) -> Issuer {
    Issuer::new(OTHER).audience(AUDIENCE).keys(key_set([key]))
}

fn of_other(key: &SigningKey) -> Draft {
    Draft::new(key).claim("iss", OTHER)
}

/// The issuer of the principal or the code of the rejection, and how many signatures were checked for it.
fn verify(engine: &Engine, token: &str) -> (Result<String, &'static str>, u64) {
    let before = signature_checks();
    let result = engine.verify_at(token, NOW);
    let result = result.map(|principal| principal.issuer().unwrap().to_owned()).map_err(|rejection| rejection.code());
    (result, signature_checks() - before)
}

fn accepted(issuer: &str, checks: u64) -> (Result<String, &'static str>, u64) {
    (Ok(issuer.to_owned()), checks)
}

fn rejected(code: &'static str) -> (Result<String, &'static str>, u64) {
    (Err(code), 0)
}

/// Verifies the tokens until they are in this thread's own table.
fn warm(engine: &Engine, tokens: &[&str]) {
    for token in tokens {
        for _ in 0..4 {
            engine.verify_at(token, NOW).unwrap();
        }
    }
}

#[test]
fn an_issuer_that_is_added_is_accepted_and_nothing_else_changes() {
    let key = hs256(0);
    let engine = engine([&key]);
    let [own, others] = [Draft::new(&key).sign(&key), of_other(&key).sign(&key)];
    warm(&engine, &[&own]);
    assert_eq!(verify(&engine, &others), rejected("unknown-issuer"));
    engine.add_issuer(other(&key)).unwrap();
    assert_eq!(verify(&engine, &others), accepted(OTHER, 1));
    assert_eq!(verify(&engine, &others), accepted(OTHER, 0));
    assert_eq!(verify(&engine, &own), accepted(ISSUER, 0), "it was verified anew");
    // By equality, with one name and with two.
    let third = Draft::new(&key).claim("iss", "https://other.example.com").sign(&key);
    assert_eq!(verify(&engine, &third), rejected("unknown-issuer"));
}

#[test]
fn an_issuer_whose_name_is_there_is_not_added() {
    let key = hs256(0);
    let template =
        || Issuer::new("https://many.example/{t}").tenant_claim("tid").audience(AUDIENCE).keys(key_set([&key]));
    let engine = Engine::builder().issuer(issuer([&key])).issuer(template()).build().unwrap();
    let refused = |issuer: Issuer| {
        let name = issuer.settings().name.as_str().into();
        assert_eq!(engine.add_issuer(issuer), Err(BuildError::IssuerExists { issuer: name }));
    };
    refused(issuer([&key]).leeway(0));
    refused(issuer([&key]).typ(TypProfile::AccessToken));
    refused(template());
    let overlapping =
        Issuer::new("https://many.example/a{t}").tenant_claim("tid").audience(AUDIENCE).keys(key_set([&key]));
    assert!(matches!(engine.add_issuer(overlapping), Err(BuildError::TemplatesOverlap { .. })));
    assert!(matches!(engine.add_issuer(Issuer::new(OTHER)), Err(BuildError::Issuer { .. })));
    assert_eq!(verify(&engine, &of_other(&key).sign(&key)), rejected("unknown-issuer"));
}

#[test]
fn a40_a_removed_issuer_is_not_accepted_and_its_tokens_in_the_cache_are_not_either() {
    let key = hs256(0);
    let engine = Engine::builder().issuer(issuer([&key])).issuer(other(&key)).build().unwrap();
    let [own, others] = [Draft::new(&key).sign(&key), of_other(&key).sign(&key)];
    let elsewhere = |token: &str| std::thread::scope(|scope| scope.spawn(|| verify(&engine, token)).join().unwrap());
    warm(&engine, &[&own, &others]);
    assert!(engine.remove_issuer(OTHER));
    for _ in 0..2 {
        assert_eq!(verify(&engine, &others), rejected("unknown-issuer"));
        assert_eq!(elsewhere(&others), rejected("unknown-issuer"));
        assert_eq!(verify(&engine, &own), accepted(ISSUER, 0));
    }
    assert!(!engine.remove_issuer(OTHER));
    // Adding it again does not restore tokens that were valid before.
    engine.add_issuer(other(&key)).unwrap();
    assert_eq!(verify(&engine, &others), accepted(OTHER, 1));
    // The last issuer can be removed, too.
    assert!(engine.remove_issuer(OTHER) && engine.remove_issuer(ISSUER));
    assert_eq!(verify(&engine, &own), rejected("unknown-issuer"));
}

#[test]
fn a40_tokens_of_a_replaced_issuer_are_verified_anew() {
    let [key, new_key] = [0, 1].map(hs256);
    let refuse = |issuer: Issuer| issuer.validator(|_| Err(RefusalCode::new("refused-here").refuse("so")));
    // A static set would need a key that can be used, so this is a ring.
    let key_ring = KeyRing::new(key_set([&key]));
    let replacements: [(&str, Issuer, Result<(), &str>); 6] = [
        ("the same", other(&key), Ok(())),
        ("audience", Issuer::new(OTHER).audience("urn:x").keys(key_set([&key])), Err("wrong-audience")),
        ("keys", other(&new_key), Err("unknown-key")),
        ("algorithms", other(&key).keys(key_ring).algorithms(&[Algorithm::ES256]), Err("algorithm-not-allowed")),
        ("expectations", other(&key).expect_claim("sub", "user-2"), Err("wrong-claim")),
        ("validators", refuse(other(&key)), Err("refused-here")),
    ];
    for (what, replacement, expected) in replacements {
        let engine = Engine::builder().issuer(issuer([&key])).issuer(other(&key)).build().unwrap();
        let [own, others] = [Draft::new(&key).sign(&key), of_other(&key).sign(&key)];
        warm(&engine, &[&own, &others]);
        engine.replace_issuers([replacement]).unwrap();
        let before = signature_checks();
        assert_eq!(verify(&engine, &others).0.map(drop), expected, "{what}");
        assert_eq!(signature_checks() > before, matches!(expected, Ok(()) | Err("refused-here")), "{what}");
        assert_eq!(verify(&engine, &own), accepted(ISSUER, 0), "{what}");
    }
}

#[test]
fn the_times_of_a_token_are_judged_by_the_policy_that_is_there() {
    let key = hs256(0);
    let token = Draft::new(&key).claim("exp", NOW + 100).sign(&key);
    let engine = Engine::builder().issuer(issuer([&key]).leeway(0)).build().unwrap();
    warm(&engine, &[&token]);
    let at = |seconds: i64| engine.verify_at(&token, NOW + seconds).map(drop).map_err(|rejection| rejection.code());
    assert_eq!(at(150), Err("expired"));
    engine.replace_issuers([issuer([&key]).leeway(300)]).unwrap();
    assert_eq!(at(150), Ok(()));
    engine.replace_issuers([issuer([&key]).leeway(0)]).unwrap();
    assert_eq!(at(150), Err("expired"));
    engine.remove_issuer(ISSUER);
    assert_eq!(at(150), Err("unknown-issuer"));
}

#[test]
fn all_policies_of_a_name_are_replaced_together() {
    let key = hs256(0);
    let engine = engine([&key]);
    let of_typ = |typ: &str| Draft::new(&key).header("typ", typ).sign(&key);
    let policy = |typ: &str| issuer([&key]).typ(TypProfile::OneOf(TypSet::new([typ]).unwrap()));
    assert_eq!(verify(&engine, &of_typ("a")), rejected("type-not-allowed"));
    engine.replace_issuers([policy("a"), other(&key), policy("b").require_claim("b")]).unwrap();
    assert_eq!(verify(&engine, &of_typ("a")), accepted(ISSUER, 1));
    assert_eq!(verify(&engine, &of_typ("b")), rejected("missing-claim"));
    assert_eq!(verify(&engine, &of_typ("JWT")), rejected("type-not-allowed"));
    assert_eq!(verify(&engine, &of_other(&key).sign(&key)), accepted(OTHER, 1));
    // An error changes nothing, whatever comes before it.
    let overlap = engine.replace_issuers([policy("c"), policy("c")]);
    assert_eq!(overlap, Err(BuildError::IssuersOverlap { issuer: ISSUER.into() }));
    assert!(engine.replace_issuers([policy("c"), Issuer::new(OTHER)]).is_err());
    assert_eq!(verify(&engine, &of_typ("a")), accepted(ISSUER, 0));
    assert_eq!(verify(&engine, &of_typ("c")), rejected("type-not-allowed"));
    assert!(engine.remove_issuer(ISSUER));
    assert_eq!(verify(&engine, &of_typ("a")), rejected("unknown-issuer"));
}

#[test]
fn a34_a_full_name_takes_a_tenant_from_a_template_and_gives_it_back() {
    let [shared, own] = [0, 1].map(hs256);
    let template = |key: &SigningKey| {
        Issuer::new("https://many.example/{t}/").tenant_claim("tid").audience(AUDIENCE).keys(key_set([key]))
    };
    let engine = Engine::builder().issuer(template(&shared)).build().unwrap();
    let token = |tenant: &str| {
        Draft::new(&shared).claim("iss", format!("https://many.example/{tenant}/")).claim("tid", tenant).sign(&shared)
    };
    let [one, two] = ["one", "two"].map(token);
    warm(&engine, &[&one, &two]);
    let name = "https://many.example/one/";
    engine.add_issuer(Issuer::new(name).audience(AUDIENCE).keys(key_set([&own]))).unwrap();
    assert_eq!(verify(&engine, &one), rejected("unknown-key"));
    assert_eq!(verify(&engine, &two), accepted("https://many.example/two/", 0));
    assert!(engine.remove_issuer(name));
    assert_eq!(verify(&engine, &one), accepted(name, 1));
    engine.replace_issuers([template(&shared).tenants(&["two"])]).unwrap();
    assert_eq!(verify(&engine, &one), rejected("unknown-issuer"));
    assert_eq!(verify(&engine, &two), accepted("https://many.example/two/", 1));
    // The name of a tenant does not remove the template.
    assert!(!engine.remove_issuer("https://many.example/two/") && engine.remove_issuer("https://many.example/{t}/"));
    assert_eq!(verify(&engine, &two), rejected("unknown-issuer"));
}

#[test]
fn limits_of_an_issuer_hold_for_it_alone_also_when_it_comes_later() {
    let key = hs256(0);
    let engine = engine([&key]);
    let many: Vec<String> = (0..200).map(|index| format!("urn:{index}")).chain([AUDIENCE.to_owned()]).collect();
    let [own, others] = [Draft::new(&key), of_other(&key)].map(|draft| draft.claim("aud", json!(many)).sign(&key));
    assert_eq!(verify(&engine, &own), rejected("too-many-entries"));
    engine.add_issuer(other(&key).max_list_entries(300)).unwrap();
    assert_eq!(verify(&engine, &others), accepted(OTHER, 1));
    assert_eq!(verify(&engine, &own), rejected("too-many-entries"));
    engine.replace_issuers([other(&key)]).unwrap();
    assert_eq!(verify(&engine, &others), rejected("too-many-entries"));
    assert_eq!(verify(&engine, &own), rejected("too-many-entries"));
}

#[test]
fn an_engine_without_issuers_takes_some_where_it_was_told_so() {
    let key = hs256(0);
    let table = || ApiKeyTable::new(KeyFormat::new("tg", "live").unwrap());
    let token = Draft::new(&key).sign(&key);
    let engine = Engine::builder().api_keys(table()).build().unwrap();
    assert_eq!(engine.add_issuer(issuer([&key])), Err(BuildError::JwtsNotAccepted));
    assert_eq!(engine.replace_issuers([issuer([&key])]), Err(BuildError::JwtsNotAccepted));
    assert_eq!(verify(&engine, &token), rejected("credential-not-accepted"));
    for builder in [Engine::builder(), Engine::builder().api_keys(table())] {
        let engine = builder.issuers_at_run_time().build().unwrap();
        assert_eq!(verify(&engine, &token), rejected("unknown-issuer"));
        engine.add_issuer(issuer([&key])).unwrap();
        assert_eq!(verify(&engine, &token), accepted(ISSUER, 1));
    }
}

#[test]
fn many_issuers_are_each_found_added_and_removed() {
    let key = hs256(0);
    let keys = key_set([&key]);
    let name = |index: usize| format!("https://login.example/{index:032x}/v2.0");
    let tenant = |index: usize| Issuer::new(&name(index)).audience(AUDIENCE).keys(keys.clone());
    let engine = Engine::builder().no_cache().issuers_at_run_time().build().unwrap();
    engine.replace_issuers((0..1000).map(tenant)).unwrap();
    (1000..1200).for_each(|index| engine.add_issuer(tenant(index)).unwrap());
    let token = |index: usize| Draft::new(&key).claim("iss", name(index)).sign(&key);
    (0..1200).step_by(7).for_each(|index| assert!(engine.remove_issuer(&name(index))));
    for index in 0..1201 {
        let expected = if index % 7 == 0 || index == 1200 { Err("unknown-issuer") } else { Ok(name(index)) };
        assert_eq!(verify(&engine, &token(index)).0, expected, "{index}");
    }
}
