//! A panic in user code never lets a request pass.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use http::{Request, Response, request};
use tollgate::{ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord, Rejection};
use tollgate_tower::{AuthLayer, Require, Respond};
use tower::{Layer, Service};

use crate::support::{Fixture, NOW, rejections};

/// Whether the inner service was reached; panics of the layer are caught.
fn reaches<L>(layer: &L, authorization: &str) -> bool
where
    L: for<'s> Layer<Inner<'s>>,
    for<'s> <L as Layer<Inner<'s>>>::Service: Service<Request<()>>,
{
    let reached = AtomicBool::new(false);
    let mut service = layer.layer(Inner(&reached));
    let request = Request::get("/").header("authorization", authorization).body(()).unwrap();
    let _ = catch_unwind(AssertUnwindSafe(|| drop(service.call(request))));
    reached.load(Ordering::Relaxed)
}

struct Inner<'s>(&'s AtomicBool);

impl Service<Request<()>> for Inner<'_> {
    type Response = Response<String>;
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        self.0.store(true, Ordering::Relaxed);
        std::future::ready(Ok(Response::default()))
    }
}

#[test]
fn a53_panic_of_the_observer_lets_nothing_pass() {
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone()).observe(rejections(|_, _| panic!("the observer fails")));
    assert!(!reaches(&layer, &fixture.expired));
    assert!(!reaches(&layer, "Bearer x"));
    assert!(reaches(&layer, &fixture.key), "the layer works on after a panic");
    let layer = Require::scopes(["read:sites"]).unwrap().observe(rejections(|_, _| panic!("the observer fails")));
    assert!(!reaches(&layer, &fixture.key));
    // Not even if rejections are only reported, or the credential is valid.
    let reports = AuthLayer::new(fixture.engine.clone()).danger_report_only();
    let reports = reports.observe(|_, _| panic!("the observer fails"));
    assert!(!reaches(&reports, &fixture.expired) && !reaches(&reports, &fixture.key));
}

#[test]
fn a62_an_observer_that_verifies_gets_an_answer() {
    let fixture = Fixture::new();
    let (engine, key) = (fixture.engine.clone(), fixture.key.clone());
    let answers = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&answers);
    let layer = AuthLayer::new(fixture.engine.clone()).observe(rejections(move |_, _| {
        counter.fetch_add(usize::from(engine.verify(key.as_bytes()).is_ok()), Ordering::Relaxed);
    }));
    assert!(!reaches(&layer, &fixture.expired));
    assert!(!reaches(&layer, "Bearer x"));
    assert_eq!(answers.load(Ordering::Relaxed), 2);
}

#[test]
fn a53_panic_of_the_body_lets_nothing_pass() {
    #[derive(Clone)]
    struct Fails;
    impl Respond<String> for Fails {
        fn respond(&self, _: &Rejection, _: &request::Parts, _: Response<()>) -> Response<String> {
            panic!("the answer fails")
        }
    }
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone()).respond_with(Fails);
    assert!(!reaches(&layer, &fixture.expired));
    assert!(reaches(&layer, &fixture.key));
}

#[test]
fn a53_panic_of_the_clock_lets_nothing_pass() {
    let format = KeyFormat::new("tg", "test").unwrap();
    let (key, table) = (ApiKey::generate(&format).unwrap(), ApiKeyTable::new(format));
    table.insert(&key, KeyRecord::api_key("key_1", "user_7"));
    let stopped = Arc::new(AtomicBool::new(false));
    let clock = {
        let stopped = Arc::clone(&stopped);
        move || if stopped.load(Ordering::Relaxed) { panic!("the clock fails") } else { NOW }
    };
    let layer = AuthLayer::new(Engine::builder().api_keys(table).clock(clock).build().unwrap()).optional();
    assert!(reaches(&layer, key.as_str()));
    stopped.store(true, Ordering::Relaxed);
    assert!(!reaches(&layer, key.as_str()));
    stopped.store(false, Ordering::Relaxed);
    assert!(reaches(&layer, key.as_str()));
}
