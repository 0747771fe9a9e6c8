//! JWTs that are also introspected by their issuer, over real sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::Duration;

use tollgate::{Engine, Issuer};
use tollgate_issuer::SigningKey;
use tollgate_jwt::base64url;
use tollgate_keys::KeySet;
use tollgate_remote::{HeaderSource, Introspection, Verifier, limits, verify_or_refresh};

use crate::support::*;

const OTHER: &str = "https://other.example/";
const ACTIVE: &str = r#"{"active":true}"#;
const INACTIVE: &str = r#"{"active":false}"#;

/// Two issuers with one endpoint each, whose answers are valid for 30 s.
struct World {
    keys: [SigningKey; 2],
    endpoints: [Provider; 2],
    verifier: Verifier,
    now: Arc<AtomicI64>,
}

impl World {
    fn new() -> Self {
        let (keys, endpoints) = ([key("k1"), key("k1")], [(); 2].map(|()| Provider::start(publishes(ACTIVE))));
        let start = unix_time();
        let now = Arc::new(AtomicI64::new(start));
        let (time, elapsed) = (Arc::clone(&now), Arc::clone(&now));
        let mut builder = Engine::builder()
            .clock(move || time.load(SeqCst))
            .monotonic_clock(move || Duration::from_secs((elapsed.load(SeqCst) - start).unsigned_abs()));
        for (name, (key, endpoint)) in [ISSUER, OTHER].into_iter().zip(keys.iter().zip(&endpoints)) {
            let introspection = Introspection::at(&endpoint.uri("/introspect"));
            let introspection = introspection.client_secret("rs1", HeaderSource::value("secret")).start().unwrap();
            let set = KeySet::builder().jwks(jwks([key]).as_bytes()).unwrap().build().unwrap();
            builder = builder.issuer(Issuer::new(name).audience(AUDIENCE).keys(set).introspect(introspection, 30));
        }
        World { keys, endpoints, verifier: Verifier::new(builder.build().unwrap()), now }
    }

    fn header(&self, issuer: &str, key: &SigningKey) -> String {
        let claims = serde_json::json!({
            "iss": issuer, "aud": AUDIENCE, "sub": "user-7", "exp": self.now.load(SeqCst) + 3600, "jti": "t1",
        });
        let head = serde_json::json!({ "alg": "ES256", "kid": "k1", "typ": "JWT" });
        let input = [head, claims].map(|part| base64url::encode(part.to_string())).join(".");
        let signature = base64url::encode(key.sign(input.as_bytes()).unwrap());
        format!("Bearer {input}.{signature}")
    }

    async fn code(&self, header: &str) -> &'static str {
        self.verifier.verify(header).await.map_or_else(|rejection| rejection.code(), |_| "accepted")
    }

    fn asked(&self) -> [usize; 2] {
        [0, 1].map(|index: usize| self.endpoints[index].request_count())
    }
}

#[tokio::test]
async fn a86_jwt_that_its_issuer_has_revoked_is_rejected_after_max_age() {
    let world = World::new();
    let header = world.header(ISSUER, &world.keys[0]);
    assert_eq!(world.verifier.engine().verify(&header).unwrap_err().code(), "not-introspected");
    for _ in 0..3 {
        assert_eq!(world.code(&header).await, "accepted");
    }
    assert!(world.verifier.engine().verify(&header).is_ok());
    assert_eq!(world.asked(), [1, 0]);
    let body = format!("token={}&token_type_hint=access_token", &header[7..]);
    assert_eq!(world.endpoints[0].requests()[0].body, body);
    world.endpoints[0].becomes(publishes(INACTIVE));
    // Waits in real time: until then, further callers get the same answer.
    tokio::time::sleep(2 * limits::ANSWER_LINGER).await;
    world.now.fetch_add(28, SeqCst);
    assert_eq!(world.code(&header).await, "accepted");
    world.now.fetch_add(2, SeqCst);
    for _ in 0..3 {
        assert_eq!(world.code(&header).await, "inactive-token");
    }
    assert_eq!(world.asked(), [2, 0]);
}

#[tokio::test]
async fn a86_forged_jwt_leads_to_no_question_and_no_jwt_goes_to_another_issuers_endpoint() {
    let world = World::new();
    let [one, other] = &world.keys;
    for forged in [world.header(ISSUER, other), world.header(OTHER, one), world.header("https://nobody.example/", one)]
    {
        for _ in 0..3 {
            let request = tollgate::Request::new().authorization(&forged);
            assert_eq!(verify_or_refresh(world.verifier.engine(), &request).await.unwrap_err().status(), 401);
        }
    }
    assert_eq!(world.asked(), [0, 0]);
    assert_eq!(world.code(&world.header(OTHER, other)).await, "accepted");
    assert_eq!(world.asked(), [0, 1]);
    assert_eq!(world.code(&world.header(ISSUER, one)).await, "accepted");
    assert_eq!(world.asked(), [1, 1]);
}

#[tokio::test]
async fn a86_endpoint_that_is_down_is_503_and_jwts_that_were_confirmed_serve_on() {
    let mut world = World::new();
    let [first, second] = [(); 2].map(|()| world.header(ISSUER, &world.keys[0]));
    assert_eq!(world.code(&first).await, "accepted");
    world.endpoints[0].goes_down();
    let rejection = world.verifier.verify(&second).await.unwrap_err();
    assert_eq!((rejection.status(), rejection.code()), (503, "issuer-unavailable"));
    assert!(rejection.retry_after().is_some());
    assert_eq!(world.code(&first).await, "accepted");
    world.endpoints[0].comes_back();
    assert_eq!(world.code(&second).await, "accepted");
}

#[tokio::test]
async fn all_who_ask_about_one_jwt_lead_to_one_question() {
    let (world, gate) = (World::new(), Gate::default());
    world.endpoints[0].becomes(waits_for(&gate, publishes(ACTIVE)));
    let header = world.header(ISSUER, &world.keys[0]);
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let (verifier, header) = (world.verifier.clone(), header.clone());
            tokio::spawn(async move { verifier.verify(header).await })
        })
        .collect();
    until("the question is under way", || world.asked() == [1, 0]).await;
    gate.open();
    for verdict in waiting {
        assert!(verdict.await.unwrap().is_ok());
    }
    assert_eq!(world.asked(), [1, 0]);
}

#[tokio::test]
async fn answer_counts_at_the_time_that_is_given() {
    let world = World::new();
    let header = world.header(ISSUER, &world.keys[0]);
    let (request, then) = (tollgate::Request::new().authorization(&header), unix_time() + 3000);
    for _ in 0..2 {
        assert!(world.verifier.verify_request_at(&request, then).await.is_ok());
    }
    assert_eq!(world.asked(), [1, 0]);
    assert_eq!(world.verifier.verify_request_at(&request, then + 900).await.unwrap_err().code(), "expired");
    assert_eq!(world.asked(), [1, 0]);
}
