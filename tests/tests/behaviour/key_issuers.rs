//! Keys whose JWK has an `issuer`, as in Microsoft Entra's common key set: no issuer is accepted as another. By
//! Engine::verify throughout.

use serde_json::{Value, json};
use tollgate::{Algorithm, BuildError, Engine, EngineBuilder, Issuer, KeyRing, KeySet};
use tollgate_issuer::SigningKey;
use tollgate_keys::test_hooks::signature_checks;
use tollgate_tests::{AUDIENCE, Draft, NOW, signing_key};

const ENTRA: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const CONTOSO: &str = "0a1b2c3d-1111-4222-8333-444455556666";

fn es256(index: usize) -> SigningKey {
    signing_key(Algorithm::ES256, index)
}

fn iss_of(tenant: &str) -> String {
    ENTRA.replace("{tenantid}", tenant)
}

fn jwk(key: &SigningKey, issuer: impl Into<Value>) -> Value {
    let mut jwk: Value = serde_json::from_str(&key.public_jwk().unwrap()).unwrap();
    jwk["issuer"] = issuer.into();
    jwk
}

fn set_of(jwks: &[Value]) -> KeySet {
    KeySet::builder().jwks(json!({ "keys": jwks }).to_string().as_bytes()).unwrap().build().unwrap()
}

/// The keys, each with the issuer in its JWK.
fn set<'k>(keys: impl IntoIterator<Item = (&'k SigningKey, Option<&'k str>)>) -> KeySet {
    set_of(&keys.into_iter().map(|(key, issuer)| jwk(key, issuer)).collect::<Vec<_>>())
}

fn full(name: &str, keys: impl Into<KeyRing>) -> Issuer {
    Issuer::new(name).audience(AUDIENCE).keys(keys)
}

fn template(name: &str, keys: impl Into<KeyRing>) -> Issuer {
    full(name, keys).tenant_claim("tid")
}

fn engine(issuers: impl IntoIterator<Item = Issuer>) -> Engine {
    issuers.into_iter().fold(Engine::builder(), EngineBuilder::issuer).build().unwrap()
}

fn draft(key: &SigningKey, tenant: &str) -> Draft {
    Draft::new(key).claim("iss", iss_of(tenant)).claim("tid", tenant)
}

fn token(key: &SigningKey, tenant: &str) -> String {
    draft(key, tenant).sign(key)
}

type Judged = (Result<String, &'static str>, u64);

/// The principal's issuer or the code of the rejection, and how many signatures were checked.
fn verify(engine: &Engine, token: &str) -> Judged {
    let before = signature_checks();
    let result = engine.verify_at(token, NOW);
    let result = result.map(|principal| principal.issuer().unwrap().to_owned()).map_err(|rejection| rejection.code());
    (result, signature_checks() - before)
}

fn accepted(tenant: &str) -> Judged {
    (Ok(iss_of(tenant)), 1)
}

fn from_the_cache(tenant: &str) -> Judged {
    (Ok(iss_of(tenant)), 0)
}

const NOT_ADMITTED: Judged = (Err("key-not-admitted"), 0);

#[test]
fn a32_a_key_of_one_tenant_serves_no_other_of_a_template() {
    let [shared, own, nobodys] = [0, 1, 2].map(es256);
    let consumers = iss_of(CONSUMERS);
    let keys = || set([(&shared, Some(ENTRA)), (&own, Some(&*consumers)), (&nobodys, None)]);
    for issuer in [template(ENTRA, keys()), template(ENTRA, keys()).tenants(&[CONTOSO, CONSUMERS])] {
        let engine = engine([issuer]);
        for tenant in [CONTOSO, CONSUMERS] {
            assert_eq!(verify(&engine, &token(&shared, tenant)), accepted(tenant));
            assert_eq!(verify(&engine, &token(&nobodys, tenant)), accepted(tenant));
        }
        assert_eq!(verify(&engine, &token(&own, CONSUMERS)), accepted(CONSUMERS));
        assert_eq!(verify(&engine, &token(&own, CONTOSO)), NOT_ADMITTED);
        // Nor if only one of the two names of the tenant is right.
        let iss_alone = draft(&own, CONTOSO).claim("iss", iss_of(CONSUMERS)).sign(&own);
        assert_eq!(verify(&engine, &iss_alone), (Err("wrong-claim"), 0));
        let tid_alone = draft(&own, CONTOSO).claim("tid", CONSUMERS).sign(&own);
        assert_eq!(verify(&engine, &tid_alone), (Err("wrong-claim"), 0));
    }
    // A tenant that is not listed is not accepted because it has a key of its own.
    let engine = engine([template(ENTRA, keys()).tenants(&[CONTOSO])]);
    assert_eq!(verify(&engine, &token(&own, CONSUMERS)), (Err("unknown-issuer"), 0));
    assert_eq!(verify(&engine, &token(&own, CONTOSO)), NOT_ADMITTED);
}

#[test]
fn a32_issuers_that_share_a_ring_are_each_served_by_their_own_keys() {
    let [one, other, shared] = [0, 1, 2].map(es256);
    let names = [iss_of("one"), iss_of("other")];
    let ring = KeyRing::new(set([(&one, Some(&*names[0])), (&other, Some(&*names[1])), (&shared, None)]));
    let engine = engine(names.each_ref().map(|name| full(name, ring.clone())));
    for (tenant, own, foreign) in [("one", &one, &other), ("other", &other, &one)] {
        assert_eq!(verify(&engine, &token(own, tenant)), accepted(tenant));
        assert_eq!(verify(&engine, &token(&shared, tenant)), accepted(tenant));
        assert_eq!(verify(&engine, &token(foreign, tenant)), NOT_ADMITTED);
    }
    // A third issuer, added while the engine runs, has only the shared key; so has a template.
    engine.add_issuer(full(&iss_of("third"), ring.clone())).unwrap();
    engine.add_issuer(template(ENTRA, ring)).unwrap();
    for tenant in ["third", "fourth"] {
        assert_eq!(verify(&engine, &token(&shared, tenant)), accepted(tenant));
        assert_eq!(verify(&engine, &token(&one, tenant)), NOT_ADMITTED);
        assert_eq!(verify(&engine, &token(&other, tenant)), NOT_ADMITTED);
    }
}

#[test]
fn a32_the_issuer_of_a_key_is_a_name_or_a_template_and_nothing_else() {
    let key = es256(0);
    let name = iss_of("contoso");
    let judge = |issuer: Issuer, of_key: &str| {
        let engine = engine([issuer.keys(KeyRing::new(set([(&key, Some(of_key))])))]);
        let judged = verify(&engine, &token(&key, "contoso"));
        assert!(judged == accepted("contoso") || judged == NOT_ADMITTED, "{of_key}: {judged:?}");
        judged.0.is_ok()
    };
    let any_name = ENTRA.replace("tenantid", "tenant");
    for of_key in [name.as_str(), ENTRA, &any_name, "https://login.microsoftonline.com/{t}oso/v2.0"] {
        assert!(judge(Issuer::new(&name).audience(AUDIENCE), of_key), "{of_key}");
        for template in [ENTRA, any_name.as_str()] {
            assert!(judge(Issuer::new(template).audience(AUDIENCE).tenant_claim("tid"), of_key), "{of_key}");
        }
    }
    for of_key in [
        "",
        " ",
        "*",
        "{tenantid}",
        "https://{tenantid}",
        "https://{tenantid}/contoso/v2.0",
        "https://login.{x}.com/contoso/v2.0",
        "https://login.microsoftonline.com/",
        "https://login.microsoftonline.com/*/v2.0",
        "https://login.microsoftonline.com/{tenantid}",
        "https://login.microsoftonline.com/{tenantid}/",
        "https://login.microsoftonline.com/{tenantid}/v1.0",
        "https://login.microsoftonline.com/{tenantid}/v2.0/",
        "https://login.microsoftonline.com/{tenantid}/v2.0 ",
        "https://login.microsoftonline.com/{tenantid}/{version}",
        "https://login.microsoftonline.com/{}/v2.0",
        "https://login.microsoftonline.com/{tenantid/v2.0",
        "https://login.microsoftonline.com/contoso{tenantid}/v2.0",
        "https://login.microsoftonline.com.evil.example/{tenantid}/v2.0",
        "https://evil.example/{tenantid}/v2.0",
        "https://login.microsoftonline.com:443/{tenantid}/v2.0",
        "https://x@login.microsoftonline.com/{tenantid}/v2.0",
        "HTTPS://login.microsoftonline.com/{tenantid}/v2.0",
        "http://login.microsoftonline.com/{tenantid}/v2.0",
        &iss_of("Contoso"),
        &iss_of("contoso."),
        &iss_of("conto"),
        &iss_of("fabrikam"),
        &iss_of("../contoso"),
        &iss_of("contoso").replace("contoso", "%63ontoso"),
        &format!("{name}/"),
        &format!("{name}\0"),
        &format!(" {name}"),
        &format!("{name} {}", iss_of("fabrikam")),
    ] {
        assert!(!judge(Issuer::new(&name).audience(AUDIENCE), of_key), "{of_key:?}");
        assert!(!judge(Issuer::new(ENTRA).audience(AUDIENCE).tenant_claim("tid"), of_key), "{of_key:?}");
    }
    // An issuer that is not a text makes the key unusable; null counts as absent.
    for (of_key, refused) in [(json!(5), true), (json!([name]), true), (json!({}), true), (json!(null), false)] {
        let jwks = json!({ "keys": [jwk(&key, of_key)] }).to_string();
        let reports = KeySet::builder().jwks(jwks.as_bytes()).unwrap().build_with_reports().reports;
        let code = reports[0].refused.as_ref().map(tollgate_keys::KeyRefused::code);
        assert_eq!(code, refused.then_some("malformed-member"));
    }
}

/// Compares every key for every name of every issuer with a naive reading.
#[test]
fn a32_every_key_against_every_issuer() {
    let key = es256(0);
    let origin = "https://h.example/";
    let pieces = ["a", "b", "ab", "a/b", "{t}", "{u}", "a{t}", "{t}b", "{t}/b", "a/{t}", "{t}{t}", "{", "{t}/{t}"];
    let tenants = ["a", "b", "ab", "aab", "abb", "a/b", "b/a", "aa/b", "t", "u"];
    let mut admitted = 0;
    for of_key in pieces {
        let ring = KeyRing::new(set([(&key, Some(&*format!("{origin}{of_key}")))]));
        for rest in tenants {
            let engine = engine([full(&format!("{origin}{rest}"), ring.clone())]);
            let token = Draft::new(&key).claim("iss", format!("{origin}{rest}")).sign(&key);
            let matches = match of_key.split_once('{') {
                Some((before, after)) if after.matches(['{', '}']).count() == 1 && after.contains('}') => {
                    let (_, after) = after.split_once('}').unwrap();
                    let tenant = rest.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
                    tenant.is_some_and(|tenant| !tenant.is_empty() && !tenant.contains('/'))
                }
                Some(_) => false,
                None => of_key == rest,
            };
            assert_eq!(verify(&engine, &token).0.is_ok(), matches, "{of_key} {rest}");
            admitted += usize::from(matches);
        }
    }
    assert!((20..100).contains(&admitted), "{admitted}");
}

#[test]
fn a32_a_token_without_kid_is_tried_under_the_keys_of_its_issuer_alone() {
    let [shared, own] = [0, 1].map(es256);
    let engine = engine([template(ENTRA, set([(&shared, Some(ENTRA)), (&own, Some(&*iss_of("own")))]))]);
    let nameless = |key: &SigningKey, tenant: &str| draft(key, tenant).without_header("kid").sign(key);
    assert_eq!(verify(&engine, &nameless(&own, "own")).0, Ok(iss_of("own")));
    assert_eq!(verify(&engine, &nameless(&shared, "own")).0, Ok(iss_of("own")));
    assert_eq!(verify(&engine, &nameless(&shared, "contoso")), accepted("contoso"));
    assert_eq!(verify(&engine, &nameless(&own, "contoso")), (Err("bad-signature"), 1));
}

#[test]
fn a39_a_hit_sees_that_a_key_serves_another_issuer_now() {
    let [key, other] = [0, 1].map(es256);
    let keys = |issuer: Option<&str>| set([(&key, issuer), (&other, None)]);
    let [contoso, fabrikam] = ["contoso", "fabrikam"].map(iss_of);
    let ring = KeyRing::new(keys(Some(ENTRA)));
    let engine = engine([template(ENTRA, ring.clone()), full("https://full.example/", ring.clone())]);
    let tokens = ["contoso", "fabrikam"].map(|tenant| token(&key, tenant));
    let bystander = token(&other, "contoso");
    let hit = |expected: [bool; 2]| {
        for (index, tenant) in ["contoso", "fabrikam"].into_iter().enumerate() {
            for _ in 0..2 {
                let judged = verify(&engine, &tokens[index]);
                let is_expected =
                    judged.0 == Ok(iss_of(tenant)) && expected[index] || judged == NOT_ADMITTED && !expected[index];
                assert!(is_expected, "{tenant}: {judged:?}, not {expected:?}");
            }
        }
    };
    for _ in 0..3 {
        hit([true, true]);
        assert_eq!(verify(&engine, &bystander).0, Ok(iss_of("contoso")));
    }
    for (issuer, expected) in [
        (Some(&*contoso), [true, false]),
        (Some(&*fabrikam), [false, true]),
        (None, [true, true]),
        (Some("https://full.example/"), [false, false]),
        (Some(ENTRA), [true, true]),
    ] {
        ring.replace(keys(issuer));
        hit(expected);
        assert_eq!(verify(&engine, &bystander), from_the_cache("contoso"));
    }
    // Tokens of issuers that keep their key are not verified again.
    ring.replace(keys(Some(&*contoso)));
    assert_eq!(verify(&engine, &tokens[0]), from_the_cache("contoso"));
    ring.replace(keys(Some(ENTRA)));
    assert_eq!(verify(&engine, &tokens[0]), from_the_cache("contoso"));
}

#[test]
fn a32_the_same_key_for_two_issuers_serves_these_two() {
    let key = es256(0);
    let jwks = |issuers: &[&str]| set_of(&issuers.iter().map(|issuer| jwk(&key, *issuer)).collect::<Vec<_>>());
    let names = ["one", "two"].map(iss_of);
    let engine = engine([template(ENTRA, jwks(&[&names[0], &names[1], &names[0]]))]);
    assert_eq!(verify(&engine, &token(&key, "one")), accepted("one"));
    assert_eq!(verify(&engine, &token(&key, "two")), accepted("two"));
    assert_eq!(verify(&engine, &token(&key, "three")), NOT_ADMITTED);
    // With two kids, each for one of the tenants.
    let kids = ["k1", "k2"];
    let jwks = [0, 1].map(|index| {
        let mut jwk = jwk(&key, &*names[index]);
        jwk["kid"] = kids[index].into();
        jwk
    });
    let engine = self::engine([template(ENTRA, set_of(&jwks))]);
    for (index, tenant) in ["one", "two"].into_iter().enumerate() {
        let under = |kid: &str| draft(&key, tenant).header("kid", kid).sign(&key);
        assert_eq!(verify(&engine, &under(kids[index])), accepted(tenant));
        assert_eq!(verify(&engine, &under(kids[1 - index])), NOT_ADMITTED);
        let nameless = draft(&key, tenant).without_header("kid").sign(&key);
        assert_eq!(verify(&engine, &nameless), accepted(tenant));
    }
}

#[test]
fn a43_different_keys_of_one_kid_are_unusable_whichever_issuer_they_serve() {
    let [one, two] = [0, 1].map(|index| es256(index).with_kid("k").unwrap());
    let jwks = json!({ "keys": [jwk(&one, iss_of("one")), jwk(&two, iss_of("two"))] }).to_string();
    let loaded = KeySet::builder().jwks(jwks.as_bytes()).unwrap().build_with_reports();
    assert!(loaded.set.is_empty());
    let codes = loaded.reports.iter().map(|report| report.refused.as_ref().unwrap().code());
    assert_eq!(codes.collect::<Vec<_>>(), ["duplicate-kid"; 2]);
}

#[test]
fn a65_a_set_whose_keys_are_all_for_others_is_refused() {
    let key = es256(0);
    let build = |issuer: Issuer, of_key: &str| {
        Engine::builder().issuer(issuer.keys(set([(&key, Some(of_key))]))).build().map(drop)
    };
    let [contoso, fabrikam] = ["contoso", "fabrikam"].map(iss_of);
    let full = || Issuer::new(&contoso).audience(AUDIENCE);
    let template = || Issuer::new(ENTRA).audience(AUDIENCE).tenant_claim("tid");
    let no_key = |issuer: &str| Err(BuildError::NoUsableKey { issuer: issuer.into() });
    assert_eq!(build(full(), &contoso), Ok(()));
    assert_eq!(build(full(), ENTRA), Ok(()));
    assert_eq!(build(full(), &fabrikam), no_key(&contoso));
    for of_key in [ENTRA, &contoso, &fabrikam, "https://login.microsoftonline.com/x{t}/v2.0"] {
        assert_eq!(build(template(), of_key), Ok(()), "{of_key}");
    }
    assert_eq!(build(template().tenants(&["contoso"]), &contoso), Ok(()));
    assert_eq!(build(template().tenants(&["contoso"]), &fabrikam), no_key(ENTRA));
    assert_eq!(build(template(), "https://other.example/"), no_key(ENTRA));
    assert_eq!(build(template(), "https://login.microsoftonline.com/{tenantid}/v1.0"), no_key(ENTRA));
}

#[test]
fn a61_what_a_key_is_for_is_said_in_a_short_message() {
    let key = es256(0);
    let engine = engine([template(ENTRA, set([(&key, Some(&*iss_of("contoso")))]))]);
    let rejection = engine.verify_at(token(&key, "fabrikam"), NOW).unwrap_err();
    let [contoso, fabrikam] = ["contoso", "fabrikam"].map(iss_of);
    assert_eq!(
        rejection.to_string(),
        format!(r#"the key "ES256-0" is not for tokens of "{fabrikam}", but of "{contoso}""#)
    );
    assert_eq!((rejection.status(), rejection.missing_key()), (401, None));
    let long = format!("https://login.microsoftonline.com/{}/v2.0", "\u{1b}\"".repeat(1000));
    let engine = self::engine([template(ENTRA, KeyRing::new(set([(&key, Some(&*long))])))]);
    let message = engine.verify_at(token(&key, &"t".repeat(128)), NOW).unwrap_err().to_string();
    assert!(message.chars().count() <= 256 && !message.contains(char::is_control), "{message}");
}
