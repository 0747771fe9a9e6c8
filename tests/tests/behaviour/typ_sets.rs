//! The accepted `typ` of an issuer's tokens, and several policies for one issuer. By Engine::verify throughout.

use serde_json::json;
use tollgate::{Algorithm, BuildError, Engine, EngineBuilder, Issuer, Principal, Rejection, TypProfile, TypSet};
use tollgate_issuer::SigningKey;
use tollgate_keys::test_hooks::signature_checks;
use tollgate_tests::{AUDIENCE, Draft, ISSUER, NOW, issuer, key_set, signing_key};

fn hs256() -> SigningKey {
    signing_key(Algorithm::HS256, 0)
}

fn one_of(types: &[&str]) -> TypProfile {
    TypProfile::OneOf(TypSet::new(types.iter().copied()).unwrap())
}

fn verify(engine: &Engine, draft: &Draft, key: &SigningKey) -> Result<Principal, Rejection> {
    let before = signature_checks();
    let result = engine.verify_at(draft.sign(key).as_bytes(), NOW);
    assert!(result.is_ok() || signature_checks() == before, "rejected only after a signature check");
    result
}

fn code(engine: &Engine, draft: &Draft, key: &SigningKey) -> Result<(), &'static str> {
    verify(engine, draft, key).map(drop).map_err(|rejection| rejection.code())
}

/// The draft with this `typ`, or none.
fn of_typ(draft: Draft, typ: Option<&str>) -> Draft {
    let draft = draft.without_header("typ");
    match typ {
        Some(typ) => draft.header("typ", typ),
        None => draft,
    }
}

#[test]
fn a20_a_list_of_typ_takes_these_media_types_and_no_other() {
    let key = hs256();
    let judge = |types: &[&str], typ: Option<&str>| {
        let engine = Engine::builder().issuer(issuer([&key]).typ(one_of(types))).build().unwrap();
        code(&engine, &of_typ(Draft::new(&key), typ), &key)
    };
    let refused = Err("type-not-allowed");
    for typ in ["JOSE", "jose", "application/JOSE", "APPLICATION/jose"] {
        assert_eq!(judge(&["JOSE"], Some(typ)), Ok(()), "{typ}");
        assert_eq!(judge(&["Application/jose", "x"], Some(typ)), Ok(()), "{typ}");
    }
    for typ in [None, Some(""), Some("JWT"), Some("at+jwt"), Some("JOSE "), Some("application/application/jose")] {
        assert_eq!(judge(&["JOSE"], typ), refused, "{typ:?}");
    }
    // An empty text in the list stands for an absent `typ`, not for an empty one.
    assert_eq!(judge(&[""], None), Ok(()));
    assert_eq!(judge(&[""], Some("")), refused);
    assert_eq!(judge(&[""], Some("application/")), refused);
    assert_eq!(judge(&[""], Some("JWT")), refused);
    assert_eq!(judge(&["JWT"], None), refused, "no typ is another than JWT in a list");
    // A media type outside application/ is compared as a whole.
    assert_eq!(judge(&["text/x"], Some("text/x")), Ok(()));
    assert_eq!(judge(&["text/x"], Some("application/text/x")), refused);
    assert_eq!(judge(&["x"], Some("text/x")), refused);
    for types in [&[][..], &["a b"], &["/"], &["a/"], &["/a"], &["a/b/c"], &["é"], &["JWT", ";"], &["application/"]] {
        assert!(TypSet::new(types.iter().copied()).is_err(), "{types:?}");
    }
}

#[test]
fn a20_a_list_is_about_typ_alone() {
    let key = hs256();
    let engine = Engine::builder().issuer(issuer([&key]).typ(one_of(&["at+jwt", "secevent+jwt"]))).build().unwrap();
    for name in ["sub", "client_id", "iat", "jti"] {
        let draft = Draft::new(&key).header("typ", "at+jwt").without_claim(name);
        assert_eq!(code(&engine, &draft, &key), Ok(()), "{name}");
    }
    assert_eq!(
        code(&engine, &Draft::new(&key).header("typ", "at+jwt").without_claim("exp"), &key),
        Err("missing-claim")
    );
}

#[test]
fn the_message_of_a_typ_that_is_not_allowed_has_the_one_sent_and_those_expected() {
    let key = hs256();
    let message = |profile: TypProfile, typ: Option<&str>| {
        let engine = Engine::builder().issuer(issuer([&key]).typ(profile)).build().unwrap();
        verify(&engine, &of_typ(Draft::new(&key), typ), &key).unwrap_err().to_string()
    };
    assert_eq!(
        message(TypProfile::Jwt, Some("at+jwt")),
        format!(r#"typ is "at+jwt"; tokens of {ISSUER} have no typ or JWT"#)
    );
    assert_eq!(message(TypProfile::AccessToken, None), format!("there is no typ; tokens of {ISSUER} have at+jwt"));
    assert_eq!(
        message(one_of(&["JOSE", "secevent+jwt"]), Some("x\n")),
        format!(r#"typ is "x\n"; tokens of {ISSUER} have jose or secevent+jwt"#)
    );
    assert!(message(TypProfile::Jwt, Some(&"x".repeat(5000))).len() < 256);
}

/// Access tokens and ID tokens of one issuer, under keys of their own, so that a token shows which policy checked it.
struct Two {
    access: SigningKey,
    id: SigningKey,
    engine: Engine,
}

fn two(access: impl FnOnce(Issuer) -> Issuer, id: impl FnOnce(Issuer) -> Issuer) -> Result<Two, BuildError> {
    let keys = (hs256(), signing_key(Algorithm::HS256, 0));
    let section = |key: &SigningKey| Issuer::new(ISSUER).keys(key_set([key]));
    let engine = Engine::builder().issuer(access(section(&keys.0))).issuer(id(section(&keys.1))).build()?;
    Ok(Two { access: keys.0, id: keys.1, engine })
}

#[test]
fn two_policies_of_one_issuer_are_told_apart_by_typ() {
    let world = two(
        |issuer| issuer.audience(AUDIENCE).typ(TypProfile::AccessToken),
        |issuer| issuer.audience("app-1").audience(AUDIENCE).expect_claim("nonce", "n"),
    )
    .unwrap();
    let access = |draft: Draft| draft.header("typ", "at+jwt");
    let verify = |draft: Draft, key: &SigningKey| {
        world.engine.verify_at(draft.sign(key).as_bytes(), NOW).map(drop).map_err(|rejection| rejection.code())
    };
    let (as_access, as_id) =
        (Draft::new(&world.access), Draft::new(&world.id).claim("nonce", "n").claim("aud", "app-1"));
    assert_eq!(verify(access(as_access.clone()), &world.access), Ok(()));
    assert_eq!(verify(as_id.clone(), &world.id), Ok(()));
    assert_eq!(verify(of_typ(as_id.clone(), None), &world.id), Ok(()));
    // Neither is accepted as the other: not by its typ, not under the other's key, not with the other's claims.
    assert_eq!(verify(access(as_id.clone()), &world.id), Err("wrong-audience"));
    assert_eq!(verify(access(as_access.clone()), &world.id), Err("bad-signature"));
    assert_eq!(verify(as_access.clone(), &world.access), Err("missing-claim"), "nonce");
    assert_eq!(verify(as_access.clone().claim("nonce", "n"), &world.access), Err("bad-signature"));
    assert_eq!(verify(access(as_access.clone()).claim("aud", "app-1"), &world.access), Err("wrong-audience"));
    let other = world.engine.verify_at(as_id.header("typ", "logout+jwt").sign(&world.id).as_bytes(), NOW).unwrap_err();
    assert_eq!(other.to_string(), format!(r#"typ is "logout+jwt"; tokens of {ISSUER} have no typ or at+jwt or JWT"#));
    // In the cache, each keeps its own policy.
    for _ in 0..3 {
        let draft = access(Draft::new(&world.access));
        let principal = world.engine.verify_at(draft.sign(&world.access).as_bytes(), NOW).unwrap();
        assert_eq!(principal.issuer(), Some(ISSUER));
    }
}

#[test]
fn two_policies_of_one_issuer_are_told_apart_by_audience() {
    let world = two(
        |issuer| issuer.audience("api-1").audience("api-2").require_claim("scope"),
        |issuer| issuer.audience("app-1").require_claim("nonce"),
    )
    .unwrap();
    let verify = |draft: Draft, key: &SigningKey| world.engine.verify_at(draft.sign(key).as_bytes(), NOW);
    let code = |draft: Draft, key: &SigningKey| verify(draft, key).map(drop).map_err(|rejection| rejection.code());
    let draft = |aud: serde_json::Value| Draft::new(&world.id).claim("aud", aud).claim("nonce", "n");
    assert_eq!(code(draft(json!("api-2")), &world.access), Ok(()));
    assert_eq!(code(draft(json!("app-1")), &world.id), Ok(()));
    assert_eq!(code(draft(json!("api-2")), &world.id), Err("bad-signature"));
    assert_eq!(code(draft(json!("app-1")), &world.access), Err("bad-signature"));
    assert_eq!(code(draft(json!("app-1")).without_claim("nonce"), &world.id), Err("missing-claim"));
    // The first audience that one of them names decides, whichever is configured first.
    assert_eq!(code(draft(json!(["x", "app-1", "api-1"])), &world.id), Ok(()));
    assert_eq!(code(draft(json!(["api-1", "app-1"])), &world.access), Ok(()));
    assert_eq!(code(draft(json!(["api-1", "app-1"])), &world.id), Err("bad-signature"));
    assert_eq!(code(draft(json!(["x"])), &world.id), Err("wrong-audience"));
    assert_eq!(code(draft(json!([])), &world.id), Err("wrong-audience"));
    assert_eq!(code(draft(json!([])).without_claim("aud"), &world.id), Err("missing-claim"));
    let other = verify(draft(json!("x")), &world.id).unwrap_err();
    let Rejection::WrongAudience { sent, expected, issuer } = other else { panic!("{other:?}") };
    assert_eq!((&*sent, &*issuer), (r#""x""#, ISSUER));
    assert_eq!(expected.len(), 3);
}

#[test]
fn a_mapped_audience_tells_two_policies_apart() {
    let claims = &["aud", "client_id"][..];
    let world = two(
        |issuer| issuer.audience("app-1").audience_claims(claims),
        |issuer| issuer.audience("app-2").audience_claims(claims),
    )
    .unwrap();
    let draft = |client: &str| Draft::new(&world.id).without_claim("aud").claim("client_id", client);
    for (client, own, other) in [("app-1", &world.access, &world.id), ("app-2", &world.id, &world.access)] {
        assert!(world.engine.verify_at(draft(client).sign(own).as_bytes(), NOW).is_ok());
        let rejection = world.engine.verify_at(draft(client).sign(other).as_bytes(), NOW).unwrap_err();
        assert_eq!(rejection, Rejection::BadSignature);
    }
}

#[test]
fn policies_that_a_token_could_belong_to_both_of_are_refused() {
    type Configure = fn(Issuer) -> Issuer;
    let refused: [(Configure, Configure); 6] = [
        (|issuer| issuer.audience("a"), |issuer| issuer.audience("a")),
        (|issuer| issuer.audience("a").audience("b"), |issuer| issuer.audience("c").audience("b")),
        (|issuer| issuer.audience("a"), |issuer| issuer.audience("a").typ(TypProfile::JwtOrAccessToken)),
        (|issuer| issuer.audience("a"), |issuer| issuer.danger_accept_any_audience()),
        (
            |issuer| issuer.audience("a").typ(one_of(&["x", "Y"])),
            |issuer| issuer.audience("a").typ(one_of(&["application/y"])),
        ),
        // The audience of one token would have to be read in two ways.
        (|issuer| issuer.audience("a"), |issuer| issuer.audience("b").audience_claims(&["client_id"])),
    ];
    for (index, (one, other)) in refused.into_iter().enumerate() {
        let error = two(one, other).map(drop).unwrap_err();
        assert_eq!(error, BuildError::IssuersOverlap { issuer: ISSUER.into() }, "{index}");
    }
    let taken: [(Configure, Configure); 4] = [
        (|issuer| issuer.audience("a").audience("a"), |issuer| issuer.audience("b")),
        (|issuer| issuer.audience("a"), |issuer| issuer.audience("a").typ(TypProfile::AccessToken)),
        (|issuer| issuer.audience("a").typ(one_of(&["x", ""])), |issuer| issuer.audience("a").typ(one_of(&["jwt"]))),
        (|issuer| issuer.danger_accept_any_audience(), |issuer| issuer.audience("a").typ(TypProfile::AccessToken)),
    ];
    for (index, (one, other)) in taken.into_iter().enumerate() {
        assert!(two(one, other).is_ok(), "{index}");
    }
}

#[test]
fn many_policies_of_one_issuer_are_found_each() {
    let keys: Vec<_> = (0..50).map(|_| hs256()).collect();
    let section =
        |(index, key): (usize, &SigningKey)| Issuer::new(ISSUER).audience(&format!("api-{index}")).keys(key_set([key]));
    let engine = keys.iter().enumerate().map(section).fold(Engine::builder(), EngineBuilder::issuer).build().unwrap();
    for (index, key) in keys.iter().enumerate() {
        let draft = Draft::new(key).claim("aud", format!("api-{index}"));
        assert!(engine.verify_at(draft.sign(key).as_bytes(), NOW).is_ok());
        assert_eq!(
            engine.verify_at(draft.sign(&keys[(index + 1) % 50]).as_bytes(), NOW).unwrap_err(),
            Rejection::BadSignature
        );
    }
}
