//! docs/claims.md, sentence by sentence: each configuration as written there, and its effect on tokens.

use serde_json::{Value, json};
use tollgate::Algorithm;
use tollgate_issuer::SigningKey;
use tollgate_tests::{AUDIENCE, Draft, ISSUER, NOW, signing_key};

use crate::support::{Folder, Run, run};

const DOCUMENT: &str = include_str!("../../../../docs/claims.md");

/// The configuration in the section `title`.
fn example(title: &str) -> &'static str {
    let section = DOCUMENT.split("\n## ").find(|section| section.lines().next() == Some(title)).expect(title);
    section.split("```toml\n").nth(1).and_then(|block| block.split("```").next()).expect(title)
}

/// An issuer with additional lines.
fn issuer(lines: &str) -> String {
    issuer_for(AUDIENCE, lines)
}

fn issuer_for(audience: &str, lines: &str) -> String {
    format!("[[issuer]]\nname = {ISSUER:?}\naudiences = [{audience:?}]\njwks = \"keys.json\"\n{lines}\n")
}

fn key() -> SigningKey {
    signing_key(Algorithm::ES256, 0)
}

/// A token with `iss`, `aud`, `exp` and these claims; `null` removes one.
fn token(claims: Value) -> Draft {
    let draft = ["sub", "iat", "jti", "client_id", "scope"].into_iter().fold(Draft::new(&key()), Draft::without_claim);
    claims.as_object().unwrap().iter().fold(draft, |draft, (name, value)| match value {
        Value::Null => draft.without_claim(name),
        value => draft.claim(name, value.clone()),
    })
}

fn verify(configuration: &str, tokens: impl IntoIterator<Item = Draft>) -> Run {
    let (folder, key) = (Folder::new(), key());
    folder.write("keys.json", key.public_jwk().unwrap());
    let lines: Vec<String> = tokens.into_iter().map(|token| token.sign(&key)).collect();
    let configuration = folder.write("tollgate.toml", configuration);
    run(&["verify", "--config", &configuration, "--now", &NOW.to_string()], lines.join("\n"))
}

/// The error of each token, or the value of `member` in its principal.
fn outcomes(configuration: &str, member: &str, claims: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let run = verify(configuration, claims.into_iter().map(token));
    run.answers().iter().map(|answer| outcome(answer, member)).collect()
}

fn outcome(answer: &Value, member: &str) -> Value {
    if answer["ok"] == true { answer["principal"][member].clone() } else { answer["error"].clone() }
}

#[test]
fn every_configuration_of_the_page_is_tried() {
    let tried = [
        "Scopes",
        "Audience, client, subject",
        "Expected values",
        "Required and optional claims",
        "Kinds of tokens",
        "Tenants",
        "Limits",
    ];
    assert_eq!(DOCUMENT.matches("```toml\n").count(), tried.len());
    for title in tried {
        let run = verify(example(title), []);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{title}");
    }
}

#[test]
fn scopes_of_the_first_claim_or_of_all_as_a_set() {
    let all = json!({
        "scope": "read write role:admin", "scp": ["read", "list"], "permissions": ["sites:delete", "two words", 7, "list"],
        "realm_access": { "roles": ["admin", "role:x", ""] },
    });
    let set = json!(["read", "write", "list", "sites:delete", "role:admin", "role:role:x"]);
    let first = example("Scopes").replace("scopes_from = \"all\"\n", "");
    assert_eq!(outcomes(example("Scopes"), "scopes", [all.clone()]), [set]);
    let from_first = [
        all,
        json!({ "scp": "a  b", "permissions": ["c"] }),
        json!({ "permissions": "c", "realm_access": { "roles": ["d"] } }),
        json!({ "permissions": "two words", "realm_access": { "roles": ["d"] } }),
        json!({ "realm_access": { "roles": "d" } }),
        json!({ "realm_access": { "roles": { "d": 1 } } }),
        json!({}),
    ];
    let expected =
        [json!(["read", "write"]), json!(["a", "b"]), json!(["c"]), json!([]), json!(["role:d"]), json!([]), json!([])];
    assert_eq!(outcomes(&first, "scopes", from_first), expected);
}

#[test]
fn without_a_list_scopes_are_in_scope_and_scp_alone() {
    let claims = [
        json!({ "scope": "a b", "scp": "c" }),
        json!({ "scope": ["a", "b"] }),
        json!({ "scp": ["c"] }),
        json!({ "permissions": ["d"] }),
        json!({ "scope": "" , "scp": "c" }),
    ];
    let expected = [json!(["a", "b"]), json!(["a", "b"]), json!(["c"]), json!([]), json!([])];
    assert_eq!(outcomes(&issuer(""), "scopes", claims), expected);
}

#[test]
fn what_is_no_scope_token_is_an_error_in_scope_and_scp_wherever_scopes_are_taken_from() {
    let wrong = [json!(["two words"]), json!("a\"b"), json!("é"), json!([""]), json!([1]), json!(1), json!({})];
    let claims = || wrong.iter().flat_map(|wrong| ["scope", "scp"].map(|name| json!({ name: wrong, "roles": "r" })));
    for lines in
        ["", "claims.scopes = [\"roles\"]", "claims.scopes = [\"roles\", \"scope\"]\nclaims.scopes_from = \"all\""]
    {
        assert_eq!(outcomes(&issuer(lines), "scopes", claims()), vec!["invalid-claim"; 14], "{lines}");
    }
    // For these the command names the claim.
    let answers = verify(&issuer(""), [token(json!({ "scp": 1 }))]).answers();
    assert!(answers[0]["detail"].as_str().unwrap().contains("scp"), "{answers:?}");
}

#[test]
fn audience_client_and_subject_stand_in_the_first_claim_that_is_there() {
    let claims = [
        json!({ "aud": null, "client_id": "app-1" }),
        json!({ "aud": "app-1", "client_id": "app-2" }),
        json!({ "aud": ["x", "app-1"], "client_id": "app-2", "sub": "user" }),
        json!({ "aud": "app-2", "client_id": "app-1" }),
        json!({ "aud": null, "client_id": "app-2" }),
        json!({ "aud": null, "azp": "app-1" }),
    ];
    let verify = |member| outcomes(example("Audience, client, subject"), member, claims.clone());
    let refused = ["wrong-audience", "wrong-audience", "missing-claim"].map(Value::from);
    let with = |accepted: [Value; 3]| accepted.into_iter().chain(refused.clone()).collect::<Vec<_>>();
    assert_eq!(verify("audience"), with([json!(["app-1"]), json!(["app-1"]), json!(["x", "app-1"])]));
    assert_eq!(verify("client_id"), with(["app-1", "app-2", "app-2"].map(Value::from)));
    assert_eq!(verify("subject"), with(["app-1", "app-2", "user"].map(Value::from)));
}

#[test]
fn without_a_list_the_client_is_the_first_of_four_claims_and_the_subject_sub() {
    let claims = [
        json!({ "client_id": "a", "azp": "b", "cid": "c", "appid": "d" }),
        json!({ "azp": "b", "cid": "c", "appid": "d" }),
        json!({ "cid": "c", "appid": "d" }),
        json!({ "appid": "d" }),
        json!({ "app": "e" }),
    ];
    let expected = [json!("a"), json!("b"), json!("c"), json!("d"), Value::Null];
    assert_eq!(outcomes(&issuer(""), "client_id", claims), expected);
    let subjects = [json!({ "sub": "s", "client_id": "a" }), json!({ "client_id": "a" })];
    assert_eq!(outcomes(&issuer(""), "subject", subjects), [json!("s"), Value::Null]);
    let missing = outcomes(&issuer(""), "audience", [json!({ "aud": null, "client_id": AUDIENCE })]);
    assert_eq!(missing, ["missing-claim"]);
}

#[test]
fn a_claim_of_another_type_is_an_error_and_the_next_is_not_looked_at() {
    let wrong = ["null", "1", "true", "{}", "[1]", "\"a\\u0000b\""];
    let lines = "[issuer.claims]\naudience = [\"/x/aud\", \"aud\"]\nclient = [\"/x/client\", \"cid\"]\n\
        subject = [\"/x/subject\", \"sub\"]";
    for (name, further) in [("aud", &[][..]), ("client", &["[]", "[\"a\"]", "\"\""]), ("subject", &["[]", "\"\""])] {
        let values: Vec<Value> =
            wrong.iter().chain(further).map(|value| serde_json::from_str(value).unwrap()).collect();
        let claims: Vec<Value> =
            values.iter().map(|value| json!({ "cid": "c", "sub": "s", "x": { name: value } })).collect();
        let errors = outcomes(&issuer(lines), "subject", claims);
        assert_eq!(errors, vec!["invalid-claim"; values.len()], "{name}");
    }
    // The registered claims too.
    let registered = ["aud", "client_id", "azp", "sub"];
    let tokens = registered.map(|name| token(json!({})).payload_text(payload_with_null(name)));
    assert_eq!(verify(&issuer(""), tokens).errors(), vec![Some("invalid-claim".to_owned()); 4]);
}

fn payload_with_null(name: &str) -> String {
    let mut claims = json!({ "iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 600 });
    claims[name] = Value::Null;
    claims.to_string()
}

#[test]
fn claims_have_the_expected_values() {
    let good = json!({ "token_use": "access", "email_verified": true, "level": 2, "resource": { "tier": "gold" } });
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let accepted = [
        good.clone(),
        with("level", json!(3)),
        with("level", json!(2.0)),
        with("token_use", json!(["id", "access"])),
        with("level", json!([7, 3])),
        with("resource", json!({ "tier": ["lead", "silver"] })),
    ];
    let nothing_else = outcomes(example("Expected values"), "issuer", accepted);
    assert_eq!(nothing_else, vec![ISSUER; 6]);
    let wrong = [
        ("token_use", json!("id")),
        ("token_use", json!("Access")),
        ("token_use", json!("access ")),
        ("token_use", json!([["access"]])),
        ("token_use", json!({ "access": true })),
        ("email_verified", json!("true")),
        ("email_verified", json!(1)),
        ("email_verified", json!(false)),
        ("level", json!("2")),
        ("level", json!(2.5)),
        ("level", json!([])),
        ("level", json!(true)),
        ("resource", json!({ "tier": "lead" })),
        ("resource", json!({ "tier": {} })),
    ];
    let errors = outcomes(example("Expected values"), "issuer", wrong.map(|(name, value)| with(name, value)));
    assert_eq!(errors, vec!["wrong-claim"; 14]);
    let absent = ["token_use", "email_verified", "level", "resource"].map(|name| with(name, Value::Null));
    assert_eq!(outcomes(example("Expected values"), "issuer", absent), vec!["missing-claim"; 4]);
}

#[test]
fn claims_of_rfc_9068_are_optional_by_name() {
    let all = json!({ "sub": "s", "client_id": "c", "iat": NOW, "jti": "t", "act": { "sub": "a" } });
    let without = |name: &str| {
        let mut claims = all.clone();
        claims[name] = Value::Null;
        token(claims).header("typ", "at+jwt")
    };
    let page = example("Required and optional claims");
    let names = ["sub", "jti", "client_id", "iat", "act", "aud", "exp", "iss"];
    let missing = || Some("missing-claim".to_owned());
    let expected = [None, None, missing(), missing(), missing(), missing(), missing(), missing()];
    assert_eq!(verify(page, names.map(without)).errors(), expected);
    // Only each of the four alone.
    for name in ["sub", "client_id", "iat", "jti"] {
        let lines = format!("typ = \"at+jwt\"\noptional_claims = [{name:?}]");
        assert_eq!(verify(&issuer(&lines), [without(name)]).errors(), [None], "{name}");
        assert_eq!(verify(&issuer("typ = \"at+jwt\""), [without(name)]).errors(), [missing()], "{name}");
        assert_eq!(verify(&issuer("typ = \"either\""), [without(name)]).errors(), [missing()], "{name}");
    }
    // Claims that are present are still checked.
    let mut empty = all.clone();
    empty["sub"] = json!("");
    let errors = verify(page, [token(empty).header("typ", "at+jwt")]).errors();
    assert_eq!(errors, [Some("invalid-claim".to_owned())]);
    for name in ["iss", "exp", "aud", "nbf"] {
        let lines = format!("typ = \"at+jwt\"\noptional_claims = [{name:?}]");
        verify(&issuer(&lines), []).refused_with(&format!("{name:?} cannot be made optional"));
    }
    verify(&issuer("optional_claims = [\"sub\"]"), []).refused_with("has optional_claims, which only at+jwt requires");
    let listed = "typ = [\"at+jwt\"]\noptional_claims = [\"sub\"]";
    verify(&issuer(listed), []).refused_with("has optional_claims, which only at+jwt requires");
}

#[test]
fn a_typ_is_one_of_a_set_of_media_types() {
    let of = |configuration: &str, typ: &[Option<&str>]| {
        let tokens = typ.iter().map(|typ| match typ {
            Some(typ) => token(json!({})).header("typ", *typ),
            None => token(json!({})).without_header("typ"),
        });
        verify(configuration, tokens).errors().into_iter().map(|error| error.is_none()).collect::<Vec<_>>()
    };
    let taken = [
        None,
        Some("JOSE"),
        Some("jose"),
        Some("application/JOSE"),
        Some("secevent+jwt"),
        Some("Application/SecEvent+JWT"),
    ];
    assert_eq!(of(example("Kinds of tokens"), &taken), [true; 6]);
    let refused =
        [Some("JWT"), Some("at+jwt"), Some("text/secevent+jwt"), Some("application/x/jose"), Some(""), Some("jose ")];
    assert_eq!(of(example("Kinds of tokens"), &refused), [false; 6]);
    // A list of `typ` requires no claims.
    assert_eq!(of(&issuer("typ = [\"at+jwt\"]"), &[Some("at+jwt"), None]), [true, false]);
    assert_eq!(of(&issuer("typ = \"at+jwt\""), &[Some("at+jwt"), None]), [false, false]);
    assert_eq!(of(&issuer("typ = \"either\""), &[Some("JWT"), None, Some("JOSE")]), [true, true, false]);
    assert_eq!(of(&issuer(""), &[Some("JWT"), None, Some("at+jwt")]), [true, true, false]);
}

#[test]
fn a_tenant_stands_in_place_of_the_variable_alone() {
    let of = |configuration: &str, pairs: &[(&str, &str)]| {
        let claims = pairs.iter().map(|(iss, tid)| json!({ "iss": iss, "tid": tid }));
        outcomes(configuration, "issuer", claims)
    };
    let contoso = "https://login.example.com/contoso/v2.0";
    let listed = of(
        example("Tenants"),
        &[
            (contoso, "contoso"),
            (contoso, "fabrikam"),
            ("https://login.example.com/northwind/v2.0", "northwind"),
            ("https://login.example.com/contoso/v2.0/", "contoso"),
            ("https://login.example.com/contoso/v1.0", "contoso"),
            ("https://Login.example.com/contoso/v2.0", "contoso"),
            ("https://login.example.com/{tenant}/v2.0", "{tenant}"),
        ],
    );
    let unknown = "unknown-issuer";
    assert_eq!(listed, [contoso, "wrong-claim", unknown, unknown, unknown, unknown, unknown]);

    let any = example("Tenants").replace("tenants = [\"contoso\", \"fabrikam\"]\n", "");
    let (longest, too_long) = ("a".repeat(128), "a".repeat(129));
    let taken = ["a", "A-Z_0.9", "...", &longest];
    let refused = ["", ".", "..", "a/b", "a%2Fb", "a b", "é", "a?b", "a:b", &too_long];
    let pairs = |tenants: &[&str]| {
        tenants
            .iter()
            .map(|one| (format!("https://login.example.com/{one}/v2.0"), (*one).to_owned()))
            .collect::<Vec<_>>()
    };
    for (tenants, are_taken) in [(&taken[..], true), (&refused[..], false)] {
        for (iss, tenant) in pairs(tenants) {
            let outcome = of(&any, &[(&iss, &tenant)]);
            assert_eq!(outcome, [if are_taken { iss.as_str() } else { unknown }], "{tenant}");
        }
    }
    let absent = outcomes(&any, "issuer", [json!({ "iss": contoso })]);
    assert_eq!(absent, ["missing-claim"]);
}

#[test]
fn a_full_name_wins_over_a_template() {
    let own = issuer("require_claims = [\"own\"]").replace(ISSUER, "https://login.example.com/contoso/v2.0");
    let both = format!("{}\n{own}", example("Tenants"));
    let claims = |tenant: &str, further: Value| {
        let mut claims = json!({ "iss": format!("https://login.example.com/{tenant}/v2.0"), "tid": tenant });
        claims["own"] = further;
        claims
    };
    let tokens = [claims("contoso", json!(1)), claims("contoso", Value::Null), claims("fabrikam", Value::Null)];
    let expected = [
        json!("https://login.example.com/contoso/v2.0"),
        json!("missing-claim"),
        json!("https://login.example.com/fabrikam/v2.0"),
    ];
    assert_eq!(outcomes(&both, "issuer", tokens), expected);
}

#[test]
fn limits_name_themselves_and_are_raised() {
    let entries = |count: usize| vec![AUDIENCE; count];
    let members = |count: usize| (0..count).map(|n| (format!("m{n}"), json!(0))).collect::<serde_json::Map<_, _>>();
    let tokens = |entry_count: usize, member_count: usize| {
        [
            json!({ "aud": entries(entry_count) }),
            json!({ "scope": vec!["a"; entry_count] }),
            json!({ "scp": vec!["a"; entry_count] }),
            json!({ "roles": vec!["a"; entry_count] }),
            json!({ "resource_access": members(member_count) }),
        ]
    };
    let errors = |configuration: &str, (entry_count, member_count): (usize, usize)| {
        verify(configuration, tokens(entry_count, member_count).map(token)).errors()
    };
    let refused = || {
        let of_lists = std::iter::repeat_n("too-many-entries", 4);
        of_lists.chain(["too-many-members"]).map(|error| Some(error.to_owned())).collect::<Vec<_>>()
    };
    let usual = issuer("claims.scopes = [\"scope\", \"scp\", \"roles\"]\nmax_list_entries = 128\nmax_members = 256");
    let without = usual.replace("\nmax_list_entries = 128\nmax_members = 256", "");
    for configuration in [&usual, &without] {
        assert_eq!(errors(configuration, (128, 256)), vec![None; 5]);
        assert_eq!(errors(configuration, (129, 257)), refused());
    }
    let narrow = usual.replace("128", "2").replace("256", "5");
    assert_eq!(errors(&narrow, (2, 5)), vec![None; 5]);
    assert_eq!(errors(&narrow, (3, 6)), refused());
    let wide = tokens(180, 400).map(token);
    assert_eq!(verify(example("Limits"), wide).errors(), vec![None; 5]);
    for answer in verify(&usual, tokens(129, 257).map(token)).answers() {
        let detail = answer["detail"].as_str().unwrap();
        assert!(detail.contains("128") || detail.contains("256"), "{detail}");
    }
}

#[test]
fn a_pointer_leads_into_objects_and_arrays_and_a_name_is_one_name() {
    let first = |path: &str, claims: Value| {
        let lines = format!("claims.subject = [{path:?}]");
        outcomes(&issuer(&lines), "subject", [claims]).remove(0)
    };
    assert_eq!(first("/a/b", json!({ "a": { "b": "s" } })), "s");
    assert_eq!(first("/groups/0", json!({ "groups": ["s", "t"] })), "s");
    assert_eq!(first("/groups/00", json!({ "groups": ["s", "t"] })), Value::Null);
    assert_eq!(first("/groups/-", json!({ "groups": ["s", "t"] })), Value::Null);
    assert_eq!(first("https://example.com/user", json!({ "https://example.com/user": "s" })), "s");
    assert_eq!(first("/https:~1~1example.com~1user", json!({ "https://example.com/user": "s" })), "s");
    assert_eq!(first("/a~0b", json!({ "a~b": "s" })), "s");
    assert_eq!(first("a/b", json!({ "a": { "b": "s" }, "a/b": "t" })), "t");
    assert_eq!(first("a.b", json!({ "a": { "b": "s" } })), Value::Null);
    assert_eq!(first("/A", json!({ "a": "s" })), Value::Null);
    assert_eq!(first("/a%62", json!({ "ab": "s" })), Value::Null);
}
