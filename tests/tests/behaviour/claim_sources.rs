//! Where an issuer's tokens have their audience, scopes and client. By Engine::verify throughout.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use tollgate::{
    Algorithm, BuildError, Engine, Issuer, Principal, Rejection, Revocation, Revocations, ScopesFrom, SettingsError,
};
use tollgate_issuer::SigningKey;
use tollgate_keys::test_hooks::signature_checks;
use tollgate_tests::{AUDIENCE, Draft, ISSUER, NOW, issuer, key_set, signing_key};

struct World {
    key: SigningKey,
    revocations: Revocations,
    engine: Engine,
}

impl World {
    fn new(configure: impl FnOnce(Issuer) -> Issuer) -> Self {
        let (key, revocations) = (signing_key(Algorithm::HS256, 0), Revocations::new());
        let issuer = configure(issuer([&key]));
        let engine = Engine::builder().issuer(issuer).revocations(revocations.clone()).build().unwrap();
        World { key, revocations, engine }
    }

    /// An issuer that expects only `audience`.
    fn for_audience(audience: &str, configure: impl FnOnce(Issuer) -> Issuer) -> Self {
        let (key, revocations) = (signing_key(Algorithm::HS256, 0), Revocations::new());
        let issuer = configure(Issuer::new(ISSUER).audience(audience).keys(key_set([&key])));
        let engine = Engine::builder().issuer(issuer).revocations(revocations.clone()).build().unwrap();
        World { key, revocations, engine }
    }

    /// Verifies a valid token with these claims added or replaced.
    fn verify(&self, claims: Value) -> Result<Principal, Rejection> {
        let before = signature_checks();
        let result = self.engine.verify_at(self.token(claims).as_bytes(), NOW);
        if result.as_ref().is_err_and(|rejection| rejection.code() != "revoked") {
            assert_eq!(signature_checks(), before, "rejected only after a signature check");
        }
        result
    }

    /// A token with these claims and those that every token needs.
    fn token(&self, claims: Value) -> String {
        let mut all = json!({ "iss": ISSUER, "exp": NOW + 600, "aud": AUDIENCE });
        for (name, value) in claims.as_object().unwrap() {
            all[name] = value.clone();
        }
        Draft::new(&self.key).payload_text(all.to_string()).sign(&self.key)
    }

    /// Verifies a token with these claims, `iss` and `exp`.
    fn verify_without_aud(&self, mut claims: Value) -> Result<Principal, Rejection> {
        claims["iss"] = json!(ISSUER);
        claims["exp"] = json!(NOW + 600);
        let token = Draft::new(&self.key).payload_text(claims.to_string()).sign(&self.key);
        self.engine.verify_at(token.as_bytes(), NOW)
    }

    fn scopes(&self, claims: Value) -> Vec<String> {
        self.verify(claims).unwrap().scopes().iter().map(str::to_owned).collect()
    }

    fn code(&self, claims: Value) -> &'static str {
        self.verify(claims).map(drop).unwrap_err().code()
    }

    fn client(&self, claims: Value) -> Option<String> {
        self.verify(claims).unwrap().client_id().map(str::to_owned)
    }
}

#[test]
fn the_client_is_the_first_of_four_claims_unless_told_otherwise() {
    let world = World::new(|issuer| issuer);
    assert_eq!(world.client(json!({ "client_id": "a", "azp": "b", "cid": "c", "appid": "d" })).as_deref(), Some("a"));
    assert_eq!(world.client(json!({ "appid": "d", "cid": "c", "azp": "b" })).as_deref(), Some("b"));
    assert_eq!(world.client(json!({ "appid": "d", "cid": "c" })).as_deref(), Some("c"));
    assert_eq!(world.client(json!({ "appid": "d" })).as_deref(), Some("d"));
    assert_eq!(world.client(json!({})), None);
    let other = World::new(|issuer| issuer.client_claims(&["/client/id", "appid"]));
    assert_eq!(other.client(json!({ "client_id": "a", "appid": "d" })).as_deref(), Some("d"));
    assert_eq!(other.client(json!({ "client": { "id": "e" }, "appid": "d" })).as_deref(), Some("e"));
    assert_eq!(other.client(json!({ "client": { "name": "e" }, "azp": "b" })), None);
}

#[test]
fn a_claim_of_another_type_is_an_error_and_the_next_is_not_looked_at() {
    let of_client = World::new(|issuer| issuer);
    let of_subject = World::new(|issuer| issuer.subject_claims(&["/user/id", "sub"]));
    for wrong in [json!(null), json!(1), json!(true), json!(["x"]), json!({}), json!(""), json!("a\0b")] {
        for name in ["cid", "appid"] {
            assert_eq!(of_client.code(json!({ name: wrong, })), "invalid-claim", "{name} {wrong}");
        }
        assert_eq!(of_client.code(json!({ "cid": wrong, "appid": "d" })), "invalid-claim", "{wrong}");
        assert_eq!(of_subject.code(json!({ "user": { "id": wrong }, "sub": "s" })), "invalid-claim", "{wrong}");
        // After a claim that is used, an unregistered claim may have any value.
        assert_eq!(of_client.client(json!({ "client_id": "a", "cid": wrong })).as_deref(), Some("a"));
    }
    let rejection = of_client.verify(json!({ "cid": null })).unwrap_err();
    assert!(rejection.to_string().starts_with("the claim cid is not a string of one character or more"), "{rejection}");
    assert!(rejection.to_string().ends_with(ISSUER), "{rejection}");
    // If the path ends before the value, nothing is found.
    for user in [json!(null), json!("x"), json!([]), json!({})] {
        assert_eq!(of_subject.verify(json!({ "user": user, "sub": "s" })).unwrap().subject(), Some("s"), "{user}");
    }
}

#[test]
fn a_mapped_client_or_subject_is_the_one_that_is_revoked() {
    let of_subject = |issuer: Issuer| issuer.subject_claims(&["sub", "client_id"]);
    type Configure = fn(Issuer) -> Issuer;
    let cases: [(Configure, Value, Revocation); 4] = [
        (|issuer| issuer, json!({ "cid": "okta-app" }), Revocation::client(ISSUER, "okta-app")),
        (|issuer| issuer, json!({ "appid": "entra-app" }), Revocation::client(ISSUER, "entra-app")),
        (
            |issuer| issuer.client_claims(&["https://example.com/client"]),
            json!({ "client_id": "a", "https://example.com/client": "b" }),
            Revocation::client(ISSUER, "b"),
        ),
        (of_subject, json!({ "client_id": "machine" }), Revocation::subject(ISSUER, "machine")),
    ];
    for (configure, claims, revocation) in cases {
        let world = World::new(configure);
        let (token, other) = (world.token(claims.clone()), world.token(json!({ "client_id": "x", "sub": "y" })));
        let verify = |token: &str| world.engine.verify_at(token.as_bytes(), NOW);
        for _ in 0..4 {
            assert!(verify(&token).is_ok());
        }
        world.revocations.revoke(&revocation);
        for _ in 0..3 {
            assert_eq!(verify(&token).unwrap_err().code(), "revoked", "{revocation:?}");
        }
        let mut fresh = claims;
        fresh["n"] = json!(1);
        assert_eq!(world.verify(fresh).unwrap_err().code(), "revoked", "{revocation:?}");
        assert!(verify(&other).is_ok(), "{revocation:?}");
    }
    // A revocation does not apply to a claim that is not mapped.
    let world = World::new(|issuer| issuer.client_claims(&["azp"]));
    world.revocations.revoke(&Revocation::client(ISSUER, "okta-app"));
    assert!(world.verify(json!({ "cid": "okta-app", "azp": "b" })).is_ok());
}

#[test]
fn a33_a_client_id_is_an_audience_only_where_the_issuer_is_configured_so() {
    let world = World::for_audience("app-1", |issuer| issuer.audience_claims(&["aud", "client_id"]));
    let principal = world.verify_without_aud(json!({ "client_id": "app-1" })).unwrap();
    assert_eq!(principal.audience().collect::<Vec<_>>(), ["app-1"]);
    let code = |claims| world.verify_without_aud(claims).map(drop).map_err(|rejection| rejection.code());
    assert_eq!(code(json!({ "client_id": "app-2" })), Err("wrong-audience"));
    assert_eq!(code(json!({ "client_id": "app-1", "aud": "app-2" })), Err("wrong-audience"), "aud is there");
    assert_eq!(code(json!({ "client_id": "app-1", "aud": [] })), Err("wrong-audience"), "aud is there");
    assert_eq!(code(json!({ "client_id": "app-1", "aud": null })), Err("invalid-claim"));
    assert_eq!(code(json!({ "client_id": "app-2", "aud": "app-1" })), Ok(()));
    assert_eq!(code(json!({ "azp": "app-1", "appid": "app-1", "sub": "app-1" })), Err("missing-claim"));
    let missing = world.verify_without_aud(json!({})).unwrap_err();
    assert_eq!(missing, Rejection::MissingClaim { name: "aud or client_id".into() });

    let usual = World::for_audience("app-1", |issuer| issuer);
    assert_eq!(usual.verify_without_aud(json!({ "client_id": "app-1" })).unwrap_err().code(), "missing-claim");
    // If only `client_id` is used, `aud` is ignored.
    let alone = World::for_audience("app-1", |issuer| issuer.audience_claims(&["client_id"]));
    assert_eq!(alone.verify_without_aud(json!({ "aud": "app-1" })).unwrap_err().code(), "missing-claim");
    let wrong = alone.verify_without_aud(json!({ "aud": "app-1", "client_id": "app-2" })).unwrap_err();
    assert_eq!(wrong.code(), "wrong-audience");
}

#[test]
fn a33_an_audience_elsewhere_is_one_string_or_an_array_of_strings() {
    let world = World::for_audience("me", |issuer| issuer.audience_claims(&["/resource/servers"]));
    let verify = |servers: Value| world.verify_without_aud(json!({ "resource": { "servers": servers } }));
    for servers in [json!("me"), json!(["me"]), json!(["x", "me"])] {
        assert!(verify(servers.clone()).is_ok(), "{servers}");
    }
    for servers in [json!("me "), json!("x me"), json!([]), json!(["x"]), json!("")] {
        assert_eq!(verify(servers.clone()).unwrap_err().code(), "wrong-audience", "{servers}");
    }
    for servers in [json!(1), json!(null), json!({ "me": 1 }), json!([["me"]]), json!(["me", 1]), json!(["me", "a\0"])]
    {
        assert_eq!(verify(servers.clone()).unwrap_err().code(), "invalid-claim", "{servers}");
    }
    let many = vec!["me"; 129];
    let rejection = verify(json!(many)).unwrap_err();
    assert_eq!(rejection.code(), "too-many-entries");
    let message = rejection.to_string();
    assert!(
        message.starts_with("the claim /resource/servers has 129 entries;") && message.contains("128"),
        "{message}"
    );
}

#[test]
fn the_message_of_a_wrong_audience_has_the_value_sent_and_the_one_expected() {
    let world = World::new(|issuer| issuer.audience("second"));
    let message = |aud: Value| world.verify(json!({ "aud": aud })).unwrap_err().to_string();
    let expected = format!(r#"of {ISSUER} is expected "{AUDIENCE}" or "second""#);
    assert_eq!(message(json!("other")), format!(r#"the audience is "other"; {expected}"#));
    assert_eq!(message(json!(["a", "b\n"])), format!(r#"the audience is ["a","b\n"]; {expected}"#));
    assert_eq!(message(json!([])), format!("the audience is []; {expected}"));
    for aud in [json!("x".repeat(4000)), json!("\u{1}".repeat(1000)), json!(vec!["x"; 128]), json!("é".repeat(900))] {
        let message = message(aud);
        assert!(message.chars().count() <= 256 && message.contains("..."), "{message}");
        assert!(!message.contains(char::is_control));
    }
}

#[test]
fn scopes_come_from_the_first_claim_that_is_there() {
    let world = World::new(|issuer| issuer.scope_claims(&["scope", "permissions", "/realm_access/roles"]));
    let all = json!({ "scope": "a b", "permissions": ["c"], "realm_access": { "roles": ["d"] } });
    assert_eq!(world.scopes(all.clone()), ["a", "b"]);
    let without = |name: &str| {
        let mut claims = all.clone();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    assert_eq!(world.scopes(without("permissions")), ["a", "b"]);
    assert_eq!(world.scopes(without("scope")), ["c"]);
    assert_eq!(world.scopes(json!({ "realm_access": { "roles": ["d", "e"] } })), ["d", "e"]);
    assert_eq!(world.scopes(json!({ "scope": "", "permissions": ["c"] })), [""; 0], "it is there");
    assert_eq!(world.scopes(json!({ "permissions": [], "realm_access": { "roles": ["d"] } })), [""; 0]);
    assert_eq!(world.scopes(json!({ "scp": "a" })), [""; 0], "it is not named");
}

#[test]
fn scopes_come_from_all_claims_together_where_they_are_told_to() {
    let names = ["scope", "scp", "permissions", "/realm_access/roles", "https://example.com/roles"];
    let world = World::new(|issuer| issuer.scope_claims(&names).scopes_from(ScopesFrom::All));
    let all = json!({
        "scope": "a b", "scp": ["c"], "permissions": ["d:e"], "realm_access": { "roles": ["f"] },
        "https://example.com/roles": "g",
    });
    assert_eq!(world.scopes(all), ["a", "b", "c", "d:e", "f", "g"]);
    assert_eq!(world.scopes(json!({ "permissions": ["d:e"] })), ["d:e"]);
    let principal = world.verify(json!({ "scope": "a", "permissions": ["d", "e"] })).unwrap();
    assert!(principal.require_all(&["a", "d", "e"]).is_ok());
    assert!(principal.require_scope("f").is_err());
}

#[test]
fn scopes_of_all_claims_together_are_a_set() {
    let roles =
        |issuer: Issuer| issuer.scope_claims(&["scope", "scp", "permissions"]).prefixed_scope_claim("roles", "r:");
    let world = World::new(|issuer| roles(issuer).scopes_from(ScopesFrom::All));
    let claims = json!({
        "sub": "é", "scope": "b a  b", "scp": ["a", "c", "c"], "permissions": ["ab", "b", "d"], "roles": ["a", "a"],
    });
    assert_eq!(world.scopes(claims.clone()), ["b", "a", "c", "ab", "d", "r:a"]);
    let principal = world.verify(claims.clone()).unwrap();
    assert_eq!(principal.scopes().as_str(), "b a c ab d r:a");
    assert_eq!(principal.subject(), Some("é"));
    let first = World::new(|issuer| roles(issuer).scopes_from(ScopesFrom::First));
    assert_eq!(first.scopes(claims), ["b", "a", "b"], "of one claim they are as they were sent");
}

/// The scopes of `claims`, computed one claim and one value at a time.
fn plainest_set(claims: &Value) -> Vec<String> {
    let mut set: Vec<String> = Vec::new();
    for (name, prefix) in [("scope", ""), ("scp", ""), ("permissions", ""), ("roles", "r:"), ("groups", "r:")] {
        let values: Vec<&str> = match &claims[name] {
            Value::String(text) if name == "scope" || name == "scp" => text.split(' ').collect(),
            Value::String(text) => vec![text],
            Value::Array(entries) => entries.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        for value in values {
            let is_token = !value.is_empty() && !value.contains([' ', '"', '\\', 'é']);
            let passes_for_a_role = prefix.is_empty() && value.starts_with("r:");
            let scope = format!("{prefix}{value}");
            if is_token && !passes_for_a_role && !set.contains(&scope) {
                set.push(scope);
            }
        }
    }
    set
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn scopes_of_all_claims_together_are_those_of_each_without_repetition(
        scopes in proptest::collection::vec(select(vec!["a", "b", "ab", "ba", "r:a", "", "long-name"]), 0..40),
        scp in proptest::collection::vec(select(vec!["a", "c", "ab", "r:b"]), 0..40),
        others in proptest::collection::vec(
            proptest::collection::vec(select(vec!["a", "b", "c", "r:a", "a b", "é", "", "a\"", "long-name"]), 0..40), 3
        ),
        left_out in proptest::collection::vec(any::<bool>(), 5),
    ) {
        let mut claims = json!({ "scope": scopes.join(" "), "scp": scp, "permissions": others[0], "roles": others[1] });
        claims["groups"] = json!(others[2].first());
        if claims["groups"].is_null() || left_out[4] {
            claims.as_object_mut().unwrap().remove("groups");
        }
        for (name, left_out) in ["scope", "scp", "permissions", "roles"].into_iter().zip(left_out) {
            if left_out {
                claims.as_object_mut().unwrap().remove(name);
            }
        }
        let world = World::new(|issuer| {
            let issuer = issuer.scope_claims(&["scope", "scp", "permissions"]).prefixed_scope_claim("roles", "r:");
            issuer.prefixed_scope_claim("groups", "r:").scopes_from(ScopesFrom::All)
        });
        prop_assert_eq!(world.scopes(claims.clone()), plainest_set(&claims));
    }
}

#[test]
fn a_value_elsewhere_than_in_scope_and_scp_is_one_scope_or_none() {
    let world = World::new(|issuer| issuer.scope_claims(&["roles"]));
    assert_eq!(world.scopes(json!({ "roles": "admin" })), ["admin"]);
    for none in
        [json!("read admin"), json!(""), json!(null), json!(1), json!({ "admin": 1 }), json!("a\"b"), json!("é")]
    {
        assert_eq!(world.scopes(json!({ "roles": none })), [""; 0], "{none}");
    }
    let mixed = json!({ "roles": ["ok", "read admin", "", 1, null, ["admin"], { "admin": 1 }, "a\0b", "fine"] });
    assert_eq!(world.scopes(mixed), ["ok", "fine"]);
    // In `scope` and `scp` it is an error, wherever they are in the list, and if they are not in it.
    for list in [&["roles", "scope", "scp"][..], &["roles"]] {
        let world = World::new(|issuer| issuer.scope_claims(list));
        for wrong in [json!(["a b"]), json!(null), json!(1), json!("a\"b"), json!([1])] {
            for name in ["scope", "scp"] {
                assert_eq!(world.code(json!({ "roles": ["x"], name: wrong })), "invalid-claim", "{name} {wrong}");
            }
        }
    }
    assert_eq!(world.code(json!({ "roles": vec!["a"; 129] })), "too-many-entries");
}

#[test]
fn a_pointer_of_one_step_is_the_claim_of_that_name() {
    let world = World::new(|issuer| issuer.scope_claims(&["/scope"]));
    assert_eq!(world.scopes(json!({ "scope": "a b" })), ["a", "b"]);
    assert_eq!(world.code(json!({ "scope": ["a b"] })), "invalid-claim");
    let slashes = World::new(|issuer| issuer.scope_claims(&["/~1roles~0"]));
    assert_eq!(slashes.scopes(json!({ "/roles~": ["a"] })), ["a"]);
    let nested = World::new(|issuer| issuer.scope_claims(&["/a/1/~0x"]));
    assert_eq!(nested.scopes(json!({ "a": [0, { "~x": "b" }] })), ["b"]);
    for path in ["/a/01/~0x", "/a/-/~0x", "/a/2/~0x", "/a/+1/~0x"] {
        let nested = World::new(|issuer| issuer.scope_claims(&[path]));
        assert_eq!(nested.scopes(json!({ "a": [0, { "~x": "b" }] })), [""; 0], "{path}");
    }
    let object = World::new(|issuer| issuer.scope_claims(&["/a/01"]));
    assert_eq!(object.scopes(json!({ "a": { "01": "b" } })), ["b"]);
}

#[test]
fn a_scope_that_was_asked_for_does_not_pass_for_a_role() {
    let roles = |issuer: Issuer| {
        issuer
            .scope_claims(&["scope", "permissions"])
            .prefixed_scope_claim("/realm_access/roles", "role:")
            .prefixed_scope_claim("groups", "group/")
    };
    for which in [ScopesFrom::First, ScopesFrom::All] {
        let world = World::new(|issuer| roles(issuer).scopes_from(which));
        for asked in [json!("role:admin"), json!("read role:admin"), json!(["role:admin"]), json!("role: group/x")] {
            let principal = world.verify(json!({ "scope": asked, "permissions": ["role:admin"] })).unwrap();
            assert!(principal.require_scope("role:admin").is_err(), "{asked}");
            assert!(principal.scopes().iter().all(|scope| scope == "read"), "{asked} {principal:?}");
        }
        let of_groups = world.verify(json!({ "groups": ["role:admin", "a"] })).unwrap();
        assert_eq!(of_groups.scopes().iter().collect::<Vec<_>>(), ["group/role:admin", "group/a"]);
    }
    let world = World::new(|issuer| roles(issuer).scopes_from(ScopesFrom::All));
    let claims = json!({ "scope": "read", "realm_access": { "roles": ["admin", "two words", ""] } });
    assert_eq!(world.scopes(claims), ["read", "role:admin"]);
    // A prefix of the scopes themselves also separates them.
    let both = World::new(|issuer| {
        let issuer = issuer.scope_claims(&["roles"]).prefixed_scope_claim("scope", "asked:");
        issuer.scopes_from(ScopesFrom::All)
    });
    assert_eq!(both.scopes(json!({ "scope": "admin x", "roles": ["a", "asked:b"] })), ["a", "asked:admin", "asked:x"]);
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let refusal = |configure: fn(Issuer) -> Issuer| match Engine::builder()
        .issuer(configure(issuer([])))
        .build()
        .map(drop)
        .unwrap_err()
    {
        BuildError::Issuer { issuer, error } if *issuer == *ISSUER => error,
        other => panic!("{other:?}"),
    };
    type Configure = fn(Issuer) -> Issuer;
    let cases: [(Configure, &str); 25] = [
        (|issuer| issuer.audience(""), "has an audience that is empty"),
        (|issuer| issuer.algorithms(&[]), "has an empty list of algorithms; without the list all are accepted"),
        (|issuer| issuer.audience_claims(&[]), "has an empty list of claims for the audience"),
        (|issuer| issuer.audience_claims(&["aud", "aud"]), "names the claim aud twice among those of audience"),
        (|issuer| issuer.client_claims(&["azp", "/azp"]), "names the claim azp twice among those of client"),
        (|issuer| issuer.subject_claims(&["/a/b", "/a/b"]), "names the claim /a/b twice among those of subject"),
        (|issuer| issuer.scope_claims(&["scp", "scp"]), "names the claim scp twice among those of scopes"),
        (|issuer| issuer.scope_claims(&[""]), "names a claim that cannot be: the name of a claim must not be empty"),
        (
            |issuer| issuer.require_claim("/a/~2"),
            r#"names a claim that cannot be: "/a/~2" is no JSON Pointer: after ~ comes 0 or 1 (RFC 6901)"#,
        ),
        (
            |issuer| issuer.expect_claim("/~", "x"),
            r#"names a claim that cannot be: "/~" is no JSON Pointer: after ~ comes 0 or 1 (RFC 6901)"#,
        ),
        (
            |issuer| issuer.prefixed_scope_claim("roles", ""),
            r#"has a wrong prefix: "" is no prefix of scopes: 1 to 64 characters of a scope-token (RFC 6749 section 3.3)"#,
        ),
        (
            |issuer| issuer.prefixed_scope_claim("roles", "a "),
            r#"has a wrong prefix: "a " is no prefix of scopes: 1 to 64 characters of a scope-token (RFC 6749 section 3.3)"#,
        ),
        (
            |issuer| issuer.prefixed_scope_claim("a", "r:").prefixed_scope_claim("b", "r:x"),
            r#"has the prefixes "r:" and "r:x", of which one begins with the other"#,
        ),
        (
            |issuer| issuer.optional_claims(&["sub", "exp"]),
            r#"has wrong optional_claims: "exp" cannot be made optional; sub, client_id, iat and jti can"#,
        ),
        (
            |issuer| issuer.optional_claims(&["iss"]),
            r#"has wrong optional_claims: "iss" cannot be made optional; sub, client_id, iat and jti can"#,
        ),
        (
            |issuer| issuer.optional_claims(&["aud"]),
            r#"has wrong optional_claims: "aud" cannot be made optional; sub, client_id, iat and jti can"#,
        ),
        (
            |issuer| issuer.optional_claims(&["tenant"]),
            r#"has wrong optional_claims: "tenant" cannot be made optional; sub, client_id, iat and jti can"#,
        ),
        (
            |issuer| issuer.optional_claims(&["jti"]).require_claim("/jti"),
            "has jti among require_claims and among optional_claims",
        ),
        (|issuer| issuer.expect_claim("a", Vec::<&str>::new()), "expects a to be one of no values"),
        (
            |issuer| issuer.expect_claim("/a/b", 9_007_199_254_740_992.0),
            "expects /a/b to be a number with a fraction beyond 2^53, which others read as too",
        ),
        (
            |issuer| issuer.expect_claim("a", f64::NAN),
            "expects a to be a number with a fraction beyond 2^53, which others read as too",
        ),
        (|issuer| issuer.max_list_entries(0), "has max_list_entries = 0; it may be 1 to 32768"),
        (|issuer| issuer.max_members(0), "has max_members = 0; it may be 3 to 16384"),
        (|issuer| issuer.max_members(16385), "has max_members = 16385; it may be 3 to 16384"),
        (
            |issuer| (0..65).fold(issuer, |issuer, n| issuer.require_claim(&format!("claim-{n}"))),
            "names more than 64 claims",
        ),
    ];
    for (configure, message) in cases {
        assert_eq!(refusal(configure).to_string(), message);
    }
    assert_eq!(refusal(|issuer| issuer.leeway(301)), SettingsError::LeewayTooLong { leeway: 301 });
    // The first error is kept, and a later method does not fix it.
    let first: Configure = |issuer| issuer.require_claim("").optional_claims(&["exp"]).require_claim("a");
    assert!(matches!(refusal(first), SettingsError::ClaimPath(_)));
    // Equal prefixes are one name space, and 64 claims are allowed.
    let equal =
        issuer([&signing_key(Algorithm::ES256, 0)]).prefixed_scope_claim("a", "r:").prefixed_scope_claim("b", "r:");
    let equal = (0..62).fold(equal, |issuer, n| issuer.require_claim(&format!("claim-{n}")));
    assert!(Engine::builder().issuer(equal).build().is_ok());
}
