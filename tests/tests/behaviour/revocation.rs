//! Revocation by every name, at once, for cached and new tokens.

use std::collections::HashMap;

use proptest::prelude::*;
use tollgate::{Algorithm, ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord, Revocation, Revocations};
use tollgate_issuer::SigningKey;
use tollgate_keys::test_hooks::signature_checks;
use tollgate_tests::{AUDIENCE, Draft, ISSUER, NOW, issuer, key_set, signing_key};

struct World {
    key: SigningKey,
    revocations: Revocations,
    engine: Engine,
}

fn world() -> World {
    let key = signing_key(Algorithm::ES256, 0);
    let revocations = Revocations::new();
    let other = tollgate::Issuer::new("https://other/").audience(AUDIENCE).keys(key_set([&key]));
    let engine =
        Engine::builder().issuer(issuer([&key])).issuer(other).revocations(revocations.clone()).build().unwrap();
    World { key, revocations, engine }
}

impl World {
    fn token(&self, change: impl FnOnce(Draft) -> Draft) -> String {
        change(Draft::new(&self.key).claim("sid", "session-1")).sign(&self.key)
    }

    fn code(&self, token: &str) -> Result<(), &'static str> {
        self.engine.verify_at(token.as_bytes(), NOW).map(drop).map_err(|rejection| rejection.code())
    }
}

#[test]
fn a_token_is_revoked_by_each_of_its_names_and_by_no_other() {
    let names = [
        Revocation::token(ISSUER, "token-1"),
        Revocation::subject(ISSUER, "user-1"),
        Revocation::session(ISSUER, "session-1"),
        Revocation::client(ISSUER, "client-1"),
        Revocation::issuer(ISSUER),
    ];
    for revocation in names {
        let world = world();
        let (token, theirs) = (world.token(|draft| draft), world.token(|draft| draft.claim("iss", "https://other/")));
        for _ in 0..4 {
            assert_eq!((world.code(&token), world.code(&theirs)), (Ok(()), Ok(())));
        }
        world.revocations.revoke(&revocation);
        for _ in 0..3 {
            assert_eq!(world.code(&token), Err("revoked"), "{revocation:?}");
            assert_eq!(world.code(&theirs), Ok(()), "another issuer's: {revocation:?}");
        }
        let fresh = world.token(|draft| draft.claim("n", 1));
        assert_eq!(world.code(&fresh), Err("revoked"), "a token that was not known: {revocation:?}");
        assert!(world.revocations.restore(&revocation));
        assert_eq!((world.code(&token), world.code(&fresh)), (Ok(()), Ok(())), "{revocation:?}");
    }
}

#[test]
fn names_of_one_kind_are_no_names_of_another() {
    let world = world();
    let token = world.token(|draft| draft);
    for revocation in [
        Revocation::token(ISSUER, "user-1"),
        Revocation::subject(ISSUER, "token-1"),
        Revocation::subject(ISSUER, "session-1"),
        Revocation::session(ISSUER, "user-1"),
        Revocation::client(ISSUER, "user-1"),
        Revocation::api_key("token-1"),
        Revocation::subject(ISSUER, ""),
        Revocation::subject(&ISSUER[..ISSUER.len() - 1], "/user-1"),
        Revocation::issuer("https://nobody/"),
    ] {
        world.revocations.revoke(&revocation);
        assert_eq!(world.code(&token), Ok(()), "{revocation:?}");
    }
}

#[test]
fn issued_before_spares_what_came_later() {
    let world = world();
    let issued = |iat: i64| world.token(|draft| draft.claim("iat", iat));
    let (before, at) = (issued(NOW - 1), issued(NOW));
    let unsaid = world.token(|draft| draft.without_claim("iat"));
    for _ in 0..3 {
        assert_eq!((world.code(&before), world.code(&at), world.code(&unsaid)), (Ok(()), Ok(()), Ok(())));
    }
    world.revocations.revoke(&Revocation::subject(ISSUER, "user-1").issued_before(NOW));
    for _ in 0..3 {
        assert_eq!((world.code(&before), world.code(&at)), (Err("revoked"), Ok(())));
        assert_eq!(world.code(&unsaid), Err("revoked"));
    }
    // The stricter of two applies, whatever their order.
    world.revocations.revoke(&Revocation::subject(ISSUER, "user-1").issued_before(NOW - 100));
    assert_eq!(world.code(&before), Err("revoked"));
    world.revocations.revoke(&Revocation::subject(ISSUER, "user-1").issued_before(NOW + 1));
    assert_eq!(world.code(&at), Err("revoked"));
    assert_eq!(world.revocations.len(), 1);
}

/// If the order of the entries mattered, a token could pass that the stricter revocation names.
#[test]
fn of_two_of_one_name_the_stricter_counts_also_where_everything_is_replaced() {
    let world = world();
    let token = world.token(|draft| draft);
    let wholly = Revocation::subject(ISSUER, "user-1");
    let partly = Revocation::subject(ISSUER, "user-1").issued_before(NOW - 100).until(NOW);
    for both in [[&wholly, &partly], [&partly, &wholly]] {
        world.revocations.replace_all([]);
        assert_eq!(world.code(&token), Ok(()));
        world.revocations.replace_all(both);
        assert_eq!((world.revocations.len(), world.code(&token)), (1, Err("revoked")));
        assert_eq!((world.revocations.forget_expired(NOW), world.code(&token)), (0, Err("revoked")));
    }
}

#[test]
fn a_known_token_is_checked_anew_after_a_change_without_a_signature_check() {
    let world = world();
    let token = world.token(|draft| draft);
    assert_eq!(world.code(&token), Ok(()));
    let before = signature_checks();
    for index in 0..10 {
        world.revocations.revoke(&Revocation::token(ISSUER, &format!("other-{index}")));
        assert_eq!(world.code(&token), Ok(()));
    }
    assert_eq!(signature_checks(), before);
}

#[test]
fn a07_a_twin_with_the_other_s_is_revoked_along_with_the_token() {
    let world = world();
    let token = world.token(|draft| draft);
    let (signing_input, signature) = token.rsplit_once('.').unwrap();
    let mut bytes = Vec::new();
    tollgate_jwt::base64url::decode(signature, &mut bytes).unwrap();
    negate_s(&mut bytes[32..]);
    let twin = format!("{signing_input}.{}", tollgate_jwt::base64url::encode(&bytes));
    assert_ne!(token, twin);
    assert_eq!((world.code(&token), world.code(&twin)), (Ok(()), Ok(())), "both are signatures of the one token");
    world.revocations.revoke(&Revocation::token(ISSUER, "token-1"));
    assert_eq!((world.code(&token), world.code(&twin)), (Err("revoked"), Err("revoked")));
}

/// `n - s` for the order `n` of P-256 (SEC 2 section 2.4.2).
fn negate_s(s: &mut [u8]) {
    const N: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad,
        0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let mut borrow = 0;
    for index in (0..32).rev() {
        let difference = i16::from(N[index]) - i16::from(s[index]) - borrow;
        borrow = i16::from(difference < 0);
        s[index] = (difference + 256 * borrow) as u8;
    }
}

#[test]
fn an_api_key_is_revoked_by_its_id() {
    // Ids and records of every form in the table: packed into a cache line, and stored whole.
    for (id, metadata) in [
        ("key-1", ""),
        ("key_01kdzb6y0v8e6q5t3h4jm2n7ra", ""),
        ("018f0a3e-6d2b-7c31-9c56-0a1b2c3d4e5f", ""),
        ("key-1", "a note"),
        ("a name that is longer than sixteen bytes", ""),
    ] {
        let format = KeyFormat::new("tg", "live").unwrap();
        let (key, table, revocations) =
            (ApiKey::generate(&format).unwrap(), ApiKeyTable::new(format), Revocations::new());
        let record = KeyRecord::api_key(id, "user-1").metadata(metadata.as_bytes());
        table.insert(&key, record);
        let engine = Engine::builder().api_keys(table).revocations(revocations.clone()).build().unwrap();
        let verify = || engine.verify(key.as_str().as_bytes());
        assert!(verify().is_ok());
        revocations.revoke(&Revocation::api_key("key-2"));
        assert_eq!(verify().unwrap().credential_id(), Some(id));
        revocations.revoke(&Revocation::api_key(id));
        assert_eq!(verify().unwrap_err().code(), "revoked", "{id}");
    }
}

#[test]
fn what_no_token_can_outlive_is_forgotten() {
    let revocations = Revocations::new();
    let all: Vec<_> = (0..1000).map(|n| Revocation::token(ISSUER, &format!("{n}")).until(NOW + n)).collect();
    assert_eq!(revocations.revoke_all(&all), 0);
    assert_eq!(revocations.revoke_all(&all[..10]), 10);
    assert_eq!(revocations.len(), 1000);
    assert_eq!(revocations.forget_expired(NOW - 1), 0);
    assert_eq!(revocations.forget_expired(NOW + 499), 500);
    assert_eq!(revocations.len(), 500);
    assert_eq!(revocations.forget_expired(i64::MAX), 500);
    assert!(revocations.is_empty());
    revocations.revoke(&Revocation::issuer(ISSUER));
    assert_eq!(revocations.forget_expired(i64::MAX), 0, "without an end it is kept");
}

#[derive(Clone, Debug)]
enum Step {
    Revoke(u8, i64),
    Restore(u8),
    Forget(i64),
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Compares with a map from `jti` to the end of its revocation.
    #[test]
    fn the_table_agrees_with_a_map(
        steps in proptest::collection::vec(
            prop_oneof![
                (0..20_u8, 0..100_i64).prop_map(|(jti, until)| Step::Revoke(jti, until)),
                (0..20_u8).prop_map(Step::Restore),
                (0..100_i64).prop_map(Step::Forget),
            ],
            1..60,
        ),
    ) {
        let world = world();
        let tokens: Vec<_> = (0..20).map(|jti| world.token(|draft| draft.claim("jti", format!("{jti}")))).collect();
        let mut model = HashMap::<u8, i64>::new();
        for step in steps {
            match step {
                Step::Revoke(jti, until) => {
                    world.revocations.revoke(&Revocation::token(ISSUER, &format!("{jti}")).until(until));
                    let end = model.entry(jti).or_insert(until);
                    *end = until.max(*end);
                }
                Step::Restore(jti) => {
                    let was_there = world.revocations.restore(&Revocation::token(ISSUER, &format!("{jti}")));
                    prop_assert_eq!(was_there, model.remove(&jti).is_some());
                }
                Step::Forget(now) => {
                    let before = model.len();
                    model.retain(|_, until| *until > now);
                    prop_assert_eq!(world.revocations.forget_expired(now), before - model.len());
                }
            }
            prop_assert_eq!(world.revocations.len(), model.len());
            for (jti, token) in tokens.iter().enumerate() {
                prop_assert_eq!(world.code(token).is_err(), model.contains_key(&(jti as u8)));
            }
        }
    }
}
