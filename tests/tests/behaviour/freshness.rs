//! Issuers that require fresh revocations. By Engine::verify throughout.

use tollgate::{
    Algorithm, ApiKey, ApiKeyTable, BuildError, Engine, Issuer, KeyFormat, KeyRecord, Rejection, Revocation,
    Revocations, Unavailable,
};
use tollgate_keys::test_hooks::signature_checks;
use tollgate_tests::{AUDIENCE, Draft, ISSUER, NOW, issuer, key_set, signing_key};

const OTHER: &str = "https://other.example.com/";

#[test]
fn a80_stale_revocations_are_503_for_whoever_requires_fresh_ones() {
    let key = signing_key(Algorithm::HS256, 0);
    let table = ApiKeyTable::new(KeyFormat::new("tg", "live").unwrap());
    let api_key = ApiKey::generate(table.format()).unwrap();
    table.insert(&api_key, KeyRecord::api_key("k", "u"));
    let revocations = Revocations::new();
    let engine = Engine::builder()
        .issuer(issuer([&key]).require_fresh_revocations())
        .issuer(Issuer::new(OTHER).audience(AUDIENCE).keys(key_set([&key])))
        .api_keys(table)
        .revocations(revocations.clone())
        .build()
        .unwrap();
    let token = Draft::new(&key).sign(&key);
    let others = Draft::new(&key).claim("iss", OTHER).sign(&key);
    let revoked = Draft::new(&key).claim("jti", "token-2").sign(&key);
    let expired = Draft::new(&key).claim("exp", NOW - 100).sign(&key);
    let forged = Draft::new(&key).with_signature([7; 32]);
    let stale: Rejection = Unavailable::StaleRevocations { issuer: ISSUER.into() }.into();
    assert_eq!((stale.status(), stale.code(), stale.retry_after()), (503, "revocations-stale", Some(5)));
    assert_eq!(stale.challenge().to_string(), "Bearer");

    let assert_stale = || {
        for _ in 0..4 {
            assert_eq!(engine.verify_at(&token, NOW).unwrap_err(), stale);
            // Certain rejections are still returned, and credentials that need no revocations are still accepted.
            assert_eq!(engine.verify_at(&revoked, NOW).unwrap_err(), Rejection::Revoked);
            assert_eq!(engine.verify_at(&expired, NOW).unwrap_err().code(), "expired");
            assert_eq!(engine.verify_at(&forged, NOW).unwrap_err().code(), "bad-signature");
            assert!(engine.verify_at(&others, NOW).is_ok() && engine.verify_at(api_key.as_str(), NOW).is_ok());
        }
    };
    revocations.revoke(&Revocation::token(ISSUER, "token-2"));
    // They have not been declared fresh yet.
    assert_stale();
    for _ in 0..3 {
        revocations.mark_fresh();
        for _ in 0..4 {
            assert!(engine.verify_at(&token, NOW).is_ok());
        }
        let checks = signature_checks();
        assert!(engine.verify_at(&token, NOW).is_ok());
        revocations.mark_stale();
        assert_eq!(engine.verify_at(&token, NOW).unwrap_err(), stale);
        revocations.mark_fresh();
        assert!(engine.verify_at(&token, NOW).is_ok());
        assert_eq!(signature_checks(), checks, "stale or fresh, it was in the cache");
        revocations.mark_stale();
        assert_stale();
    }
    revocations.mark_fresh();
    revocations.revoke(&Revocation::subject(ISSUER, "user-1"));
    assert_eq!(engine.verify_at(&token, NOW).unwrap_err(), Rejection::Revoked);
}

#[test]
fn a65_revocations_that_nobody_could_declare_fresh_are_an_error() {
    let key = signing_key(Algorithm::HS256, 0);
    let requiring = || issuer([&key]).require_fresh_revocations();
    let error = BuildError::RevocationsNeverFresh { issuer: ISSUER.into() };
    let build = |builder: tollgate::EngineBuilder| builder.build().map(|_| ()).unwrap_err();
    assert_eq!(build(Engine::builder().issuer(requiring())), error);
    assert_eq!(build(Engine::builder().issuer(requiring()).revocations(Revocations::new())), error);
    assert!(error.to_string().contains("nobody feeds"), "{error}");

    let engine = tollgate_tests::engine([&key]);
    let other = || Issuer::new(OTHER).audience(AUDIENCE).keys(key_set([&key])).require_fresh_revocations();
    assert_eq!(engine.add_issuer(other()), Err(BuildError::RevocationsNeverFresh { issuer: OTHER.into() }));
    assert_eq!(engine.replace_issuers([requiring()]), Err(error));
    assert!(engine.verify_at(Draft::new(&key).sign(&key), NOW).is_ok(), "nothing was changed");

    let revocations = Revocations::new();
    let engine = Engine::builder().issuer(issuer([&key])).revocations(revocations.clone()).build().unwrap();
    engine.replace_issuers([requiring()]).unwrap();
    assert_eq!(engine.verify_at(Draft::new(&key).sign(&key), NOW).unwrap_err().code(), "revocations-stale");
    revocations.mark_fresh();
    assert!(engine.verify_at(Draft::new(&key).sign(&key), NOW).is_ok());
}

#[test]
fn a80_keys_of_a_store_are_503_while_it_is_stale() {
    let table = ApiKeyTable::new(KeyFormat::new("tg", "live").unwrap());
    let [key, token, secret] = [0; 3].map(|_| ApiKey::generate(table.format()).unwrap());
    table.insert(&key, KeyRecord::api_key("k", "u"));
    table.insert(&token, KeyRecord::access_token("t", "u"));
    table.insert(&secret, KeyRecord::client_secret("s", "c"));
    let revocations = Revocations::new();
    let builder = || Engine::builder().require_fresh_api_keys();
    let engine = builder().api_keys(table).revocations(revocations.clone()).build().unwrap();
    let verify = || {
        [
            engine.verify_at(key.as_str(), NOW).map(drop),
            engine.verify_at(format!("Bearer {}", token.as_str()), NOW).map(drop),
            engine.verify_client_at("c", secret.as_str(), NOW).map(drop),
        ]
    };
    for _ in 0..2 {
        for rejection in verify().map(Result::unwrap_err) {
            assert_eq!((rejection.status(), rejection.code()), (503, "revocations-stale"), "{rejection}");
            assert_eq!(rejection.retry_after(), Some(5));
        }
        assert_eq!(engine.verify_at("tg_live_nonsense", NOW).unwrap_err().status(), 401);
        revocations.mark_fresh();
        assert!(verify().iter().all(Result::is_ok));
        revocations.revoke(&Revocation::api_key("k"));
        assert_eq!(verify()[0].clone().unwrap_err(), Rejection::Revoked);
        revocations.restore(&Revocation::api_key("k"));
        revocations.mark_stale();
    }
    let table = ApiKeyTable::new(KeyFormat::new("tg", "live").unwrap());
    let nobody = builder().api_keys(table).build().unwrap_err();
    assert!(matches!(nobody, BuildError::RevocationsNeverFresh { .. }), "{nobody}");
}
