//! Logout tokens (OpenID Connect Back-Channel Logout 1.0): what they revoke, and tokens that are not logout tokens.

use serde_json::{Value, json};
use tollgate::{Algorithm, Engine, LogoutTokenError, Principal, Revocation, Revocations, TypProfile, TypSet};
use tollgate_issuer::SigningKey;
use tollgate_tests::{Draft, ISSUER, NOW, issuer, signing_key};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

struct World {
    key: SigningKey,
    revocations: Revocations,
    engine: Engine,
}

impl World {
    fn new() -> Self {
        let key = signing_key(Algorithm::HS256, 0);
        let (revocations, logout) = (Revocations::new(), TypSet::new(["logout+jwt"]).unwrap());
        let engine = Engine::builder()
            .issuer(issuer([&key]))
            .issuer(issuer([&key]).typ(TypProfile::OneOf(logout)))
            .revocations(revocations.clone())
            .build()
            .unwrap();
        World { key, revocations, engine }
    }

    fn verify(&self, draft: &Draft) -> Result<Principal, &'static str> {
        let token = draft.sign(&self.key);
        self.engine.verify_at(token.as_bytes(), NOW).map_err(|rejection| rejection.code())
    }

    fn logout_token(&self) -> Draft {
        Draft::new(&self.key).header("typ", "logout+jwt").claim("jti", "logout-1").claim("events", json!({ EVENT: {} }))
    }

    fn read(&self, draft: &Draft) -> Result<Revocation, LogoutTokenError> {
        Revocation::from_logout_token(&self.verify(draft).expect("the engine takes it"))
    }
}

#[test]
fn a_session_that_is_named_is_revoked_alone() {
    let world = World::new();
    let of_session = |sid: &str| Draft::new(&world.key).claim("sid", sid);
    for sid in ["s-1", "s-2"] {
        world.verify(&of_session(sid)).unwrap();
    }
    world.revocations.revoke(&world.read(&world.logout_token().claim("sid", "s-1")).unwrap());
    assert_eq!(world.verify(&of_session("s-1")).map(drop), Err("revoked"));
    assert!(world.verify(&of_session("s-2")).is_ok(), "another session of the same subject");
    assert!(world.verify(&Draft::new(&world.key)).is_ok());
    // A session that is begun later has another sid, and the tokens of this one stay revoked.
    assert_eq!(world.verify(&of_session("s-1").claim("iat", NOW)).map(drop), Err("revoked"));
}

#[test]
fn a_subject_alone_loses_what_it_had_by_then() {
    let world = World::new();
    let at = |iat: i64| Draft::new(&world.key).claim("iat", iat);
    let logout = world.logout_token().claim("iat", NOW - 10);
    let subject = world.verify(&logout).unwrap().subject().unwrap().to_owned();
    let read = world.read(&logout).unwrap();
    assert_eq!(read, Revocation::subject(ISSUER, &subject).issued_before(NOW - 9));
    world.revocations.revoke(&read);
    for (iat, expected) in [(NOW - 60, Err("revoked")), (NOW - 10, Err("revoked")), (NOW - 9, Ok(())), (NOW, Ok(()))] {
        assert_eq!(world.verify(&at(iat)).map(drop), expected, "{iat}");
    }
    assert!(world.verify(&at(NOW - 60).claim("sub", "somebody-else")).is_ok());
}

#[test]
fn what_is_no_logout_token_revokes_nothing() {
    let world = World::new();
    let with = |events: Value| world.read(&world.logout_token().claim("events", events)).unwrap_err();
    for events in [json!({}), json!({ EVENT: null }), json!({ EVENT: [] }), json!({ EVENT: true }), json!({ "x": {} })]
    {
        assert_eq!(with(events.clone()), LogoutTokenError::NoLogoutEvent, "{events}");
    }
    for events in [json!(EVENT), json!([EVENT]), json!(1)] {
        assert!(matches!(with(events.clone()), LogoutTokenError::Claims(_)), "{events}");
    }
    let read = |draft: Draft| world.read(&draft).unwrap_err();
    assert_eq!(read(world.logout_token().without_claim("events")), LogoutTokenError::NoLogoutEvent);
    assert_eq!(read(world.logout_token().claim("nonce", "n")), LogoutTokenError::Nonce);
    assert_eq!(read(world.logout_token().claim("nonce", Value::Null)), LogoutTokenError::Nonce);
    assert_eq!(read(world.logout_token().without_claim("iat")), LogoutTokenError::NoIssuedAt);
    let of_nobody = world.logout_token().without_claim("sub").without_claim("sid");
    assert_eq!(read(of_nobody), LogoutTokenError::NamesNobody);
    // Members besides the logout event are ignored, and so is the content of the event.
    let others = json!({ "urn:other": 7, EVENT: { "more": [] } });
    assert!(world.read(&world.logout_token().claim("events", others)).is_ok());
}

#[test]
fn a_logout_token_is_good_for_nothing_else() {
    let world = World::new();
    let as_access = Draft::new(&world.key).claim("events", json!({ EVENT: {} }));
    assert!(world.verify(&as_access).is_ok(), "its typ says what a token is");
    let engine = Engine::builder().issuer(issuer([&world.key])).build().unwrap();
    let token = world.logout_token().sign(&world.key);
    assert_eq!(engine.verify_at(token.as_bytes(), NOW).unwrap_err().code(), "type-not-allowed");
}
