//! A layer whose verifier waits: behind a real provider that rotates its keys.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use axum::body::Body;
use axum::routing::get;
use axum::{Extension, Router};
use http::{Request, Response};
use tollgate::{Algorithm, Engine, Issuer, Principal};
use tollgate_issuer::{Minter, SigningKey, SigningKeys};
use tollgate_remote::{RemoteKeys, Verifier};
use tollgate_tower::{AuthLayer, JsonBody};
use tower::{Layer, ServiceExt};

use crate::support::{Fixture, answer, challenge, rejections};

const ISSUER: &str = "https://auth.example.com/";
const AUDIENCE: &str = "https://api.example.com";

/// An issuer whose JWK set is served on loopback in its current state.
struct Provider {
    keys: Arc<SigningKeys>,
    minter: Minter,
    uri: String,
    requests: Arc<AtomicUsize>,
    /// Whether it waits before it answers.
    holds: Arc<AtomicBool>,
}

impl Provider {
    fn start() -> Self {
        let keys = Arc::new(SigningKeys::new(key("k1")));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let (requests, holds) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (published, count, held) = (Arc::clone(&keys), Arc::clone(&requests), Arc::clone(&holds));
        thread::spawn(move || {
            for peer in listener.incoming() {
                let mut peer = peer.unwrap();
                let _ = peer.read(&mut [0; 4096]);
                count.fetch_add(1, SeqCst);
                while held.load(SeqCst) {
                    thread::sleep(Duration::from_millis(1));
                }
                let jwks = published.jwks().to_string();
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length:";
                let _ = peer.write_all(format!("{head} {}\r\n\r\n{jwks}", jwks.len()).as_bytes());
            }
        });
        Provider { minter: Minter::new(ISSUER, Arc::clone(&keys)).unwrap(), keys, uri, requests, holds }
    }

    /// An engine with its keys.
    async fn engine(&self) -> Engine {
        let keys = RemoteKeys::from_jwks_uri(&self.uri).start().unwrap();
        keys.ready().await;
        let issuer = Issuer::new(ISSUER).audience(AUDIENCE).keys(keys.key_ring());
        Engine::builder().issuer(issuer).build().unwrap()
    }

    fn rotate(&self, kid: &str) {
        self.keys.announce(key(kid), 1_763_827_200).unwrap();
        self.keys.rotate(1_763_827_200).unwrap();
    }

    fn request(&self) -> http::request::Builder {
        let token = self.minter.token().subject("user-7").audience(AUDIENCE).mint().unwrap();
        Request::get("/").header("authorization", format!("Bearer {token}"))
    }
}

fn key(kid: &str) -> SigningKey {
    SigningKey::generate(Algorithm::ES256).unwrap().with_kid(kid).unwrap()
}

#[tokio::test]
async fn first_request_after_a_rotation_waits_and_passes() {
    let provider = Provider::start();
    let engine = Arc::new(provider.engine().await);
    let (at_once, waiting) = (AuthLayer::new(Arc::clone(&engine)), AuthLayer::with_verifier(Verifier::new(engine)));
    provider.rotate("k2");
    let response = answer(&waiting, provider.request()).await;
    assert_eq!((response.status().as_u16(), response.body().as_str()), (200, "user-7"));
    assert_eq!(provider.requests.load(SeqCst), 2);
    // A layer that cannot wait answers 401.
    provider.rotate("k3");
    assert_eq!(answer(&at_once, provider.request()).await.status(), 401);
}

#[tokio::test]
async fn all_requests_of_an_axum_server_wait_together_for_one_fetch() {
    async fn who(Extension(principal): Extension<Principal>) -> String {
        principal.key_id().unwrap_or_default().to_owned()
    }
    let provider = Provider::start();
    let layer = AuthLayer::with_verifier(provider.engine().await).realm("sites").unwrap().respond_with(JsonBody);
    let app = Router::new().route("/", get(who)).layer(layer);
    provider.rotate("k2");
    provider.holds.store(true, SeqCst);
    let requests: Vec<_> =
        (0..20).map(|_| tokio::spawn(app.clone().oneshot(provider.request().body(Body::empty()).unwrap()))).collect();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(requests.iter().all(|request| !request.is_finished()));
    provider.holds.store(false, SeqCst);
    for request in requests {
        let response = request.await.unwrap().unwrap();
        assert_eq!(response.status(), 200);
        let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
        assert_eq!(body, "k2");
    }
    assert_eq!(provider.requests.load(SeqCst), 2);
}

#[tokio::test]
async fn key_that_does_not_exist_is_answered_with_401_and_told_to_the_observer_once() {
    let provider = Provider::start();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let codes = Arc::clone(&seen);
    let layer = AuthLayer::with_verifier(provider.engine().await)
        .observe(rejections(move |rejection, _| codes.lock().unwrap().push(rejection.code())));
    let foreign = Provider::start();
    foreign.rotate("nobody's");
    let response = answer(&layer, foreign.request()).await;
    assert_eq!((response.status().as_u16(), challenge(&response)), (401, r#"Bearer error="invalid_token""#));
    assert_eq!(*seen.lock().unwrap(), ["unknown-key"]);
}

#[tokio::test]
async fn what_is_decided_at_once_is_decided_as_by_the_layer_of_an_engine() {
    let fixture = Fixture::new();
    let by_engine = AuthLayer::new(fixture.engine.clone());
    let by_verifier = AuthLayer::with_verifier(Verifier::new(fixture.engine.clone()));
    for authorization in ["", &fixture.key, &fixture.bearer(), &fixture.client, &fixture.expired, "Bearer ey.ey.ey"] {
        let request = || Request::get("/").header("authorization", authorization);
        let [expected, response] = [answer(&by_engine, request()).await, answer(&by_verifier, request()).await];
        assert_eq!((response.status(), response.body()), (expected.status(), expected.body()), "{authorization}");
        assert_eq!(response.headers(), expected.headers(), "{authorization}");
    }
    let public = by_verifier.clone().public_paths(["/"]).unwrap();
    assert_eq!(answer(&public, Request::get("/")).await.body(), "nobody");
    assert_eq!(answer(&by_verifier.optional(), Request::get("/")).await.body(), "nobody");
}

#[tokio::test]
async fn request_that_waited_goes_to_the_service_that_was_ready() {
    /// Ready for only one call; a clone is not ready.
    struct Once(bool);
    impl Clone for Once {
        fn clone(&self) -> Self {
            Once(false)
        }
    }
    impl tower::Service<Request<()>> for Once {
        type Response = Response<String>;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Response<String>, Infallible>>;
        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
            self.0 = true;
            std::task::Poll::Ready(Ok(()))
        }
        fn call(&mut self, _: Request<()>) -> Self::Future {
            assert!(self.0, "called without having been ready");
            std::future::ready(Ok(Response::new("served".to_owned())))
        }
    }
    let provider = Provider::start();
    let layer = AuthLayer::with_verifier(provider.engine().await);
    provider.rotate("k2");
    let response = layer.layer(Once(false)).oneshot(provider.request().body(()).unwrap()).await.unwrap();
    assert_eq!(response.body(), "served");
}
