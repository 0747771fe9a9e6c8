//! Requirements of scopes, kinds, issuers and claims, and of all and any of them.

use proptest::prelude::*;
use serde_json::json;
use tollgate::{
    Algorithm, ApiKey, ApiKeyTable, Engine, InvalidRequirement, KeyFormat, KeyRecord, Principal, PrincipalKind,
    Rejection, Requirement,
};
use tollgate_tests::{Draft, ISSUER, NOW, engine, signing_key};

fn of_token(scopes: &str) -> Principal {
    let key = signing_key(Algorithm::HS256, 0);
    let draft = Draft::new(&key).claim("scope", scopes).claim("tenant", "t1").claim("groups", json!(["a", 7]));
    let draft = draft.claim("resource", json!({ "tier": "gold", "list": [{ "x": true }] }));
    engine([&key]).verify_at(draft.sign(&key), NOW).unwrap()
}

fn of_key(scopes: &[&str]) -> Principal {
    let format = KeyFormat::new("tg", "live").unwrap();
    let (key, table) = (ApiKey::generate(&format).unwrap(), ApiKeyTable::new(format));
    table.insert(&key, KeyRecord::api_key("key_1", "user_7").scopes(scopes.iter().copied()));
    Engine::builder().api_keys(table).build().unwrap().verify(key.as_str()).unwrap()
}

fn scope(name: &str) -> Requirement {
    Requirement::scope(name)
}

fn all<const N: usize>(parts: [Requirement; N]) -> Requirement {
    Requirement::all(parts)
}

fn any<const N: usize>(parts: [Requirement; N]) -> Requirement {
    Requirement::any(parts)
}

fn jwt() -> Requirement {
    Requirement::kind(PrincipalKind::Jwt)
}

#[test]
fn each_part_is_met_by_those_that_have_it() {
    let (token, key) = (of_token("read write"), of_key(&["read"]));
    let meets = |principal: &Principal, requirement: &Requirement| principal.require(requirement).is_ok();
    for (requirement, by_token, by_key) in [
        (scope("read"), true, true),
        (scope("write"), true, false),
        (scope("rea"), false, false),
        (jwt(), true, false),
        (Requirement::kind(PrincipalKind::ApiKey), false, true),
        (Requirement::issuer(ISSUER), true, false),
        (Requirement::issuer("https://other/"), false, false),
        (Requirement::issuer(""), false, false),
        (Requirement::claim("tenant", "t1"), true, false),
        (Requirement::claim("tenant", ["t0", "t1"]), true, false),
        (Requirement::claim("tenant", "t2"), false, false),
        (Requirement::claim("/resource/tier", "gold"), true, false),
        (Requirement::claim("/resource/list/0/x", true), true, false),
        (Requirement::claim("groups", 7), true, false),
        (Requirement::claim("groups", "7"), false, false),
        (Requirement::claim("absent", "x"), false, false),
        (all([scope("read"), jwt()]), true, false),
        (any([scope("admin"), scope("read")]), true, true),
        (any([all([scope("admin")]), all([scope("read"), any([jwt(), scope("x")])])]), true, false),
    ] {
        assert_eq!((meets(&token, &requirement), meets(&key, &requirement)), (by_token, by_key), "{requirement}");
        assert!(requirement.check().is_ok(), "{requirement}");
    }
}

#[test]
fn a_rejection_names_the_scopes_that_would_help() {
    let token = of_token("read");
    let rejection = |requirement: Requirement| token.require(&requirement).unwrap_err();
    let needs = |scopes: &str| Rejection::InsufficientScope { required: scopes.into() };
    assert_eq!(rejection(scope("write")), needs("write"));
    assert_eq!(rejection(all([scope("read"), scope("write")])), needs("read write"), "all that the route requires");
    assert_eq!(rejection(any([scope("a"), scope("b")])), needs("a b"));
    assert_eq!(rejection(all([scope("a"), any([scope("a"), scope("b")])])), needs("a b"), "each once");
    assert_eq!(rejection(all([jwt(), scope("write")])), needs("write"));
    // An alternative that is already met needs nothing else, and parts that no scope can meet are left out.
    assert_eq!(rejection(all([any([jwt(), scope("x")]), scope("write")])), needs("write"));
    assert_eq!(rejection(all([any([scope("x"), scope("read")]), scope("write")])), needs("read write"));
    let client = Requirement::kind(PrincipalKind::Client);
    assert_eq!(rejection(any([all([client.clone(), scope("x")]), scope("write")])), needs("write"));
    let forbidden = rejection(scope("write"));
    assert_eq!((forbidden.status(), forbidden.code()), (403, "insufficient-scope"));
    assert_eq!(forbidden.challenge().to_string(), r#"Bearer error="insufficient_scope", scope="write""#);

    let unmet = rejection(all([client, scope("write")]));
    assert_eq!((unmet.status(), unmet.code()), (403, "requirement-not-met"));
    assert_eq!(
        unmet.to_string(),
        r#"the caller does not meet what is required: (the kind client and the scope "write")"#
    );
    assert_eq!(unmet.challenge().to_string(), r#"Bearer error="insufficient_scope""#);
    let claims = rejection(any([Requirement::claim("/a/b", [1, 2]), Requirement::issuer("https://x/\n")]));
    assert_eq!(
        claims.to_string(),
        r#"the caller does not meet what is required: (the claim /a/b of 1 or 2 or the issuer "https://x/\n")"#
    );
    let long = rejection(Requirement::issuer(&"x".repeat(10_000)));
    assert!(long.to_string().len() <= 256, "{long}");
}

/// RFC 9470.
#[test]
fn a_login_is_required_to_be_recent_and_of_a_kind() {
    let key = signing_key(Algorithm::HS256, 0);
    let of = |auth_time: serde_json::Value, acr: serde_json::Value| {
        let draft = Draft::new(&key).claim("auth_time", auth_time).claim("acr", acr);
        engine([&key]).verify_at(draft.sign(&key), NOW).unwrap()
    };
    let (recent, mfa) = (Requirement::login_within(300), Requirement::acr(["urn:example:mfa", "urn:example:key"]));
    for (auth_time, acr, is_recent, is_mfa) in [
        (json!(NOW - 300), json!("urn:example:mfa"), true, true),
        (json!(NOW - 301), json!("urn:example:key"), false, true),
        (json!(NOW + 5), json!("urn:example:password"), true, false),
        (json!(i64::MIN), json!(""), false, false),
        (json!("soon"), json!(["urn:example:mfa"]), false, false),
        (json!(null), json!(null), false, false),
    ] {
        let principal = of(auth_time.clone(), acr.clone());
        assert_eq!(principal.require_at(&recent, NOW).is_ok(), is_recent, "{auth_time}");
        assert_eq!(principal.require_at(&mfa, NOW).is_ok(), is_mfa, "{acr}");
    }
    assert!(of_token("read").require_at(&recent, NOW).is_err(), "without auth_time");
    // By the system's clock, no login of that time is recent.
    assert!(of(json!(NOW), json!("")).require(&recent).is_err());

    let old = of(json!(NOW - 1000), json!("urn:example:password"));
    let rejection = |requirement: Requirement| old.require_at(&requirement, NOW).unwrap_err();
    let challenge = |requirement: Requirement| rejection(requirement).challenge().to_string();
    let error = r#"Bearer error="insufficient_user_authentication""#;
    assert_eq!(challenge(recent.clone()), format!(r#"{error}, max_age="300""#));
    assert_eq!(challenge(mfa.clone()), format!(r#"{error}, acr_values="urn:example:mfa urn:example:key""#));
    let both = all([recent.clone(), Requirement::login_within(60), mfa.clone(), mfa.clone(), scope("read:sites")]);
    assert_eq!(
        challenge(both.clone()),
        format!(r#"{error}, acr_values="urn:example:mfa urn:example:key", max_age="60""#)
    );
    assert_eq!(
        (rejection(both.clone()).status(), rejection(both.clone()).code()),
        (401, "insufficient-user-authentication")
    );
    assert_eq!(
        rejection(both).to_string(),
        r#"the user has to log in again, at most 60 s before, with an acr of "urn:example:mfa urn:example:key""#
    );
    // No login helps if another part cannot be met, and none is asked for if an alternative is met.
    let client = Requirement::kind(PrincipalKind::Client);
    assert_eq!(rejection(all([client, recent.clone()])).code(), "requirement-not-met");
    assert_eq!(rejection(all([any([recent.clone(), jwt()]), scope("x")])).code(), "insufficient-scope");
    // A key has no login, and cannot get one.
    assert_eq!(of_key(&["read"]).require_at(&recent, NOW).unwrap_err().code(), "requirement-not-met");
    assert_eq!(of_key(&["read"]).require_at(&any([recent, scope("x")]), NOW).unwrap_err().code(), "insufficient-scope");

    for text in ["", "a b", "a\"b"] {
        let error = InvalidRequirement::NotAnAcr { text: text.into() };
        assert_eq!(Requirement::acr(["ok", text]).check(), Err(error));
    }
    assert_eq!(Requirement::acr::<&str>([]).check(), Err(InvalidRequirement::Empty));
    assert_eq!(all([mfa, Requirement::login_within(0)]).check(), Ok(()));
}

#[test]
fn a60_a_requirement_that_says_nothing_is_met_by_nobody() {
    let token = of_token("read");
    let invalid = |requirement: &Requirement| {
        let Err(Rejection::InvalidRequirement { error }) = token.require(requirement) else {
            panic!("{requirement}");
        };
        assert_eq!(requirement.check(), Err(error.clone()), "{requirement}");
        error
    };
    assert_eq!(invalid(&all([])), InvalidRequirement::Empty);
    assert_eq!(invalid(&any([])), InvalidRequirement::Empty);
    assert_eq!(invalid(&all([scope("read"), all([])])), InvalidRequirement::Empty);
    assert_eq!(invalid(&Requirement::claim("tenant", Vec::<&str>::new())), InvalidRequirement::Empty);
    assert_eq!(invalid(&scope("read write")), InvalidRequirement::NotAScope { text: "read write".into() });
    assert_eq!(invalid(&scope("")), InvalidRequirement::NotAScope { text: "".into() });
    assert!(matches!(invalid(&Requirement::claim("", "x")), InvalidRequirement::ClaimPath(_)));
    assert!(matches!(invalid(&Requirement::claim("/~", "x")), InvalidRequirement::ClaimPath(_)));
    // Beside a part that is met, or that a scope would help with, only `check` finds the fault.
    let beside = any([all([]), scope("read")]);
    assert!(token.require(&beside).is_ok());
    assert_eq!(beside.check(), Err(InvalidRequirement::Empty));
    let beside = any([scope("a b"), scope("write")]);
    assert_eq!(token.require(&beside), Err(Rejection::InsufficientScope { required: "write".into() }));
    let rejection = token.require(&all([])).unwrap_err();
    assert_eq!((rejection.status(), rejection.code()), (500, "invalid-requirement"));
    assert_eq!(rejection.challenge().to_string(), "Bearer");
}

#[test]
fn the_claims_of_a_wide_token_are_looked_at_too() {
    let key = signing_key(Algorithm::HS256, 0);
    let wide = tollgate_tests::issuer([&key]).max_members(1000);
    let engine = Engine::builder().issuer(wide).max_header_bytes(64 * 1024).build().unwrap();
    let members: serde_json::Map<_, _> = (0..900).map(|n| (format!("m{n}"), json!(n))).collect();
    let principal = engine.verify_at(Draft::new(&key).claim("wide", members).sign(&key), NOW).unwrap();
    assert!(principal.require(&Requirement::claim("/wide/m899", 899)).is_ok());
    assert!(principal.require(&Requirement::claim("/wide/m899", 898)).is_err());
}

/// A tree of scopes, and its naive evaluation for granted scopes.
#[derive(Clone, Debug)]
enum Tree {
    Scope(String),
    All(Vec<Tree>),
    Any(Vec<Tree>),
}

impl Tree {
    fn requirement(&self) -> Requirement {
        match self {
            Tree::Scope(name) => Requirement::scope(name),
            Tree::All(parts) => Requirement::all(parts.iter().map(Tree::requirement)),
            Tree::Any(parts) => Requirement::any(parts.iter().map(Tree::requirement)),
        }
    }

    fn is_met(&self, granted: &[&str]) -> bool {
        match self {
            Tree::Scope(name) => granted.contains(&&**name),
            Tree::All(parts) => !parts.is_empty() && parts.iter().all(|part| part.is_met(granted)),
            Tree::Any(parts) => parts.iter().any(|part| part.is_met(granted)),
        }
    }
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = "[a-e]{0,1}".prop_map(Tree::Scope);
    leaf.prop_recursive(4, 24, 4, |inner| {
        let parts = prop::collection::vec(inner, 0..4);
        prop_oneof![parts.clone().prop_map(Tree::All), parts.prop_map(Tree::Any)]
    })
}

proptest! {
    #[test]
    fn a_tree_is_met_as_its_naive_reading_says_and_with_the_scopes_of_the_rejection(
        tree in trees(),
        granted in prop::collection::vec("[a-e]", 0..4),
    ) {
        let granted: Vec<&str> = granted.iter().map(String::as_str).collect();
        let requirement = tree.requirement();
        match of_key(&granted).require(&requirement) {
            Ok(()) => prop_assert!(tree.is_met(&granted)),
            Err(Rejection::InsufficientScope { required }) => {
                prop_assert!(!tree.is_met(&granted));
                let with: Vec<&str> = required.split(' ').chain(granted.iter().copied()).collect();
                prop_assert!(tree.is_met(&with) && of_key(&with).require(&requirement).is_ok());
            }
            Err(Rejection::InvalidRequirement { error }) => {
                prop_assert_eq!(requirement.check(), Err(error));
                prop_assert!(!tree.is_met(&["a", "b", "c", "d", "e"]));
            }
            Err(other) => prop_assert!(false, "{other:?}"),
        }
    }
}
