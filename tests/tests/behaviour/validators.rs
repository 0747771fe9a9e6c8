//! Validators of the user's own: after the signature, once for each new token or on each hit, with codes of their own.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::{panic, thread};

use serde_json::json;
use tollgate::{Algorithm, Engine, Issuer, Refusal, RefusalCode, Rejection, Revocation, Revocations, VerifiedClaims};
use tollgate_issuer::SigningKey;
use tollgate_keys::test_hooks::signature_checks;
use tollgate_tests::{Draft, ISSUER, NOW, issuer, signing_key};

const SUSPENDED: RefusalCode = RefusalCode::new("tenant-suspended");

fn hs256() -> SigningKey {
    signing_key(Algorithm::HS256, 0)
}

fn engine(issuer: Issuer) -> Engine {
    Engine::builder().issuer(issuer).build().unwrap()
}

/// A validator that counts its calls, and its counter.
fn counting() -> (impl Fn(&VerifiedClaims<'_>) -> Result<(), Refusal> + Send + Sync + 'static, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let validator = move |_: &VerifiedClaims<'_>| {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(())
    };
    (validator, asked)
}

#[test]
fn a_validator_sees_verified_claims_and_its_code_and_text_are_the_rejections() {
    let key = hs256();
    let engine = engine(issuer([&key]).client_claims(&["app"]).validator(|claims| {
        assert_eq!(
            (claims.issuer(), claims.subject(), claims.client_id()),
            (Some(ISSUER), Some("user-1"), Some("app-1"))
        );
        assert_eq!((claims.token_id(), claims.now()), (Some("token-1"), NOW));
        assert_eq!((claims.expires_at(), claims.issued_at()), (Some(NOW + 600), Some(NOW)));
        assert!(claims.scopes().contains("read:sites") && claims.audience().count() == 1);
        assert_eq!(claims.claims::<serde_json::Value>().unwrap()["app"], "app-1");
        match claims.claim::<String>("tenant").unwrap().as_deref() {
            Some("suspended") => Err(SUSPENDED.refuse("the tenant \"suspended\"\n has not paid")),
            Some("poor") => Err(SUSPENDED.forbid("the tenant is poor")),
            Some("unknown") => Err(SUSPENDED.unavailable("x".repeat(1000))),
            _ => Ok(()),
        }
    }));
    let verify = |tenant: &str| {
        let token = Draft::new(&key).claim("app", "app-1").claim("tenant", tenant).sign(&key);
        engine.verify_at(&token, NOW)
    };
    assert!(verify("good").is_ok());
    let refused = verify("suspended").unwrap_err();
    assert_eq!((refused.code(), refused.status()), ("tenant-suspended", 401));
    assert_eq!(refused.to_string(), r#"the tenant "suspended"\n has not paid"#);
    assert_eq!(refused.challenge().to_string(), r#"Bearer error="invalid_token""#);
    let forbidden = verify("poor").unwrap_err();
    assert_eq!((forbidden.code(), forbidden.status()), ("tenant-suspended", 403));
    assert_eq!(forbidden.challenge().to_string(), r#"Bearer error="insufficient_scope""#);
    let unavailable = verify("unknown").unwrap_err();
    assert_eq!((unavailable.status(), unavailable.challenge().to_string().as_str()), (503, "Bearer"));
    assert_eq!(unavailable.retry_after(), Some(5));
    let Rejection::Refused(refusal) = &unavailable else { panic!("{unavailable:?}") };
    assert_eq!(refusal.detail().len(), 160, "an excerpt");
    assert!(unavailable.to_string().len() <= 256);
}

#[test]
fn a_validator_is_asked_after_everything_else() {
    let key = hs256();
    let (validator, asked) = counting();
    let revocations = Revocations::new();
    let engine =
        Engine::builder().issuer(issuer([&key]).validator(validator)).revocations(revocations.clone()).build().unwrap();
    revocations.revoke(&Revocation::subject(ISSUER, "user-2"));
    for (draft, code) in [
        (Draft::new(&key).claim("exp", NOW - 100), "expired"),
        (Draft::new(&key).claim("aud", "x"), "wrong-audience"),
        (Draft::new(&key).claim("sub", "user-2"), "revoked"),
    ] {
        assert_eq!(engine.verify_at(draft.sign(&key), NOW).unwrap_err().code(), code);
    }
    assert_eq!(engine.verify_at(Draft::new(&key).with_signature([0; 32]), NOW).unwrap_err(), Rejection::BadSignature);
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    assert!(engine.verify_at(Draft::new(&key).sign(&key), NOW).is_ok());
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[test]
fn a_validator_is_asked_once_for_each_token_or_on_each_hit() {
    let key = hs256();
    let ((once, asked_once), (each, asked_each)) = (counting(), counting());
    let engine = engine(issuer([&key]).validator(once).validator_on_each_hit(each));
    let token = Draft::new(&key).sign(&key);
    for round in 1..=10 {
        assert!(engine.verify_at(&token, NOW).is_ok());
        assert_eq!((asked_once.load(Ordering::Relaxed), asked_each.load(Ordering::Relaxed)), (1, round));
    }
    let before = signature_checks();
    // A thread that has not seen the token finds it in the shared table.
    thread::scope(|scope| {
        scope.spawn(|| assert!(engine.verify_at(&token, NOW).is_ok()));
    });
    assert_eq!((asked_once.load(Ordering::Relaxed), asked_each.load(Ordering::Relaxed)), (1, 11));
    assert_eq!(signature_checks(), before);
}

#[test]
fn what_changes_with_time_or_state_is_decided_on_each_hit() {
    let key = hs256();
    let is_open = Arc::new(AtomicBool::new(true));
    let open_until = Arc::new(AtomicI64::new(NOW + 100));
    let (state, end) = (is_open.clone(), open_until.clone());
    let engine = engine(issuer([&key]).validator_on_each_hit(move |claims| {
        if !state.load(Ordering::Relaxed) {
            return Err(SUSPENDED.refuse("closed"));
        }
        if claims.now() < end.load(Ordering::Relaxed) { Ok(()) } else { Err(SUSPENDED.refuse("too late")) }
    }));
    let token = Draft::new(&key).sign(&key);
    let verify = |now| engine.verify_at(&token, now).map(drop).map_err(|rejection| rejection.to_string());
    for _ in 0..4 {
        assert_eq!(verify(NOW), Ok(()));
    }
    assert_eq!(verify(NOW + 100), Err("too late".to_owned()));
    is_open.store(false, Ordering::Relaxed);
    for _ in 0..4 {
        assert_eq!(verify(NOW), Err("closed".to_owned()));
    }
    // The token is still cached: its signature is not checked again.
    let before = signature_checks();
    is_open.store(true, Ordering::Relaxed);
    assert_eq!(verify(NOW), Ok(()));
    assert_eq!(signature_checks(), before);
}

#[test]
fn a_token_that_a_validator_refused_is_not_kept() {
    let key = hs256();
    let is_good = Arc::new(AtomicBool::new(false));
    let state = is_good.clone();
    let engine = engine(
        issuer([&key]).validator(
            move |_| {
                if state.load(Ordering::Relaxed) { Ok(()) } else { Err(SUSPENDED.refuse("")) }
            },
        ),
    );
    let token = Draft::new(&key).sign(&key);
    for round in 0..3 {
        let before = signature_checks();
        assert_eq!(engine.verify_at(&token, NOW).unwrap_err().code(), "tenant-suspended");
        assert_eq!(signature_checks(), before + 1, "{round}");
    }
    is_good.store(true, Ordering::Relaxed);
    assert!(engine.verify_at(&token, NOW).is_ok());
}

#[test]
fn a53_a_panic_of_a_validator_lets_nothing_pass_and_leaves_nothing_behind() {
    let key = hs256();
    let panics = Arc::new(AtomicBool::new(true));
    type Configure = fn(Issuer, Arc<AtomicBool>) -> Issuer;
    let cases: [Configure; 2] = [
        |issuer, state| {
            issuer.validator(move |_| {
                assert!(!state.load(Ordering::Relaxed), "the validator panics");
                Ok(())
            })
        },
        |issuer, state| {
            issuer.validator_on_each_hit(move |_| {
                assert!(!state.load(Ordering::Relaxed), "the validator panics");
                Ok(())
            })
        },
    ];
    for (index, configure) in cases.into_iter().enumerate() {
        panics.store(true, Ordering::Relaxed);
        let engine = engine(configure(issuer([&key]), panics.clone()));
        let token = Draft::new(&key).claim("n", json!(index)).sign(&key);
        for _ in 0..3 {
            let rejection = engine.verify_at(&token, NOW).unwrap_err();
            assert_eq!(rejection, Rejection::ValidatorPanicked);
            assert_eq!((rejection.code(), rejection.status()), ("validator-panicked", 500));
        }
        panics.store(false, Ordering::Relaxed);
        let before = signature_checks();
        assert!(engine.verify_at(&token, NOW).is_ok());
        assert_eq!(signature_checks(), before + 1, "it was not kept");
        panics.store(true, Ordering::Relaxed);
        // Once the token is cached, only the second validator runs.
        let again = engine.verify_at(&token, NOW).map(drop);
        assert_eq!(again, if index == 0 { Ok(()) } else { Err(Rejection::ValidatorPanicked) });
    }
}

#[test]
fn a62_a_validator_may_itself_verify() {
    let key = hs256();
    let engine: Arc<OnceLock<Engine>> = Arc::default();
    let inner = engine.clone();
    let other = Draft::new(&key).claim("jti", "another").sign(&key);
    let issuer = issuer([&key]).validator_on_each_hit(move |claims| {
        if claims.token_id() == Some("another") {
            return Ok(());
        }
        let principal = inner.get().unwrap().verify_at(&other, NOW).map_err(|_| SUSPENDED.refuse("the other"))?;
        if principal.credential_id() == Some("another") { Ok(()) } else { Err(SUSPENDED.refuse("whose")) }
    });
    let engine = engine.get_or_init(|| Engine::builder().issuer(issuer).build().unwrap());
    let token = Draft::new(&key).sign(&key);
    for _ in 0..5 {
        assert_eq!(engine.verify_at(&token, NOW).unwrap().credential_id(), Some("token-1"));
    }
}

#[test]
fn each_issuer_has_its_own_validators() {
    let key = hs256();
    let (validator, asked) = counting();
    let other = Issuer::new("https://other/").audience("a").keys(tollgate_tests::key_set([&key])).validator(validator);
    let engine = Engine::builder().issuer(issuer([&key])).issuer(other).build().unwrap();
    assert!(engine.verify_at(Draft::new(&key).sign(&key), NOW).is_ok());
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    let theirs = Draft::new(&key).claim("iss", "https://other/").claim("aud", "a").sign(&key);
    assert!(engine.verify_at(theirs, NOW).is_ok());
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[test]
fn a_code_is_kebab_case() {
    for code in ["a", "tenant-suspended", "a1-2b", "x-y-z"] {
        assert_eq!(RefusalCode::new(code).refuse("").code(), code);
    }
    for code in ["", "-a", "a-", "a--b", "A", "a_b", "a b", "1a", "é", "a\n", "a\"b"] {
        assert!(panic::catch_unwind(|| RefusalCode::new(code)).is_err(), "{code:?}");
    }
}
