//! The observer of an engine: what it is told, and that it cannot turn a rejection into an acceptance.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use tollgate::{
    Algorithm, ApiKey, ApiKeyTable, Engine, Issuer, KeyFormat, KeyRecord, KeyState, PrincipalKind, Rejection,
    Verification,
};
use tollgate_tests::{AUDIENCE, Draft, ISSUER, NOW, issuer, key_set, signing_key};

type Told = (Option<&'static str>, Option<PrincipalKind>, Option<String>, bool);

fn told(seen: &Verification<'_>) -> Told {
    (seen.code(), seen.kind(), seen.issuer().map(str::to_owned), seen.is_cache_hit())
}

#[test]
fn an_observer_is_told_of_each_verify_once() {
    let key = signing_key(Algorithm::ES256, 0);
    let all: Arc<Mutex<Vec<Told>>> = Arc::default();
    let list = all.clone();
    let observer = move |seen: &Verification<'_>| list.lock().unwrap().push(told(seen));
    let engine = Engine::builder().issuer(issuer([&key])).observer(observer).build().unwrap();
    let token = Draft::new(&key).sign(&key);
    assert!(engine.verify_at(&token, NOW).is_ok());
    assert!(engine.verify_at(&token, NOW).is_ok());
    assert!(engine.verify_at(&token, NOW + 10_000).is_err());
    assert!(engine.verify_at("Bearer nonsense!", NOW).is_err());
    assert!(engine.verify_at("", NOW).is_err());
    let accepted = |hit| (None, Some(PrincipalKind::Jwt), Some(ISSUER.to_owned()), hit);
    let all = all.lock().unwrap();
    assert_eq!(all[..2], [accepted(false), accepted(true)]);
    assert_eq!(all[2], (Some("expired"), Some(PrincipalKind::Jwt), Some(ISSUER.to_owned()), false));
    assert_eq!(all[3..].iter().map(|told| (told.0.is_some(), told.3)).collect::<Vec<_>>(), [(true, false); 2]);
    assert_eq!(all[4].0, Some("missing-credential"));
}

#[test]
fn a53_a_panic_of_the_observer_makes_no_verdict_better() {
    let key = signing_key(Algorithm::ES256, 0);
    let panics = Arc::new(AtomicBool::new(true));
    let state = panics.clone();
    let observer = move |_: &Verification<'_>| assert!(!state.load(Ordering::Relaxed), "the observer panics");
    let engine = Engine::builder().issuer(issuer([&key])).observer(observer).build().unwrap();
    let token = Draft::new(&key).sign(&key);
    for _ in 0..3 {
        let rejection = engine.verify_at(&token, NOW).unwrap_err();
        assert_eq!(rejection, Rejection::ObserverPanicked);
        assert_eq!((rejection.code(), rejection.status()), ("observer-panicked", 500));
        assert_eq!(engine.verify_at("", NOW).unwrap_err(), Rejection::MissingCredential);
    }
    panics.store(false, Ordering::Relaxed);
    assert!(engine.verify_at(&token, NOW).is_ok());
}

#[test]
fn a62_an_observer_of_an_engine_may_itself_verify() {
    let key = signing_key(Algorithm::ES256, 0);
    let itself: Arc<OnceLock<Engine>> = Arc::default();
    let (inner, calls) = (itself.clone(), Arc::new(AtomicUsize::new(0)));
    let (counter, token) = (calls.clone(), Draft::new(&key).sign(&key));
    let for_the_observer = token.clone();
    let observer = move |_: &Verification<'_>| {
        let answer = inner.get().unwrap().verify_at(&for_the_observer, NOW);
        counter.fetch_add(usize::from(answer.is_ok()), Ordering::Relaxed);
    };
    let engine = Engine::builder().issuer(issuer([&key])).observer(observer).build().unwrap();
    let engine = itself.get_or_init(|| engine);
    for round in 1..=4 {
        assert!(engine.verify_at(&token, NOW).is_ok());
        assert_eq!(calls.load(Ordering::Relaxed), round, "a verify of the observer's own is not observed");
    }
}

#[test]
fn an_observer_learns_of_a_rejection_whose_it_was_and_never_what_a_token_says() {
    const TEMPLATE: &str = "https://login.example.com/{tenant}/";
    let key = signing_key(Algorithm::HS256, 0);
    let told_last: Arc<Mutex<Option<Told>>> = Arc::default();
    let last = told_last.clone();
    let table = ApiKeyTable::new(KeyFormat::new("tg", "live").unwrap());
    let disabled = ApiKey::generate(table.format()).unwrap();
    table.insert(&disabled, KeyRecord::api_key("k", "u").state(KeyState::Disabled));
    let tenants = Issuer::new(TEMPLATE).tenant_claim("tid").audience(AUDIENCE).keys(key_set([&key]));
    let engine = Engine::builder()
        .issuer(issuer([&key]))
        .issuer(tenants)
        .api_keys(table)
        .observer(move |seen| *last.lock().unwrap() = Some(told(seen)))
        .build()
        .unwrap();
    let verify = |header: &str| {
        let _ = engine.verify_at(header, NOW);
        told_last.lock().unwrap().take().unwrap()
    };
    let draft = || Draft::new(&key);
    let jwt = Some(PrincipalKind::Jwt);
    let own = |code| (Some(code), jwt, Some(ISSUER.to_owned()), false);
    assert_eq!(verify(&draft().claim("aud", "other").sign(&key)), own("wrong-audience"));
    assert_eq!(verify(&draft().with_signature([7; 32])), own("bad-signature"));
    let stranger = draft().claim("iss", "https://stranger.example/").sign(&key);
    assert_eq!(verify(&stranger), (Some("unknown-issuer"), jwt, None, false));

    let of_tenant = draft().claim("iss", "https://login.example.com/t-1/").claim("tid", "t-1").sign(&key);
    assert_eq!(verify(&of_tenant), (None, jwt, Some(TEMPLATE.to_owned()), false));
    assert_eq!(verify(&of_tenant), (None, jwt, Some(TEMPLATE.to_owned()), true));
    let of_other = draft().claim("iss", "https://login.example.com/t-1/").claim("tid", "t-2").sign(&key);
    assert_eq!(verify(&of_other), (Some("wrong-claim"), jwt, Some(TEMPLATE.to_owned()), false));

    assert_eq!(verify(disabled.as_str()), (Some("disabled"), Some(PrincipalKind::ApiKey), None, false));
    assert_eq!(verify(&format!("Bearer {}", disabled.as_str())), (Some("disabled"), None, None, false));
    assert_eq!(verify("Basic YTpi").1, Some(PrincipalKind::Client));
    assert_eq!(verify("Digest x"), (Some("unsupported-scheme"), None, None, false));
}
