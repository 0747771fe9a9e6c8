//! Metrics as Prometheus scrapes them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use http::{Request, Response};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use tollgate::{
    Algorithm, ApiKey, ApiKeyTable, Dpop, Engine, EngineBuilder, Issuer, KeyFormat, KeyRecord, ReplayMemory,
    ReplayStore, Request as CredentialRequest,
};
use tollgate_telemetry::Metrics;
use tollgate_telemetry::limits::MAX_ISSUERS;
use tollgate_tests::{AUDIENCE, Draft, ISSUER, NOW, ProofDraft, issuer, key_set, signing_key};
use tollgate_tower::{AuthLayer, Require};
use tower_layer::Layer;
use tower_service::Service;

const URI: &str = "https://api.example.com/sites";

/// Metrics and the recorder that they are collected into.
struct World {
    recorder: PrometheusRecorder,
    metrics: Metrics,
}

impl World {
    fn new() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let metrics = metrics::with_local_recorder(&recorder, Metrics::new);
        World { recorder, metrics }
    }

    fn engine(&self, builder: EngineBuilder) -> Arc<Engine> {
        let counting = self.metrics.clone();
        let engine = Arc::new(builder.untimed_observer(move |seen| counting.count(seen)).build().unwrap());
        self.metrics.watch_engine(&engine);
        engine
    }

    /// The samples of `name`: their labels, sorted, and their values.
    fn samples(&self, name: &str) -> BTreeMap<String, f64> {
        metrics::with_local_recorder(&self.recorder, || self.metrics.collect());
        let text = self.recorder.handle().render();
        let mut samples = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').unwrap_or_default();
            let (of, labels) = series.split_once('{').unwrap_or((series, "}"));
            if of == name {
                let mut labels: Vec<&str> = labels.trim_end_matches('}').split(',').collect();
                labels.sort_unstable();
                samples.insert(labels.join(","), value.parse().unwrap());
            }
        }
        samples
    }
}

fn sample(labels: &str, value: f64) -> (String, f64) {
    (labels.to_owned(), value)
}

#[test]
fn verifies_are_counted_by_verdict_kind_issuer_and_cache() {
    let world = World::new();
    let key = signing_key(Algorithm::ES256, 0);
    let format = KeyFormat::new("tg", "live").unwrap();
    let (api_key, table) = (ApiKey::generate(&format).unwrap(), ApiKeyTable::new(format));
    table.insert(&api_key, KeyRecord::api_key("key_1", "user_7"));
    let engine = world.engine(Engine::builder().issuer(issuer([&key])).api_keys(table));
    let token = Draft::new(&key).sign(&key);
    for _ in 0..5 {
        assert!(engine.verify_at(&token, NOW).is_ok());
    }
    assert!(engine.verify_at(api_key.as_str(), NOW).is_ok());
    assert!(engine.verify_at("", NOW).is_err());
    for _ in 0..2 {
        assert!(engine.verify_at(Draft::new(&key).claim("aud", "x").sign(&key), NOW).is_err());
    }
    let (start, _) = token.rsplit_once('.').unwrap();
    assert!(engine.verify_at(format!("{start}.{}", "A".repeat(86)), NOW).is_err());
    let jwt = format!("issuer=\"{ISSUER}\",kind=\"jwt\"");
    assert_eq!(
        world.samples("tollgate_verifications_total"),
        BTreeMap::from([
            sample(&format!("cache=\"miss\",{jwt}"), 1.0),
            sample(&format!("cache=\"hit\",{jwt}"), 4.0),
            sample("cache=\"miss\",issuer=\"\",kind=\"api-key\"", 1.0),
            sample("cache=\"miss\",error_type=\"missing-credential\",issuer=\"\",kind=\"\"", 1.0),
            sample(&format!("cache=\"miss\",error_type=\"wrong-audience\",{jwt}"), 2.0),
            sample(&format!("cache=\"miss\",error_type=\"bad-signature\",{jwt}"), 1.0),
        ])
    );
    let checks = |result| sample(&format!("issuer=\"{ISSUER}\",result=\"{result}\""), 1.0);
    assert_eq!(world.samples("tollgate_signature_checks_total"), BTreeMap::from([checks("good"), checks("bad")]));
    let lookups = world.samples("tollgate_cache_lookups_total");
    assert_eq!(lookups["result=\"front\""] + lookups["result=\"back\""], 4.0);
    assert!(world.samples("tollgate_cache_bytes")[""] > 0.0);
}

#[test]
fn the_memory_of_spent_proofs_is_reported() {
    let world = World::new();
    let (key, client) = (signing_key(Algorithm::ES256, 0), signing_key(Algorithm::ES256, 1));
    // One set, which 16 proofs fill.
    let dpop =
        Dpop::new().started_at(0).replay_store(Arc::new(ReplayMemory::new(0, 0)) as Arc<dyn ReplayStore>, [7; 32]);
    let engine = world.engine(Engine::builder().issuer(issuer([&key])).dpop(dpop));
    let token = Draft::new(&key).bound_to(&client).sign(&key);
    let authorization = format!("DPoP {token}");
    let send = |jti: usize| {
        let proof = ProofDraft::new(&client, "GET", URI, &token).claim("jti", jti.to_string()).sign(&client);
        let request = CredentialRequest::new().authorization(&authorization).method("GET").uri(URI).proof(&proof);
        engine.verify_request_at(&request, NOW)
    };
    assert!(world.samples("tollgate_replay_capacity_proofs")[""] < 1.0, "no proof was sent yet");
    for jti in 0..16 {
        assert!(send(jti).is_ok());
    }
    assert_eq!(world.samples("tollgate_replay_capacity_proofs")[""], 16.0);
    assert_eq!(world.samples("tollgate_replay_evictions_total")[""], 0.0);
    assert!(send(16).is_err());
    assert_eq!(world.samples("tollgate_replay_evictions_total")[""], 1.0);
    drop(engine);
    assert_eq!(world.samples("tollgate_replay_evictions_total")[""], 1.0, "of an engine that has ended");
    assert_eq!(world.samples("tollgate_replay_capacity_proofs")[""], 0.0);
}

#[test]
fn counters_outlive_threads_and_engines() {
    let world = World::new();
    let key = signing_key(Algorithm::HS256, 0);
    let token = Draft::new(&key).sign(&key);
    let hits = |world: &World| {
        world.samples("tollgate_verifications_total")[&format!("cache=\"hit\",issuer=\"{ISSUER}\",kind=\"jwt\"")]
    };
    for round in 1..=3 {
        let engine = world.engine(Engine::builder().issuer(issuer([&key])));
        assert!(engine.verify_at(&token, NOW).is_ok());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..100).for_each(|_| assert!(engine.verify_at(&token, NOW).is_ok())));
            }
        });
        assert_eq!(hits(&world), 400.0 * f64::from(round));
        let lookups = world.samples("tollgate_cache_lookups_total");
        assert_eq!(lookups.values().sum::<f64>(), 401.0 * f64::from(round), "{lookups:?}");
    }
}

#[test]
fn there_are_no_more_issuer_labels_than_the_limit() {
    let world = World::new();
    let key = signing_key(Algorithm::HS256, 0);
    let name = |number: usize| format!("https://as-{number}.example/");
    let builder = (0..MAX_ISSUERS + 20).fold(Engine::builder(), |builder, number| {
        builder.issuer(Issuer::new(&name(number)).audience(AUDIENCE).keys(key_set([&key])))
    });
    let engine = world.engine(builder);
    for number in 0..MAX_ISSUERS + 20 {
        assert!(engine.verify_at(Draft::new(&key).claim("iss", name(number)).sign(&key), NOW).is_ok());
    }
    // Text that is not configured is no label, whatever the request.
    for number in 0..1_000 {
        assert!(engine.verify_at(Draft::new(&key).claim("iss", format!("x{number}")).sign(&key), NOW).is_err());
    }
    let samples = world.samples("tollgate_verifications_total");
    assert_eq!(samples.len(), MAX_ISSUERS + 2, "{samples:?}");
    assert_eq!(samples["cache=\"miss\",issuer=\"other\",kind=\"jwt\""], 20.0);
    assert_eq!(samples["cache=\"miss\",error_type=\"unknown-issuer\",issuer=\"\",kind=\"jwt\""], 1_000.0);
}

#[test]
fn a_timed_observer_has_durations_and_an_untimed_one_none() {
    let world = World::new();
    let key = signing_key(Algorithm::HS256, 0);
    let token = Draft::new(&key).sign(&key);
    let untimed = world.engine(Engine::builder().issuer(issuer([&key])));
    assert!(untimed.verify_at(&token, NOW).is_ok());
    assert_eq!(world.samples("tollgate_verification_duration_seconds_count"), BTreeMap::new());
    let counting = world.metrics.clone();
    let timed = Engine::builder().issuer(issuer([&key])).observer(move |seen| counting.count(seen)).build().unwrap();
    let counted = |world: &World| {
        let samples = world.samples("tollgate_verification_duration_seconds_count");
        ["miss", "hit"].map(|cache| samples.get(&format!("cache=\"{cache}\"")).copied().unwrap_or_default())
    };
    thread::scope(|scope| scope.spawn(|| assert!(timed.verify_at(&token, NOW).is_ok())).join().unwrap());
    assert_eq!(counted(&world), [1.0, 0.0]);
    for _ in 0..3 {
        assert!(timed.verify_at(&token, NOW).is_ok());
    }
    assert_eq!(counted(&world), [1.0, 3.0]);
    // A second collection counts nothing twice.
    assert_eq!(counted(&world), [1.0, 3.0]);
    let sum = world.samples("tollgate_verification_duration_seconds_sum");
    assert!(sum.values().all(|seconds| (1e-7..1.0).contains(seconds)), "{sum:?}");
}

#[test]
fn layers_count_what_no_engine_sees() {
    let world = World::new();
    let key = signing_key(Algorithm::HS256, 0);
    let engine = world.engine(Engine::builder().issuer(issuer([&key])));
    let observer = metrics::with_local_recorder(&world.recorder, || world.metrics.decision_observer());
    let require = Require::scopes(["admin"]).unwrap().observe(observer.clone());
    let layer = AuthLayer::new(engine).public_paths(["/healthz"]).unwrap().observe(observer);
    let mut service = layer.layer(require.layer(Answers));
    let token = format!("Bearer {}", Draft::new(&key).claim("exp", i64::MAX / 1024).sign(&key));
    metrics::with_local_recorder(&world.recorder, || {
        for (path, field) in [("/healthz", "x"), ("/", "x"), ("/", token.as_str()), ("/", token.as_str())] {
            let request = Request::get(path).header("authorization", field).body(()).unwrap();
            drop(service.call(request));
        }
    });
    assert_eq!(
        world.samples("tollgate_decisions_total"),
        BTreeMap::from([
            sample("decision=\"accepted\"", 2.0),
            sample("decision=\"anonymous\"", 1.0),
            sample("decision=\"rejected\",error_type=\"credential-not-accepted\"", 1.0),
            sample("decision=\"rejected\",error_type=\"insufficient-scope\"", 2.0),
            sample("decision=\"rejected\",error_type=\"missing-credential\"", 1.0),
        ])
    );
}

/// The service behind the layers.
#[derive(Clone)]
struct Answers;

impl Service<Request<()>> for Answers {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new(String::new())))
    }
}

#[test]
fn an_untimed_observer_is_told_the_same_but_the_duration() {
    let key = signing_key(Algorithm::HS256, 0);
    let engine = Engine::builder()
        .issuer(issuer([&key]))
        .untimed_observer(|seen| {
            assert!(seen.duration().is_zero());
            assert_eq!(seen.issuer(), Some(ISSUER));
            assert_eq!(seen.configured_issuer().map(|name| &**name), Some(ISSUER));
        })
        .build()
        .unwrap();
    let token = Draft::new(&key).sign(&key);
    // A new credential, a cache hit, a cache hit that is rejected.
    assert!(engine.verify_at(&token, NOW).is_ok());
    assert!(engine.verify_at(&token, NOW).is_ok());
    assert_eq!(engine.verify_at(&token, NOW + 10_000).unwrap_err().code(), "expired");
}
