//! SPIFFE trust domains instead of issuers' names: which tokens are theirs, and which not. By Engine::verify
//! throughout.

use serde_json::{Value, json};
use tollgate::{
    Algorithm, BuildError, Engine, EngineBuilder, Issuer, IssuerSettings, KeyRing, KeySet, KeyUses, Principal,
    Rejection, Revocation, Revocations, TrustDomain, TypProfile,
};
use tollgate_issuer::SigningKey;
use tollgate_keys::test_hooks::signature_checks;
use tollgate_tests::{AUDIENCE, Draft, ISSUER, NOW, signing_key};

const ID: &str = "spiffe://example.org";
const WORKLOAD: &str = "spiffe://example.org/ns/shop/sa/orders";

fn es256(index: usize) -> SigningKey {
    signing_key(Algorithm::ES256, index)
}

/// A bundle of these keys, each with that `use`.
fn bundle_of(keys: &[(&SigningKey, Option<&str>)]) -> KeySet {
    let jwks = keys.iter().map(|(key, key_use)| {
        let mut jwk: Value = serde_json::from_str(&key.public_jwk().unwrap()).unwrap();
        jwk["use"] = (*key_use).into();
        jwk
    });
    let jwks = json!({ "spiffe_sequence": 1, "keys": jwks.collect::<Vec<_>>() }).to_string();
    let uses = KeyUses::new(["jwt-svid", "sig", "x509-svid"]).unwrap();
    KeySet::builder().key_uses(uses).jwks(jwks.as_bytes()).unwrap().build().unwrap()
}

fn bundle(key: &SigningKey) -> KeySet {
    bundle_of(&[(key, Some("jwt-svid"))])
}

fn domain(name: &str, keys: impl Into<KeyRing>) -> Issuer {
    Issuer::spiffe(name).audience(AUDIENCE).keys(keys)
}

fn example_org(key: &SigningKey) -> Issuer {
    domain("example.org", bundle(key))
}

fn named(name: &str, key: &SigningKey) -> Issuer {
    Issuer::new(name).audience(AUDIENCE).keys(bundle_of(&[(key, Some("sig"))]))
}

fn engine(issuers: impl IntoIterator<Item = Issuer>) -> Engine {
    issuers.into_iter().fold(Engine::builder(), EngineBuilder::issuer).build().unwrap()
}

/// A JWT-SVID as SPIRE makes it, without `iss`.
fn svid(key: &SigningKey, sub: &str) -> Draft {
    let absent = ["iss", "client_id", "scope", "jti"];
    absent.into_iter().fold(Draft::new(key), Draft::without_claim).without_header("typ").claim("sub", sub)
}

fn verify(engine: &Engine, token: &str) -> Result<Principal, Rejection> {
    let before = signature_checks();
    let result = engine.verify_at(token, NOW);
    assert!(result.is_ok() || signature_checks() == before, "rejected only after a signature check");
    result
}

/// The principal's issuer or the code of the rejection.
fn judge(engine: &Engine, token: &str) -> Result<String, &'static str> {
    verify(engine, token).map(|principal| principal.issuer().unwrap().to_owned()).map_err(|rejection| rejection.code())
}

fn accepted(issuer: &str) -> Result<String, &'static str> {
    Ok(issuer.to_owned())
}

#[test]
fn a_workload_is_a_principal_of_its_trust_domain() {
    let key = es256(0);
    let engine = engine([example_org(&key)]);
    let token = svid(&key, WORKLOAD).sign(&key);
    for _ in 0..4 {
        let principal = verify(&engine, &token).unwrap();
        assert_eq!((principal.issuer(), principal.subject()), (Some(ID), Some(WORKLOAD)));
        assert_eq!(principal.audience().collect::<Vec<_>>(), [AUDIENCE]);
        assert_eq!(principal.claim::<String>("iss").unwrap(), None);
        let kept = principal.into_owned();
        assert_eq!((kept.issuer(), kept.subject()), (Some(ID), Some(WORKLOAD)));
    }
}

#[test]
fn an_iss_that_is_not_configured_leaves_a_token_to_its_trust_domain() {
    let key = es256(0);
    let engine = engine([example_org(&key)]);
    for iss in ["https://oidc.example.org", ISSUER, ID, "spiffe://other.org", "", "example.org"] {
        let token = svid(&key, WORKLOAD).claim("iss", iss).sign(&key);
        for _ in 0..3 {
            let principal = verify(&engine, &token).unwrap();
            assert_eq!(principal.issuer(), Some(ID), "{iss}");
            assert_eq!(principal.claim::<String>("iss").unwrap().as_deref(), Some(iss));
        }
    }
}

#[test]
fn a31_an_iss_that_is_configured_decides_alone() {
    let [own, others] = [0, 1].map(es256);
    let engine = engine([example_org(&own), named(ISSUER, &others)]);
    let of = |key: &SigningKey, iss: &str| svid(key, WORKLOAD).claim("iss", iss).sign(key);
    assert_eq!(judge(&engine, &of(&others, ISSUER)), accepted(ISSUER));
    assert_eq!(judge(&engine, &of(&own, ISSUER)), Err("unknown-key"));
    assert_eq!(judge(&engine, &of(&own, "https://auth.example.com")), accepted(ID));
    assert_eq!(judge(&engine, &of(&others, "https://auth.example.com")), Err("unknown-key"));
    // Without a sub in the trust domain, an unknown iss is rejected as usual.
    let stranger = Draft::new(&own).claim("iss", "https://stranger.example/").sign(&own);
    assert_eq!(judge(&engine, &stranger), Err("unknown-issuer"));
    let nobody = svid(&own, "user-1").sign(&own);
    assert_eq!(verify(&engine, &nobody).unwrap_err(), Rejection::MissingClaim { name: "iss".into() });
    assert_eq!(judge(&engine, &svid(&own, "user-1").claim("iss", "").sign(&own)), Err("unknown-issuer"));
}

#[test]
fn a34_a_trust_domain_is_found_by_its_name_to_the_letter() {
    let key = es256(0);
    let engine = engine([example_org(&key)]);
    for sub in [
        "spiffe://example.org.evil/ns/shop",
        "spiffe://evil.example.org/ns/shop",
        "spiffe://example.orgevil/ns/shop",
        "spiffe://example.or/ns/shop",
        "spiffe://example.org:443/ns/shop",
        "spiffe://example.org:/ns/shop",
        "spiffe://example.org./ns/shop",
        "spiffe://.example.org/ns/shop",
        "spiffe://user@example.org/ns/shop",
        "spiffe://user:secret@example.org/ns/shop",
        "spiffe://@example.org/ns/shop",
        "spiffe://example.org@evil.org/ns/shop",
        "spiffe://EXAMPLE.org/ns/shop",
        "spiffe://Example.Org/ns/shop",
        "spiffe://example%2eorg/ns/shop",
        "spiffe://example.org%2f/ns/shop",
        "spiffe://example.org%00/ns/shop",
        "spiffe://example.org?x=1/ns/shop",
        "spiffe://example.org#/ns/shop",
        "spiffe://example.org\\/ns/shop",
        "spiffe://example.org\\ns\\shop",
        "spiffe://example.org /ns/shop",
        "spiffe:// example.org/ns/shop",
        "spiffe://example.org;/ns/shop",
        "spiffe://example.org,evil.org/ns/shop",
        "spiffe://*/ns/shop",
        "spiffe://*.org/ns/shop",
        "spiffe:///ns/shop",
        "spiffe:///example.org/ns/shop",
        "spiffe://",
        "spiffe://evil.org/spiffe://example.org/ns/shop",
        "spiffe://evil.org/../example.org/ns/shop",
        "spiffe://ex\u{e4}mple.org/ns/shop",
        "spiffe://example.org\u{ff0f}ns/shop",
        "spiffe://ex\u{430}mple.org/ns/shop",
    ] {
        let rejection = verify(&engine, &svid(&key, sub).sign(&key)).unwrap_err();
        assert_eq!(rejection.code(), "unknown-issuer", "{sub}");
        assert_eq!(judge(&engine, &svid(&key, sub).claim("iss", ID).sign(&key)), Err("unknown-issuer"), "{sub}");
    }
    for sub in [
        "SPIFFE://example.org/ns/shop",
        "Spiffe://example.org/ns/shop",
        "spiffe:/example.org/ns/shop",
        "spiffe:example.org/ns/shop",
        "//example.org/ns/shop",
        "example.org/ns/shop",
        "example.org",
        "https://example.org/ns/shop",
        " spiffe://example.org/ns/shop",
        "xspiffe://example.org/ns/shop",
        "/spiffe://example.org/ns/shop",
    ] {
        assert_eq!(judge(&engine, &svid(&key, sub).sign(&key)), Err("missing-claim"), "{sub}");
    }
}

#[test]
fn a34_the_sub_of_a_workload_is_a_valid_spiffe_id_with_a_path() {
    let key = es256(0);
    let engine = engine([example_org(&key)]);
    let of_length = |length: usize| format!("{ID}/{}", "a".repeat(length - ID.len() - 1));
    for sub in [
        "spiffe://example.org/a",
        "spiffe://example.org/ns/shop/sa/orders",
        "spiffe://example.org/A-Z_0.9",
        "spiffe://example.org/...",
        "spiffe://example.org/.a/b..",
        "spiffe://example.org/9eebccd2-12bf-40a6-b262-65fe0487d453",
        &of_length(2048),
    ] {
        assert_eq!(judge(&engine, &svid(&key, sub).sign(&key)), accepted(ID), "{sub}");
    }
    for sub in [
        "spiffe://example.org",
        "spiffe://example.org/",
        "spiffe://example.org//",
        "spiffe://example.org//ns",
        "spiffe://example.org/ns/",
        "spiffe://example.org/ns//shop",
        "spiffe://example.org/.",
        "spiffe://example.org/..",
        "spiffe://example.org/../evil.org/ns",
        "spiffe://example.org/ns/./shop",
        "spiffe://example.org/ns/../shop",
        "spiffe://example.org/%6es",
        "spiffe://example.org/ns%2fshop",
        "spiffe://example.org/ns?x",
        "spiffe://example.org/ns#x",
        "spiffe://example.org/ns:shop",
        "spiffe://example.org/ns@shop",
        "spiffe://example.org/ns;shop",
        "spiffe://example.org/ns shop",
        "spiffe://example.org/ns\\shop",
        "spiffe://example.org/ns~",
        "spiffe://example.org/ns+shop",
        "spiffe://example.org/{ns}",
        "spiffe://example.org/\u{e4}",
        "spiffe://example.org/ns\n",
        &of_length(2049),
    ] {
        let rejection = verify(&engine, &svid(&key, sub).sign(&key)).unwrap_err();
        assert_eq!(rejection.code(), "invalid-claim", "{sub}");
        let message = rejection.to_string();
        let expected = "the claim sub is not the SPIFFE ID of a workload, with a path of plain segments, ";
        assert!(message.starts_with(expected) && message.ends_with(ID), "{message}");
    }
    let token = svid(&key, "x").without_claim("sub").sign(&key);
    assert_eq!(judge(&engine, &token), Err("missing-claim"));
    let token = svid(&key, "x").without_claim("sub").claim("iss", ID).sign(&key);
    assert_eq!(judge(&engine, &token), Err("unknown-issuer"));
    for sub in [json!(["spiffe://example.org/ns"]), json!(5), json!(null), json!("")] {
        assert_eq!(judge(&engine, &svid(&key, "x").claim("sub", sub).sign(&key)), Err("invalid-claim"));
    }
}

#[test]
fn the_rules_of_jwt_svid_hold() {
    let key = es256(0);
    let engine = engine([example_org(&key)]);
    let draft = || svid(&key, WORKLOAD);
    let code = |draft: Draft| judge(&engine, &draft.sign(&key));
    for typ in ["JWT", "JOSE", "jwt", "application/jose"] {
        assert_eq!(code(draft().header("typ", typ)), accepted(ID), "{typ}");
    }
    for typ in ["at+jwt", "JWS", "", "dpop+jwt", "logout+jwt", "JWT-SVID"] {
        assert_eq!(code(draft().header("typ", typ)), Err("type-not-allowed"), "{typ}");
    }
    assert_eq!(code(draft().without_claim("aud")), Err("missing-claim"));
    assert_eq!(code(draft().claim("aud", json!([]))), Err("wrong-audience"));
    assert_eq!(code(draft().claim("aud", "spiffe://example.org/other")), Err("wrong-audience"));
    assert_eq!(code(draft().without_claim("exp")), Err("missing-claim"));
    assert_eq!(code(draft().claim("exp", NOW - 61)), Err("expired"));
    assert_eq!(code(draft().claim("aud", json!(["x", AUDIENCE]))), accepted(ID));
}

#[test]
fn only_the_algorithms_of_jwt_svid_are_taken() {
    for algorithm in [Algorithm::RS256, Algorithm::PS384, Algorithm::ES384] {
        let key = signing_key(algorithm, 0);
        assert_eq!(judge(&engine([example_org(&key)]), &svid(&key, WORKLOAD).sign(&key)), accepted(ID));
    }
    for algorithm in [Algorithm::EdDSA, Algorithm::HS256] {
        let key = signing_key(algorithm, 0);
        let ring = KeyRing::new(KeySet::builder().key(key.verifying_key().clone()).build().unwrap());
        let engine = engine([domain("example.org", ring)]);
        assert_eq!(judge(&engine, &svid(&key, WORKLOAD).sign(&key)), Err("algorithm-not-allowed"), "{algorithm}");
    }
}

#[test]
fn a32_only_keys_for_jwt_svids_verify_them() {
    let keys = [0, 1, 2, 3].map(es256);
    let uses = [Some("jwt-svid"), Some("x509-svid"), Some("sig"), None];
    let ring = KeyRing::new(bundle_of(&keys.iter().zip(uses).collect::<Vec<_>>()));
    let judge = |issuer: Issuer| {
        let engine = engine([issuer]);
        keys.each_ref().map(|key| self::judge(&engine, &svid(key, WORKLOAD).sign(key)).is_ok())
    };
    assert_eq!(judge(domain("example.org", ring.clone())), [true, false, false, false]);
    assert_eq!(judge(domain("example.org", ring.clone()).key_use(&["sig", "x509-svid"])), [false, true, true, false]);
    // Also when the keys are loaded.
    let settings = Issuer::spiffe("example.org").settings().clone();
    assert!(settings.key_uses().admit(Some("jwt-svid")) && !settings.key_uses().admit(None));
    assert!(!settings.key_uses().admit(Some("sig")) && !settings.key_uses().admit(Some("x509-svid")));
    // An issuer with a name accepts none of these.
    let engine = engine([Issuer::new(ISSUER).audience(AUDIENCE).keys(ring)]);
    let code = |key: &SigningKey| self::judge(&engine, &Draft::new(key).sign(key));
    assert_eq!(code(&keys[0]), Err("key-not-admitted"));
    assert_eq!(code(&keys[2]), accepted(ISSUER));
}

#[test]
fn a32_one_trust_domain_signs_for_no_other() {
    let [one, other] = [0, 1].map(es256);
    let engine = engine([domain("one.org", bundle(&one)), domain("other.org", bundle(&other))]);
    let code = |key: &SigningKey, sub: &str, kid: &SigningKey| {
        judge(&engine, &svid(key, sub).header("kid", kid.kid()).sign(key))
    };
    let (of_one, of_other) = ("spiffe://one.org/a", "spiffe://other.org/a");
    assert_eq!(code(&one, of_one, &one), accepted("spiffe://one.org"));
    assert_eq!(code(&other, of_other, &other), accepted("spiffe://other.org"));
    assert_eq!(code(&one, of_other, &one), Err("unknown-key"));
    assert_eq!(code(&other, of_one, &other), Err("unknown-key"));
    let forged = svid(&one, of_other).header("kid", other.kid()).sign(&one);
    assert_eq!(engine.verify_at(forged, NOW).unwrap_err().code(), "bad-signature");
    // An iss that names one domain does not help a sub in the other either.
    let named = svid(&one, of_other).claim("iss", "spiffe://one.org").sign(&one);
    assert_eq!(judge(&engine, &named), Err("unknown-key"));
}

#[test]
fn a32_a_key_with_an_issuer_of_its_own_serves_that_trust_domain_alone() {
    let key = es256(0);
    let mut jwk: Value = serde_json::from_str(&key.public_jwk().unwrap()).unwrap();
    jwk["use"] = "jwt-svid".into();
    let mut judge = |issuer: &str| {
        jwk["issuer"] = issuer.into();
        let uses = KeyUses::new(["jwt-svid"]).unwrap();
        let keys = KeySet::builder().key_uses(uses).jwk(jwk.to_string().as_bytes()).unwrap().build().unwrap();
        let engine = engine([domain("example.org", KeyRing::new(keys))]);
        let with_iss = svid(&key, WORKLOAD).claim("iss", "https://oidc.example.org").sign(&key);
        [svid(&key, WORKLOAD).sign(&key), with_iss].map(|token| self::judge(&engine, &token).is_ok())
    };
    assert_eq!(judge(ID), [true, true]);
    for other in ["spiffe://other.org", "https://oidc.example.org", WORKLOAD, "example.org", "spiffe://{x}"] {
        assert_eq!(judge(other), [false, false], "{other}");
    }
}

#[test]
fn a34_revocations_name_the_trust_domain_as_issuer() {
    let key = es256(0);
    let revocations = Revocations::new();
    let builder = Engine::builder().issuer(example_org(&key)).revocations(revocations.clone());
    let engine = builder.build().unwrap();
    let claims = [("jti", "token-1"), ("iss", "https://oidc.example.org")];
    let draft = claims.into_iter().fold(svid(&key, WORKLOAD), |draft, (name, value)| draft.claim(name, value));
    let token = draft.sign(&key);
    assert_eq!(judge(&engine, &token), accepted(ID));
    for revocation in [Revocation::subject(ID, WORKLOAD), Revocation::token(ID, "token-1"), Revocation::issuer(ID)] {
        revocations.revoke(&revocation);
        assert_eq!(judge(&engine, &token), Err("revoked"));
        revocations.restore(&revocation);
        assert_eq!(judge(&engine, &token), accepted(ID));
    }
    revocations.revoke(&Revocation::subject("https://oidc.example.org", WORKLOAD));
    assert_eq!(judge(&engine, &token), accepted(ID));
}

/// Like `judge`, with the number of signatures checked.
fn count(engine: &Engine, token: &str) -> (Result<String, &'static str>, u64) {
    let before = signature_checks();
    (judge(engine, token), signature_checks() - before)
}

#[test]
fn a40_trust_domains_are_added_replaced_and_removed_in_a_running_engine() {
    let [key, new_key] = [0, 1].map(es256);
    let engine = engine([named(ISSUER, &key)]);
    let [token, new_token] = [&key, &new_key].map(|key| svid(key, WORKLOAD).sign(key));
    let bystander = Draft::new(&key).sign(&key);
    for _ in 0..4 {
        assert_eq!(judge(&engine, &bystander), accepted(ISSUER));
    }
    assert_eq!(count(&engine, &token), (Err("missing-claim"), 0));
    engine.add_issuer(example_org(&key)).unwrap();
    assert_eq!(count(&engine, &token), (accepted(ID), 1));
    assert_eq!(count(&engine, &token), (accepted(ID), 0));
    let twice = engine.add_issuer(example_org(&key).leeway(0));
    assert_eq!(twice, Err(BuildError::IssuerExists { issuer: ID.into() }));
    // Adding and removing others changes nothing in the cache.
    engine.add_issuer(domain("other.org", bundle(&key))).unwrap();
    engine.add_issuer(named("https://other.example/", &key)).unwrap();
    assert_eq!(count(&engine, &token), (accepted(ID), 0));
    assert!(engine.remove_issuer("spiffe://other.org") && engine.remove_issuer("https://other.example/"));
    assert_eq!(count(&engine, &token), (accepted(ID), 0));
    assert_eq!(count(&engine, &bystander), (accepted(ISSUER), 0));
    // The tokens of a replaced one are verified again.
    engine.replace_issuers([example_org(&key)]).unwrap();
    assert_eq!(count(&engine, &token), (accepted(ID), 1));
    engine.replace_issuers([example_org(&new_key)]).unwrap();
    assert_eq!(count(&engine, &token), (Err("unknown-key"), 0));
    assert_eq!(count(&engine, &new_token), (accepted(ID), 1));
    // The name of the trust domain without the scheme removes nothing.
    assert!(!engine.remove_issuer("example.org") && !engine.remove_issuer(WORKLOAD));
    assert!(engine.remove_issuer(ID) && !engine.remove_issuer(ID));
    for _ in 0..2 {
        assert_eq!(count(&engine, &new_token), (Err("missing-claim"), 0));
        assert_eq!(count(&engine, &bystander), (accepted(ISSUER), 0));
    }
    engine.add_issuer(example_org(&new_key)).unwrap();
    assert_eq!(count(&engine, &new_token), (accepted(ID), 1));
}

#[test]
fn a40_an_iss_that_is_configured_later_takes_the_tokens_of_the_cache() {
    let [key, other] = [0, 1].map(es256);
    let oidc = "https://oidc.example.org";
    let engine = engine([example_org(&key)]);
    let token = svid(&key, WORKLOAD).claim("iss", oidc).sign(&key);
    let without_iss = svid(&key, WORKLOAD).sign(&key);
    for _ in 0..4 {
        assert_eq!(judge(&engine, &token), accepted(ID));
        assert_eq!(judge(&engine, &without_iss), accepted(ID));
    }
    engine.add_issuer(named(oidc, &other)).unwrap();
    assert_eq!(count(&engine, &token), (Err("unknown-key"), 0));
    assert_eq!(count(&engine, &without_iss), (accepted(ID), 0));
    engine.replace_issuers([named(oidc, &key)]).unwrap();
    assert_eq!(count(&engine, &token), (accepted(oidc), 1));
    assert!(engine.remove_issuer(oidc));
    assert_eq!(count(&engine, &token), (accepted(ID), 1));
    // A template accepts them, too.
    let template = Issuer::new("https://oidc.example.org/{x}").tenant_claim("t").audience(AUDIENCE);
    let token = svid(&key, WORKLOAD).claim("iss", "https://oidc.example.org/a").claim("t", "a").sign(&key);
    assert_eq!(count(&engine, &token), (accepted(ID), 1));
    engine.add_issuer(template.keys(bundle_of(&[(&key, Some("sig"))]))).unwrap();
    assert_eq!(count(&engine, &token), (accepted("https://oidc.example.org/a"), 1));
}

#[test]
fn a34_no_issuer_by_name_is_beside_a_trust_domain_of_the_same() {
    let key = es256(0);
    let build =
        |issuers: [Issuer; 2]| issuers.into_iter().fold(Engine::builder(), EngineBuilder::issuer).build().map(drop);
    let overlap = Err(BuildError::IssuersOverlap { issuer: ID.into() });
    assert_eq!(build([example_org(&key), named(ID, &key)]), overlap);
    assert_eq!(build([named(ID, &key), example_org(&key)]), overlap);
    let other_audience = Issuer::new(ID).audience("urn:other").keys(bundle_of(&[(&key, Some("sig"))]));
    assert_eq!(build([example_org(&key), other_audience]), overlap);
    // In a running engine, one replaces the other.
    let engine = engine([example_org(&key)]);
    assert_eq!(engine.add_issuer(named(ID, &key)), Err(BuildError::IssuerExists { issuer: ID.into() }));
    let [of_domain, of_name] =
        [svid(&key, WORKLOAD), svid(&key, "user-1").claim("iss", ID)].map(|draft| draft.sign(&key));
    assert_eq!(count(&engine, &of_domain), (accepted(ID), 1));
    engine.replace_issuers([named(ID, &key)]).unwrap();
    assert_eq!(count(&engine, &of_domain), (Err("missing-claim"), 0));
    assert_eq!(count(&engine, &of_name), (accepted(ID), 1));
    engine.replace_issuers([example_org(&key)]).unwrap();
    assert_eq!(count(&engine, &of_name), (Err("unknown-issuer"), 0));
    assert_eq!(count(&engine, &of_domain), (accepted(ID), 1));
    assert!(engine.remove_issuer(ID));
    assert_eq!(count(&engine, &of_domain), (Err("missing-claim"), 0));
}

#[test]
fn policies_of_one_trust_domain_are_told_apart_by_audience() {
    let key = es256(0);
    let other = || Issuer::spiffe("example.org").audience("urn:other").require_claim("team").keys(bundle(&key));
    let engine = engine([example_org(&key), other()]);
    assert_eq!(judge(&engine, &svid(&key, WORKLOAD).sign(&key)), accepted(ID));
    let draft = svid(&key, WORKLOAD).claim("aud", "urn:other");
    assert_eq!(judge(&engine, &draft.sign(&key)), Err("missing-claim"));
    assert_eq!(judge(&engine, &draft.claim("team", "a").sign(&key)), accepted(ID));
    let twice = Engine::builder().issuer(example_org(&key)).issuer(example_org(&key)).build();
    assert_eq!(twice.unwrap_err(), BuildError::IssuersOverlap { issuer: ID.into() });
}

#[test]
fn a65_a_trust_domain_that_cannot_be_is_refused() {
    let key = es256(0);
    let refusal = |issuer: Issuer| {
        let error = Engine::builder().issuer(issuer.keys(bundle(&key))).build().unwrap_err();
        error.to_string().strip_prefix("the issuer ").unwrap().split_once("\" ").unwrap().1.to_owned()
    };
    let (longest, too_long) = ("a".repeat(255), "a".repeat(256));
    for name in ["a", "example.org", "prod-1_x.example", &longest] {
        let engine = engine([domain(name, bundle(&key))]);
        let id = format!("spiffe://{name}");
        assert_eq!(judge(&engine, &svid(&key, &format!("{id}/a")).sign(&key)), accepted(&id));
        assert_eq!(name.parse::<TrustDomain>().unwrap().name(), name);
    }
    for name in [
        "",
        "Example.org",
        "example.org:443",
        "example.org/",
        "example.org/a",
        "user@example.org",
        "ex%61mple.org",
        "spiffe://example.org",
        "*.example.org",
        "{domain}",
        "{domain}.org",
        "example.org?",
        "example.org#",
        "ex\u{e4}mple.org",
        " example.org",
        "example.org ",
        "a,b",
        &too_long,
    ] {
        let expected = format!(
            "has a wrong spiffe_trust_domain: {name:?} is no trust domain, whose name has 1 to 255 of a-z 0-9 . _ - alone"
        );
        assert_eq!(refusal(Issuer::spiffe(name).audience(AUDIENCE)), expected);
    }
    let domain = || Issuer::spiffe("example.org").audience(AUDIENCE);
    let fixed = |issuer: Issuer, setting: &str| {
        assert_eq!(refusal(issuer), format!("is a trust domain, for which JWT-SVID fixes {setting}; leave it out"));
    };
    fixed(domain().typ(TypProfile::AccessToken), "typ");
    fixed(domain().audience_claims(&["client_id"]), "claims.audience");
    fixed(domain().subject_claims(&["sub", "client_id"]), "claims.subject");
    fixed(Issuer::spiffe("example.org").danger_accept_any_audience(), "danger_accept_any_audience");
    fixed(domain().danger_accept_missing_exp(), "danger_accept_missing_exp");
    let eddsa = domain().algorithms(&[Algorithm::ES256, Algorithm::EdDSA]);
    assert!(refusal(eddsa).ends_with("whose tokens are not signed with EdDSA: JWT-SVID has RS, ES and PS"));
    assert!(refusal(domain().tenant_claim("tid")).starts_with("has tenant_claim or tenants"));
    assert_eq!(refusal(Issuer::spiffe("example.org")), "needs an audience");
    let mut settings = IssuerSettings::new(ISSUER);
    settings.spiffe_trust_domain = Some("example.org".parse().unwrap());
    assert_eq!(
        refusal(Issuer::from(settings).audience(AUDIENCE)),
        "has both a name and a spiffe_trust_domain; give one"
    );
    let no_key = Engine::builder().issuer(domain().keys(bundle_of(&[(&key, Some("sig"))]))).build();
    assert_eq!(no_key.unwrap_err(), BuildError::NoUsableKey { issuer: ID.into() });
    assert_eq!(Engine::builder().issuer(domain()).build().unwrap_err(), BuildError::NoKeys { issuer: ID.into() });
}

#[test]
fn a32_without_a_trust_domain_no_sub_is_looked_at() {
    let key = es256(0);
    let engine = engine([named(ISSUER, &key)]);
    assert_eq!(judge(&engine, &svid(&key, WORKLOAD).sign(&key)), Err("missing-claim"));
    let unknown = svid(&key, WORKLOAD).claim("iss", "https://x.example").sign(&key);
    assert_eq!(judge(&engine, &unknown), Err("unknown-issuer"));
    assert_eq!(judge(&engine, &svid(&key, WORKLOAD).claim("iss", ISSUER).sign(&key)), accepted(ISSUER));
}
