//! Tokens whose status is in a list of their issuer, over real sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::Duration;

use miniz_oxide::deflate::compress_to_vec_zlib;
use serde_json::{Value, json};
use tollgate::{Engine, Issuer, Rejection, StatusLists};
use tollgate_issuer::SigningKey;
use tollgate_jwt::base64url;
use tollgate_keys::{KeyRing, KeySet};
use tollgate_remote::{StatusListsBuilder, Verifier};

use crate::support::*;

const NOW: i64 = 1_763_827_200;
const TYPE: &str = "Content-Type: application/statuslist+jwt";

struct World {
    key: SigningKey,
    provider: Provider,
    verifier: Verifier,
    now: Arc<AtomicI64>,
}

impl World {
    fn new() -> Self {
        Self::with(|lists| lists)
    }

    fn with(configure: impl FnOnce(StatusListsBuilder) -> StatusListsBuilder) -> Self {
        let (key, provider) = (key("k1"), Provider::start(answers_status("404 Not Found", "")));
        let keys = KeySet::builder().jwks(jwks([&key]).as_bytes()).unwrap().build().unwrap();
        let ring = KeyRing::from(keys);
        let lists = StatusListsBuilder::new(ISSUER, ring.clone()).within(&provider.uri("/lists/"));
        let lists: StatusLists = configure(lists).start().unwrap();
        let now = Arc::new(AtomicI64::new(NOW));
        let (time, elapsed) = (Arc::clone(&now), Arc::clone(&now));
        let engine = Engine::builder()
            .issuer(Issuer::new(ISSUER).audience(AUDIENCE).keys(ring).status_lists(lists))
            .clock(move || time.load(SeqCst))
            .monotonic_clock(move || Duration::from_secs((elapsed.load(SeqCst) - NOW).unsigned_abs()))
            .build()
            .unwrap();
        World { key, provider, verifier: Verifier::new(engine), now }
    }

    fn uri(&self) -> String {
        self.provider.uri("/lists/1")
    }

    fn sign(&self, typ: &str, claims: &Value) -> String {
        sign(&self.key, typ, claims)
    }

    /// A token that refers to the entry `index` of the list.
    fn header(&self, index: impl Into<Value>) -> String {
        self.header_with(json!({ "status_list": { "idx": index.into(), "uri": self.uri() } }))
    }

    fn header_with(&self, status: Value) -> String {
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 100_000, "sub": "user-7", "status": status,
        });
        format!("Bearer {}", self.sign("JWT", &claims))
    }

    /// The claims of a list with these statuses.
    fn list(&self, bits: u8, bytes: &[u8]) -> Value {
        let lst = base64url::encode(compress_to_vec_zlib(bytes, 9));
        json!({ "sub": self.uri(), "iat": NOW, "status_list": { "bits": bits, "lst": lst } })
    }

    fn publishes(&self, claims: &Value) {
        self.provider.becomes(publishes_with(self.sign("statuslist+jwt", claims), TYPE));
    }

    async fn code(&self, header: &str) -> &'static str {
        code_of(self.verifier.verify(header).await.map(drop))
    }
}

fn sign(key: &SigningKey, typ: &str, claims: &Value) -> String {
    let head = json!({ "alg": "ES256", "kid": "k1", "typ": typ });
    let input = [head, claims.clone()].map(|part| base64url::encode(part.to_string())).join(".");
    let signature = base64url::encode(key.sign(input.as_bytes()).unwrap());
    format!("{input}.{signature}")
}

fn code_of(verdict: Result<(), Rejection>) -> &'static str {
    verdict.map_or_else(|rejection| rejection.code(), |()| "accepted")
}

/// The examples of the draft's section 4.1, which shows the lists in both forms.
#[tokio::test]
async fn a_status_of_zero_alone_is_valid_whatever_the_number_of_bits() {
    let examples = [
        (1, "eNrbuRgAAhcBXQ", vec![1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]),
        (2, "eNo76fITAAPfAgc", vec![1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]),
    ];
    for (bits, lst, statuses) in examples {
        let world = World::new();
        world.publishes(&json!({ "sub": world.uri(), "iat": NOW, "status_list": { "bits": bits, "lst": lst } }));
        for (index, status) in statuses.iter().enumerate() {
            let expected = if *status == 0 { "accepted" } else { "invalid-status" };
            assert_eq!(world.code(&world.header(index)).await, expected, "{bits}: {index}");
        }
        assert_eq!(world.code(&world.header(statuses.len() as u32)).await, "invalid-status");
        assert_eq!(world.provider.request_count(), 1);
    }
    for bits in [4_u8, 8] {
        let world = World::new();
        world.publishes(&world.list(bits, &[0, 0x10, 0x01, 0xff]));
        let valid: Vec<_> = match bits {
            4 => vec![true, true, true, false, false, true, false, false],
            _ => vec![true, false, false, false],
        };
        for (index, is_valid) in valid.into_iter().enumerate() {
            let expected = if is_valid { "accepted" } else { "invalid-status" };
            assert_eq!(world.code(&world.header(index)).await, expected, "{bits}: {index}");
        }
    }
}

#[tokio::test]
async fn engine_alone_rejects_with_503_until_the_list_is_there() {
    let world = World::new();
    let header = world.header(0);
    let rejection = world.verifier.engine().verify(&header).unwrap_err();
    assert_eq!((rejection.status(), rejection.code()), (503, "no-status-list"));
    assert_eq!(rejection.missing_status_list().unwrap().1.uri(), world.uri());
    // A failed fetch has no other effect.
    assert_eq!(world.code(&header).await, "issuer-unavailable");
    world.publishes(&world.list(1, &[0]));
    assert_eq!(world.code(&header).await, "accepted");
    assert!(world.verifier.engine().verify(&header).is_ok());
    assert_eq!(world.provider.requests()[0].fields["accept"], "application/statuslist+jwt");
}

#[tokio::test]
async fn list_serves_for_its_ttl_its_exp_and_max_age_whichever_ends_first() {
    for (claims, seconds) in [
        (json!({ "ttl": 20 }), 20),
        (json!({ "exp": NOW + 30 }), 30),
        (json!({ "ttl": 1000, "exp": NOW + 1000 }), 60),
        (json!({}), 60),
    ] {
        let world = World::with(|lists| lists.max_age(60));
        let mut list = world.list(1, &[0]);
        list.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        world.publishes(&list);
        let header = world.header(0);
        assert_eq!(world.code(&header).await, "accepted");
        world.now.store(NOW + seconds - 1, SeqCst);
        assert!(world.verifier.engine().verify(&header).is_ok(), "{claims}");
        world.now.store(NOW + seconds, SeqCst);
        // Also for a cached token.
        assert_eq!(code_of(world.verifier.engine().verify(&header).map(drop)), "no-status-list", "{claims}");
        let mut revoked = world.list(1, &[1]);
        revoked["iat"] = (NOW + seconds).into();
        world.publishes(&revoked);
        assert_eq!(world.code(&header).await, "invalid-status", "{claims}");
        assert_eq!(world.provider.request_count(), 2, "{claims}");
    }
}

#[tokio::test]
async fn what_is_no_list_of_the_issuer_decides_nothing() {
    let world = World::new();
    let (header, good) = (world.header(0), world.list(1, &[0]));
    let with = |name: &str, value: Value| {
        let mut list = good.clone();
        list[name] = value;
        world.sign("statuslist+jwt", &list)
    };
    let of = |bits: Value, lst: &str| with("status_list", json!({ "bits": bits, "lst": lst }));
    let signed = world.sign("statuslist+jwt", &good);
    let bomb = base64url::encode(compress_to_vec_zlib(&vec![0; (16 << 20) + 1], 9));
    let cases = [
        ("another typ", world.sign("JWT", &good)),
        ("another key", sign(&key("k1"), "statuslist+jwt", &good)),
        ("no signature", format!("{}.", signed.rsplit_once('.').unwrap().0)),
        ("another sub", with("sub", world.provider.uri("/lists/2").into())),
        ("no sub", with("sub", Value::Null)),
        ("another iss", with("iss", "https://other.example/".into())),
        ("no iat", with("iat", Value::Null)),
        ("a later iat", with("iat", (NOW + 61).into())),
        ("an earlier exp", with("exp", NOW.into())),
        ("a ttl of 0", with("ttl", 0.into())),
        ("a ttl in quotes", with("ttl", "60".into())),
        ("no list", with("status_list", Value::Null)),
        ("bits of 3", of(3.into(), "eNrbuRgAAhcBXQ")),
        ("bits in quotes", of("1".into(), "eNrbuRgAAhcBXQ")),
        ("bits of 257", of(257.into(), "eNrbuRgAAhcBXQ")),
        ("not deflated", of(1.into(), "AAAA")),
        ("no base64url", of(1.into(), "eNrbuRgAAhcBXQ==")),
        ("cut off", of(1.into(), "eNrbuRgA")),
        ("a bomb", of(1.into(), &bomb)),
        ("nothing", String::new()),
    ];
    for (what, token) in cases {
        world.provider.becomes(publishes_with(token, TYPE));
        assert_eq!(world.code(&header).await, "issuer-unavailable", "{what}");
        // Stay within the budget, which this test is not about.
        tokio::time::sleep(Duration::from_millis(20)).await;
        if world.provider.request_count().is_multiple_of(8) {
            tokio::time::sleep(Duration::from_secs(4)).await;
        }
    }
    world.provider.becomes(publishes_with(signed.clone(), "Content-Type: application/jwt"));
    assert_eq!(world.code(&header).await, "issuer-unavailable");
    world.provider.becomes(publishes_with(signed, TYPE));
    assert_eq!(world.code(&header).await, "accepted");
}

#[tokio::test]
async fn reference_is_followed_to_configured_uris_alone_and_only_after_the_signature() {
    let world = World::new();
    let at = |uri: &str| world.header_with(json!({ "status_list": { "idx": 0, "uri": uri } }));
    let base = world.provider.uri("");
    for header in [
        at("https://evil.example/lists/1"),
        at(&format!("{base}/list/1")),
        at(&format!("{base}/lists/../secret")),
        at(&format!("{base}/lists/%2e%2e/secret")),
        at(&format!("{base}/lists/1#a")),
        at(&format!("{base}/lists")),
        at(""),
        world.header(-1),
        world.header(1.5),
        world.header("0"),
        world.header(u64::from(u32::MAX) + 1),
        world.header_with(json!({ "status_list": { "idx": 0 } })),
        world.header_with(json!({ "status_list": [] })),
        world.header_with(json!({})),
        world.header_with(Value::Null),
    ] {
        assert_eq!(world.code(&header).await, "invalid-claim");
    }
    let forged = world.header(0);
    let forged = format!("{}.{}", forged.rsplit_once('.').unwrap().0, "A".repeat(86));
    assert_eq!(world.code(&forged).await, "bad-signature");
    assert_eq!(world.provider.request_count(), 0);
}

#[tokio::test]
async fn token_without_a_status_is_accepted_unless_one_is_required() {
    let claims = json!({ "iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 100 });
    let world = World::new();
    assert_eq!(world.code(&format!("Bearer {}", world.sign("JWT", &claims))).await, "accepted");
    let world = World::with(StatusListsBuilder::required);
    assert_eq!(world.code(&format!("Bearer {}", world.sign("JWT", &claims))).await, "missing-claim");
}

#[tokio::test]
async fn all_who_wait_for_one_list_lead_to_one_fetch() {
    let world = World::new();
    let gate = Gate::default();
    let list = publishes_with(world.sign("statuslist+jwt", &world.list(1, &[0, 1])), TYPE);
    world.provider.becomes(waits_for(&gate, list));
    let waiting: Vec<_> = (0..10)
        .map(|index| {
            let (verifier, header) = (world.verifier.clone(), world.header(index));
            tokio::spawn(async move { code_of(verifier.verify(header).await.map(drop)) })
        })
        .collect();
    until("the fetch is under way", || world.provider.request_count() == 1).await;
    gate.open();
    for (index, verdict) in waiting.into_iter().enumerate() {
        assert_eq!(verdict.await.unwrap(), if index == 8 { "invalid-status" } else { "accepted" });
    }
    assert_eq!(world.provider.request_count(), 1);
}

/// Advances the engine's and tokio's time by `seconds`.
async fn pass(world: &World, seconds: i64) {
    for _ in 0..seconds {
        world.now.fetch_add(1, SeqCst);
        tokio::time::advance(SECOND).await;
        yield_often().await;
    }
}

/// Advances the time until a request arrives, at most by `seconds`.
async fn pass_until_fetched(world: &World, seconds: i64, what: &str) {
    let before = world.provider.request_count();
    for _ in 0..seconds {
        pass(world, 1).await;
        // The socket needs real time.
        std::thread::sleep(Duration::from_millis(1));
        if world.provider.request_count() > before {
            return;
        }
    }
    panic!("no fetch: {what}");
}

/// Waits for the real time that a fetch over sockets takes.
async fn settle() {
    for _ in 0..200 {
        yield_often().await;
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until the engine alone returns `expected`. A fetch that failed on a slow machine is tried again.
async fn until_known(world: &World, header: &str, expected: &str) {
    for _ in 0..30 {
        settle().await;
        if at_once(world, header) == expected {
            return;
        }
        pass(world, 1).await;
    }
    panic!("never {expected}");
}

fn at_once(world: &World, header: &str) -> &'static str {
    code_of(world.verifier.engine().verify(header).map(drop))
}

#[test]
fn list_in_use_is_fetched_again_before_it_runs_out() {
    simulate(async {
        let world = World::with(|lists| lists.max_age(100));
        let publishes = |statuses: &[u8]| {
            let mut list = world.list(1, statuses);
            list["iat"] = world.now.load(SeqCst).into();
            world.publishes(&list);
        };
        publishes(&[0]);
        let header = world.header(0);
        assert_eq!(world.code(&header).await, "accepted");
        pass(&world, 58).await;
        assert_eq!(world.provider.request_count(), 1);
        pass_until_fetched(&world, 24, "in the last part of the time").await;
        settle().await;
        // The first list has expired by then, and nobody had to wait.
        pass(&world, NOW + 101 - world.now.load(SeqCst)).await;
        assert_eq!(at_once(&world, &header), "accepted");
        // A token revoked meanwhile is rejected without any request that waits.
        publishes(&[1]);
        pass_until_fetched(&world, 82, "again").await;
        until_known(&world, &header, "invalid-status").await;
        // An outage is bridged.
        world.provider.becomes(answers_status("500 Internal Server Error", ""));
        pass_until_fetched(&world, 82, "in vain").await;
        publishes(&[0]);
        pass_until_fetched(&world, 10, "after a failure").await;
        until_known(&world, &header, "accepted").await;
        // Dropping the engine ends the task.
        let World { provider, verifier, now, .. } = world;
        drop(verifier);
        // The next verify drops this thread's cache of the engine.
        assert_eq!(code(&engine(KeyRing::new(KeySet::default())), "Bearer x.y.z"), "credential-not-accepted");
        let before = provider.request_count();
        for _ in 0..300 {
            now.fetch_add(1, SeqCst);
            tokio::time::advance(SECOND).await;
            yield_often().await;
        }
        assert_eq!(provider.request_count(), before);
    });
}

#[test]
fn list_that_is_not_in_use_any_more_is_left_to_run_out() {
    simulate(async {
        let world = World::with(|lists| lists.max_age(1000));
        world.publishes(&world.list(1, &[0]));
        assert_eq!(world.code(&world.header(0)).await, "accepted");
        let hours = async |hours| {
            for _ in 0..hours * 360 {
                world.now.fetch_add(10, SeqCst);
                tokio::time::advance(10 * SECOND).await;
                yield_often().await;
                std::thread::sleep(Duration::from_millis(1));
            }
            world.provider.request_count()
        };
        let requests = hours(2).await;
        assert!(requests > 3, "{requests}");
        assert_eq!(hours(1).await, requests);
        assert_eq!(at_once(&world, &world.header(0)), "no-status-list");
    });
}

#[tokio::test]
async fn prefixes_that_cannot_work_are_refused() {
    let code = |prefixes: &[&str]| {
        let builder = StatusListsBuilder::new(ISSUER, KeyRing::from(KeySet::default()));
        prefixes.iter().fold(builder, |builder, prefix| builder.within(prefix)).start().unwrap_err().code()
    };
    assert_eq!(code(&[]), "no-status-list-prefix");
    for prefix in ["", "lists/", "https://as.example", "https://user@as.example/"] {
        assert_eq!(code(&[prefix]), "invalid-uri", "{prefix}");
    }
    assert_eq!(code(&["http://as.example/lists/"]), "insecure-uri");
    assert_eq!(code(&["https://as.example/lists/", "https://other.example/lists/"]), "invalid-uri");
}
