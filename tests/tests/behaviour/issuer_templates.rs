//! Issuers whose name is a template: which tokens they accept, and which not. By Engine::verify throughout.

use serde_json::{Value, json};
use tollgate::{
    Algorithm, BuildError, Engine, EngineBuilder, Issuer, Principal, Rejection, Revocation, Revocations, SettingsError,
};
use tollgate_issuer::SigningKey;
use tollgate_keys::test_hooks::signature_checks;
use tollgate_tests::{AUDIENCE, Draft, NOW, key_set, signing_key};

const ENTRA: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
const TENANT: &str = "11111111-2222-3333-4444-555555555555";

fn hs256() -> SigningKey {
    signing_key(Algorithm::HS256, 0)
}

fn template(name: &str, key: &SigningKey) -> Issuer {
    Issuer::new(name).tenant_claim("tid").audience(AUDIENCE).keys(key_set([key]))
}

fn entra(key: &SigningKey) -> Issuer {
    template(ENTRA, key)
}

fn engine(issuers: impl IntoIterator<Item = Issuer>) -> Engine {
    issuers.into_iter().fold(Engine::builder(), EngineBuilder::issuer).build().unwrap()
}

fn iss_of(tenant: &str) -> String {
    format!("https://login.microsoftonline.com/{tenant}/v2.0")
}

fn of_tenant(key: &SigningKey, tenant: &str) -> Draft {
    Draft::new(key).claim("iss", iss_of(tenant)).claim("tid", tenant)
}

fn verify(engine: &Engine, draft: &Draft, key: &SigningKey) -> Result<Principal, Rejection> {
    let before = signature_checks();
    let result = engine.verify_at(draft.sign(key).as_bytes(), NOW);
    assert!(result.is_ok() || signature_checks() == before, "rejected only after a signature check");
    result
}

fn code(engine: &Engine, draft: &Draft, key: &SigningKey) -> Result<String, &'static str> {
    let principal = verify(engine, draft, key).map_err(|rejection| rejection.code())?;
    Ok(principal.issuer().unwrap().to_owned())
}

#[test]
fn a_template_takes_every_tenant_whose_claim_agrees() {
    let key = hs256();
    let engine = engine([entra(&key)]);
    let longest = "x".repeat(128);
    for tenant in [TENANT, "contoso.onmicrosoft.com", "a", "A_Z-0.9", "...", ".a", "-", "0", &longest] {
        assert_eq!(code(&engine, &of_tenant(&key, tenant), &key), Ok(iss_of(tenant)), "{tenant}");
    }
}

#[test]
fn a34_nothing_else_stands_in_place_of_the_variable() {
    let key = hs256();
    let engine = engine([entra(&key)]);
    let too_long = "x".repeat(129);
    for tenant in [
        "",
        ".",
        "..",
        "a/b",
        "a/",
        "/a",
        "/",
        "a//b",
        "../a",
        "a/..",
        "a%2fb",
        "%2e",
        "a%00",
        "a b",
        " a",
        "a ",
        "a\t",
        "a\n",
        "a?b",
        "a#b",
        "a@b",
        "a:b",
        "a;b",
        "a\\b",
        "a{b",
        "{tenantid}",
        "*",
        "é",
        "аdmin",
        "a\u{200b}",
        "a\u{301}",
        "a+b",
        "a~b",
        "a,b",
        "(a)",
        "'a'",
        "\"a\"",
        &too_long,
    ] {
        assert_eq!(code(&engine, &of_tenant(&key, tenant), &key), Err("unknown-issuer"), "{tenant:?}");
    }
}

#[test]
fn a34_everything_but_the_variable_has_to_be_equal() {
    let key = hs256();
    let engine = engine([entra(&key)]);
    let iss = iss_of(TENANT);
    for other in [
        format!("{iss}/"),
        format!(" {iss}"),
        format!("{iss} "),
        format!("{iss}?x"),
        format!("{iss}#x"),
        iss.trim_end_matches(".0").to_owned(),
        iss.replace("/v2.0", ""),
        iss.replace("/v2.0", "/v1.0"),
        iss.replace("/v2.0", "/V2.0"),
        iss.replace("/v2.0", "//v2.0"),
        iss.replace("/v2.0", "/./v2.0"),
        iss.replace("/v2.0", "/x/v2.0"),
        iss.replace("/v2.0", "%2fv2.0"),
        iss.replace("/v2.0", "/v2.0/v2.0"),
        iss.replace("https:", "HTTPS:"),
        iss.replace("https:", "http:"),
        iss.replace("https://", "https:/"),
        iss.replace("https://", "https:///"),
        iss.replace("https://", "https:\\\\"),
        iss.replace("https://", "//"),
        iss.replace("https://", ""),
        iss.replace("login", "LOGIN"),
        iss.replace(".com/", ".com:443/"),
        iss.replace(".com/", ".com./"),
        iss.replace(".com/", ".com//"),
        iss.replace(".com/", ".com/x/"),
        iss.replace(".com/", ".com.evil.example/"),
        iss.replace("://", "://evil.example/"),
        iss.replace("://", "://evil.example@"),
        iss.replace("://", "://x@"),
        iss.replace("microsoft", "micros\u{3bf}ft"),
        format!("https://evil.example/{iss}"),
        "https://login.microsoftonline.com/v2.0".to_owned(),
        "https://login.microsoftonline.com//v2.0".to_owned(),
        "https://login.microsoftonline.com".to_owned(),
        ENTRA.to_owned(),
        ENTRA.replace("{tenantid}", ""),
        String::new(),
    ] {
        let draft = of_tenant(&key, TENANT).claim("iss", other.as_str());
        assert_eq!(code(&engine, &draft, &key), Err("unknown-issuer"), "{other:?}");
    }
    let draft = of_tenant(&key, TENANT).without_claim("iss");
    assert_eq!(code(&engine, &draft, &key), Err("missing-claim"));
}

#[test]
fn a34_the_claim_of_the_tenant_has_to_say_the_same() {
    let key = hs256();
    let engine = engine([entra(&key)]);
    let draft = || of_tenant(&key, "contoso");
    assert_eq!(code(&engine, &draft(), &key), Ok(iss_of("contoso")));
    for other in [
        json!("fabrikam"),
        json!("Contoso"),
        json!("contoso "),
        json!("conto"),
        json!("contosoo"),
        json!(""),
        json!(null),
        json!(true),
        json!(0),
        json!(["contoso"]),
        json!({ "contoso": "contoso" }),
        json!(iss_of("contoso")),
        json!("{tenantid}"),
    ] {
        let rejection = verify(&engine, &draft().claim("tid", other.clone()), &key).unwrap_err();
        assert_eq!(rejection.code(), "wrong-claim", "{other}");
        let detail = rejection.to_string();
        assert!(detail.contains("tid") && detail.contains("\"contoso\""), "{detail}");
    }
    let absent = verify(&engine, &draft().without_claim("tid"), &key).unwrap_err();
    assert_eq!(absent, Rejection::MissingClaim { name: "tid".into() });
    // A claim with another name is a different one.
    for name in ["TID", "Tid", "tenantid", "tid ", "{tenantid}"] {
        let draft = draft().without_claim("tid").claim(name, "contoso");
        assert_eq!(code(&engine, &draft, &key), Err("missing-claim"), "{name}");
    }
    // A tenant that is a number in the claim is a string in iss.
    assert_eq!(code(&engine, &of_tenant(&key, "7").claim("tid", 7), &key), Err("wrong-claim"));
}

#[test]
fn the_claim_of_the_tenant_may_be_any_claim() {
    let key = hs256();
    let judge = |path: &str, claims: Value| {
        let engine = engine([entra(&key).tenant_claim(path)]);
        let draft = Draft::new(&key).claim("iss", iss_of("contoso"));
        let claims = claims.as_object().unwrap().clone();
        code(&engine, &claims.into_iter().fold(draft, |draft, (name, value)| draft.claim(&name, value)), &key)
    };
    assert_eq!(judge("client_id", json!({ "client_id": "contoso" })), Ok(iss_of("contoso")));
    assert_eq!(judge("client_id", json!({ "client_id": "other" })), Err("wrong-claim"));
    assert_eq!(judge("/org/id", json!({ "org": { "id": "contoso" } })), Ok(iss_of("contoso")));
    assert_eq!(judge("/org/id", json!({ "org": { "id": "other" } })), Err("wrong-claim"));
    assert_eq!(judge("/org/id", json!({ "org": "contoso" })), Err("missing-claim"));
    assert_eq!(judge("/org/id", json!({ "/org/id": "contoso" })), Err("missing-claim"));
}

#[test]
fn a34_a_list_of_tenants_takes_these_alone() {
    let key = hs256();
    let engine = engine([entra(&key).tenants(&["contoso", "Fabrikam"])]);
    for tenant in ["contoso", "Fabrikam"] {
        assert_eq!(code(&engine, &of_tenant(&key, tenant), &key), Ok(iss_of(tenant)));
        let other_claim = of_tenant(&key, tenant).claim("tid", "other");
        assert_eq!(code(&engine, &other_claim, &key), Err("wrong-claim"));
    }
    for tenant in ["other", "Contoso", "fabrikam", "contoso.", "conto", "contosoFabrikam", "contoso-Fabrikam"] {
        assert_eq!(code(&engine, &of_tenant(&key, tenant), &key), Err("unknown-issuer"), "{tenant}");
        let listed_claim = of_tenant(&key, tenant).claim("tid", "contoso");
        assert_eq!(code(&engine, &listed_claim, &key), Err("unknown-issuer"), "{tenant}");
    }
}

#[test]
fn a_full_name_takes_precedence_over_a_template() {
    let [shared, own] = [0, 1].map(|index| signing_key(Algorithm::HS256, index));
    let contoso = Issuer::new(&iss_of("contoso")).audience("urn:contoso").keys(key_set([&own]));
    for issuers in [[entra(&shared), contoso.clone()], [contoso.clone(), entra(&shared)]] {
        let engine = engine(issuers);
        let draft = |key: &SigningKey| of_tenant(key, "contoso").claim("aud", "urn:contoso");
        assert_eq!(code(&engine, &draft(&own), &own), Ok(iss_of("contoso")));
        // Neither the audience nor the keys of the template are valid for this tenant.
        assert_eq!(code(&engine, &of_tenant(&own, "contoso"), &own), Err("wrong-audience"));
        assert_eq!(engine.verify_at(draft(&shared).sign(&shared), NOW).unwrap_err().code(), "unknown-key");
        // Those of the tenant are valid for no other.
        assert_eq!(code(&engine, &of_tenant(&shared, "fabrikam"), &shared), Ok(iss_of("fabrikam")));
        assert_eq!(engine.verify_at(of_tenant(&own, "fabrikam").sign(&own), NOW).unwrap_err().code(), "unknown-key");
    }
}

#[test]
fn a34_equal_subjects_of_two_tenants_are_different_principals() {
    let key = hs256();
    let revocations = Revocations::new();
    let engine = Engine::builder().issuer(entra(&key)).revocations(revocations.clone()).build().unwrap();
    let tokens = ["contoso", "fabrikam"].map(|tenant| of_tenant(&key, tenant).sign(&key));
    let issuers = || {
        tokens.each_ref().map(|token| {
            let principal = engine.verify_at(token, NOW)?;
            assert_eq!((principal.subject(), principal.credential_id()), (Some("user-1"), Some("token-1")));
            Ok::<_, Rejection>(principal.issuer().unwrap().to_owned())
        })
    };
    for _ in 0..4 {
        assert_eq!(issuers(), [Ok(iss_of("contoso")), Ok(iss_of("fabrikam"))]);
    }
    for revocation in [
        Revocation::subject(&iss_of("contoso"), "user-1"),
        Revocation::token(&iss_of("contoso"), "token-1"),
        Revocation::client(&iss_of("contoso"), "client-1"),
        Revocation::issuer(&iss_of("contoso")),
    ] {
        revocations.revoke(&revocation);
        assert_eq!(issuers(), [Err(Rejection::Revoked), Ok(iss_of("fabrikam"))]);
        revocations.restore(&revocation);
        assert_eq!(issuers(), [Ok(iss_of("contoso")), Ok(iss_of("fabrikam"))]);
    }
    // The template is not the issuer of any principal.
    revocations.revoke(&Revocation::subject(ENTRA, "user-1"));
    assert_eq!(issuers(), [Ok(iss_of("contoso")), Ok(iss_of("fabrikam"))]);
}

#[test]
fn what_else_a_template_expects_holds_for_all_its_tenants() {
    let key = hs256();
    let engine = engine([entra(&key).require_claim("oid").expect_claim("ver", "2.0")]);
    let draft = of_tenant(&key, "contoso").claim("oid", "x").claim("ver", "2.0");
    assert_eq!(code(&engine, &draft, &key), Ok(iss_of("contoso")));
    assert_eq!(code(&engine, &draft.clone().claim("aud", "other"), &key), Err("wrong-audience"));
    assert_eq!(code(&engine, &draft.clone().claim("ver", "1.0"), &key), Err("wrong-claim"));
    assert_eq!(code(&engine, &draft.clone().without_claim("oid"), &key), Err("missing-claim"));
    assert_eq!(code(&engine, &draft.claim("exp", NOW - 61), &key), Err("expired"));
}

#[test]
fn several_policies_of_one_template_are_told_apart_as_those_of_a_full_name() {
    let key = hs256();
    let engine = engine([
        entra(&key).tenants(&["contoso"]),
        Issuer::new(ENTRA).tenant_claim("org").audience("urn:ids").keys(key_set([&key])),
    ]);
    let draft = of_tenant(&key, "contoso");
    assert_eq!(code(&engine, &draft, &key), Ok(iss_of("contoso")));
    assert_eq!(code(&engine, &draft.clone().claim("aud", "urn:ids"), &key), Err("missing-claim"));
    let ids = of_tenant(&key, "fabrikam").claim("aud", "urn:ids").claim("org", "fabrikam").claim("tid", "other");
    assert_eq!(code(&engine, &ids, &key), Ok(iss_of("fabrikam")));
    assert_eq!(code(&engine, &ids.claim("aud", AUDIENCE), &key), Err("unknown-issuer"));
    let twice = Engine::builder().issuer(entra(&key)).issuer(entra(&key).tenants(&["contoso"])).build();
    assert_eq!(twice.unwrap_err(), BuildError::IssuersOverlap { issuer: ENTRA.into() });
}

/// Compares every pair of templates made of a few short pieces with a search over the names that they match.
#[test]
fn templates_that_overlap_are_refused() {
    let key = hs256();
    let pieces = ["", "a", "/", "a/", "/a", "aa", "a/a", ".", "/."];
    let templates: Vec<_> = pieces.iter().flat_map(|prefix| pieces.map(|suffix| (*prefix, suffix))).collect();
    let tenants: Vec<String> = (1..=5)
        .flat_map(|length| {
            (0..1 << length)
                .map(move |bits: u32| (0..length).map(|at| if bits >> at & 1 == 0 { 'a' } else { '.' }).collect())
        })
        .filter(|tenant: &String| tenant != "." && tenant != "..")
        .collect();
    let is_tenant = |text: &str| !text.is_empty() && text != "." && text != ".." && !text.contains('/');
    let mut overlapping = 0;
    for (index, one) in templates.iter().enumerate() {
        for other in &templates[index + 1..] {
            let is_shared = tenants.iter().any(|tenant| {
                let name = format!("{}{tenant}{}", one.0, one.1);
                name.strip_prefix(other.0).and_then(|rest| rest.strip_suffix(other.1)).is_some_and(is_tenant)
            });
            let name = |(prefix, suffix): &(&str, &str)| format!("https://h.example/{prefix}{{t}}{suffix}");
            let templates = [one, other].map(|pieces| template(&name(pieces), &key));
            let built = templates.into_iter().fold(Engine::builder().no_cache(), EngineBuilder::issuer).build();
            let is_refused = match built {
                Ok(_) => false,
                Err(BuildError::TemplatesOverlap { issuer, .. }) if *issuer == *name(other) => true,
                Err(error) => panic!("{error}"),
            };
            assert_eq!(is_refused, is_shared, "{one:?} {other:?}");
            overlapping += usize::from(is_shared);
        }
    }
    assert!(overlapping > 100 && overlapping < 3000, "{overlapping}");
}

#[test]
fn templates_overlap_only_where_a_tenant_of_both_is_short_enough() {
    let key = hs256();
    let overlap = |one: &str, other: &str| {
        let named = |pieces: &str| template(&format!("https://h.example/{pieces}"), &key);
        Engine::builder().no_cache().issuer(named(one)).issuer(named(other)).build().is_err()
    };
    for (length, overlaps) in [(127, true), (128, false)] {
        let piece = "a".repeat(length);
        assert_eq!(overlap("{t}", &format!("{piece}{{t}}")), overlaps, "{length}");
        assert_eq!(overlap(&format!("{{t}}{piece}"), "{t}"), overlaps, "{length}");
    }
    let (a, b) = ("a".repeat(128), "b".repeat(128));
    assert!(overlap(&format!("{a}{{t}}"), &format!("{{t}}{b}")), "each is the other's tenant");
    assert!(!overlap(&format!("{a}a{{t}}"), &format!("{{t}}{b}")));
}

#[test]
fn templates_of_other_schemes_and_authorities_do_not_overlap() {
    let key = hs256();
    let names = ["https://a.example/{t}", "http://a.example/{t}", "https://b.example/{t}", "https://a.example:1/{t}"];
    let engine = engine(names.map(|name| template(name, &key)));
    for name in names {
        let iss = name.replace("{t}", "x");
        assert_eq!(code(&engine, &Draft::new(&key).claim("iss", iss.as_str()).claim("tid", "x"), &key), Ok(iss));
    }
    // A variable with two names is one variable.
    let named = |name: &str| template(&format!("https://a.example/{{{name}}}"), &key);
    assert!(Engine::builder().issuer(named("one")).issuer(named("other")).build().is_err());
}

#[test]
fn one_authority_may_have_a_number_of_templates_and_no_more() {
    let key = hs256();
    let numbered = |count: usize| {
        let name = |index| format!("https://a.example/{index}/{{t}}");
        (0..count).fold(Engine::builder(), |builder, index| builder.issuer(template(&name(index), &key))).build()
    };
    assert!(numbered(16).is_ok());
    let error = numbered(17).unwrap_err();
    assert!(matches!(error, BuildError::Issuer { error: SettingsError::TooManyTemplates, .. }), "{error}");
}

#[test]
fn names_that_are_no_template_and_settings_that_do_not_belong_to_one_are_refused() {
    let key = hs256();
    let refusal =
        |issuer: Issuer| match Engine::builder().issuer(issuer.audience(AUDIENCE).keys(key_set([&key]))).build() {
            Err(BuildError::Issuer { error, .. }) => error.to_string(),
            other => panic!("{other:?}"),
        };
    let authority = "the variable has to come after scheme://authority/";
    let variable = "it may hold one {variable} and no other brace";
    for (name, expected) in [
        ("https://{t}.example.com/", authority),
        ("https://{t}/", authority),
        ("https://login.example{t}/", authority),
        ("https://login.example:{t}/x", authority),
        ("https://{t}@login.example/", authority),
        ("https://login.example{t}", authority),
        ("https://login.example?{t}/", authority),
        ("https://login.example?x/{t}", authority),
        ("https://login.example#x/{t}", authority),
        ("https://login.example\\x/{t}", authority),
        ("https:///{t}", authority),
        ("https:/login.example/{t}", authority),
        ("//login.example/{t}", authority),
        ("://login.example/{t}", authority),
        ("a/b://login.example/{t}", authority),
        ("login.example/{t}", authority),
        ("urn:example:{t}", authority),
        ("{t}", authority),
        ("{t}://login.example/", authority),
        ("https://login.example/{t", variable),
        ("https://login.example/t}", variable),
        ("https://login.example/}t{", variable),
        ("https://login.example/{a}/{b}", variable),
        ("https://login.example/{{a}}", variable),
        ("https://login.example/{a}}", variable),
        ("https://login.example/{}", "a variable's name has ASCII letters, digits and _"),
        ("https://login.example/{a b}", "a variable's name has ASCII letters, digits and _"),
        ("https://login.example/{*}", "a variable's name has ASCII letters, digits and _"),
    ] {
        assert_eq!(
            refusal(Issuer::new(name).tenant_claim("tid")),
            format!("has a name with a brace that is no template: {expected}"),
            "{name}"
        );
    }
    assert_eq!(
        refusal(Issuer::new(ENTRA)),
        "has a variable in its name and needs tenant_claim, the claim that has to equal it"
    );
    assert_eq!(refusal(Issuer::new(ENTRA).tenants(&["a"])), refusal(Issuer::new(ENTRA)));
    let no_variable = "has tenant_claim or tenants, and no {variable} in its name to which they belong";
    assert_eq!(refusal(Issuer::new("https://login.example/").tenant_claim("tid")), no_variable);
    assert_eq!(refusal(Issuer::new("https://login.example/").tenants(&["a"])), no_variable);
    let with = |tenants: &[&str]| refusal(Issuer::new(ENTRA).tenant_claim("tid").tenants(tenants));
    assert_eq!(with(&[]), "has an empty list of tenants; without the list all are accepted whose claim agrees");
    for tenant in ["", ".", "..", "a/b", "é", "a b", "*", &"x".repeat(129)] {
        assert!(with(&["a", tenant]).starts_with("lists the tenant "), "{tenant}");
    }
    assert!(refusal(Issuer::new(ENTRA).tenant_claim("")).starts_with("names a claim that cannot be"));
}
