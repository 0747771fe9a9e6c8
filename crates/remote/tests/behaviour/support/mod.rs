//! Helpers that the tests share: a provider, an issuer that signs, an engine that verifies, and simulated time.

mod authority;
mod behaviours;
mod server;

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::task::{self, JoinHandle};
use tollgate::{Algorithm, Engine, Issuer, KeyRing, Principal, Rejection, Request};
use tollgate_issuer::{Minter, SigningKey, SigningKeys};
pub(crate) use tollgate_remote::Status;
use tollgate_remote::{Clocks, Event, RemoteKeys, RemoteKeysBuilder, verify_or_refresh};

pub(crate) use authority::Authority;
pub(crate) use behaviours::*;
pub(crate) use server::Behaviour;
pub(crate) use server::Provider;

pub(crate) const ISSUER: &str = "https://auth.example.com/";
pub(crate) const AUDIENCE: &str = "https://api.example.com";

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// An issuer that signs tokens.
pub(crate) struct Signer {
    pub(crate) keys: Arc<SigningKeys>,
    minter: Minter,
}

impl Signer {
    pub(crate) fn new() -> Self {
        Self::with_key(key("k1"))
    }

    pub(crate) fn with_key(key: SigningKey) -> Self {
        let keys = Arc::new(SigningKeys::new(key));
        Signer { minter: Minter::new(ISSUER, Arc::clone(&keys)).unwrap(), keys }
    }

    /// The value of an Authorization header.
    pub(crate) fn header(&self) -> String {
        let token = self.minter.token().subject("user-7").audience(AUDIENCE).mint().unwrap();
        format!("Bearer {token}")
    }

    pub(crate) fn jwks(&self) -> String {
        self.keys.jwks().to_string()
    }

    /// Signs with another key from now on. The old key stays published.
    pub(crate) fn rotate(&self, kid: &str) {
        self.keys.announce(key(kid), unix_time()).unwrap();
        self.keys.rotate(unix_time()).unwrap();
    }
}

pub(crate) fn key(kid: &str) -> SigningKey {
    SigningKey::generate(Algorithm::ES256).unwrap().with_kid(kid).unwrap()
}

/// The public JWKS of `keys`.
pub(crate) fn jwks<'k>(keys: impl IntoIterator<Item = &'k SigningKey>) -> String {
    let keys: Vec<_> = keys.into_iter().map(|key| key.public_jwk().unwrap()).collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

/// A header with a token that is valid except for its signature, for the key `kid`.
pub(crate) fn header_under_kid(template: &str, kid: &str) -> String {
    let payload = template.split('.').nth(1).unwrap();
    let head = tollgate_jwt::base64url::encode(format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#).as_bytes());
    format!("Bearer {head}.{payload}.{}", "A".repeat(86))
}

pub(crate) fn engine(ring: KeyRing) -> Engine {
    Engine::builder().issuer(Issuer::new(ISSUER).audience(AUDIENCE).keys(ring)).build().unwrap()
}

pub(crate) fn accepts(engine: &Engine, header: &str) -> bool {
    engine.verify(header.as_bytes()).is_ok()
}

pub(crate) fn code(engine: &Engine, header: &str) -> &'static str {
    engine.verify(header.as_bytes()).map_or_else(|rejection| rejection.code(), |_| "accepted")
}

pub(crate) fn unix_time() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// Runs a test in which tokio's clock is paused and advances only by [`Remote::pass`]. Sockets work as usual.
pub(crate) fn simulate<T: Future>(test: T) -> T::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        // While a blocking task runs, tokio does not advance its paused clock.
        let (release, hold) = mpsc::channel::<()>();
        task::spawn_blocking(move || hold.recv());
        let output = test.await;
        drop(release);
        output
    })
}

/// Observed remote keys, with an engine that verifies with them.
pub(crate) struct Remote {
    pub(crate) keys: RemoteKeys,
    pub(crate) engine: Arc<Engine>,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    started: AtomicUsize,
    ended: AtomicUsize,
    events: Mutex<Vec<String>>,
}

impl Remote {
    /// Starts, and waits for the end of the first refresh.
    pub(crate) async fn start(builder: RemoteKeysBuilder) -> Self {
        let remote = Self::start_only(builder);
        until("the first refresh has begun", || remote.log.started.load(SeqCst) > 0).await;
        remote.settle().await;
        remote
    }

    pub(crate) fn start_only(builder: RemoteKeysBuilder) -> Self {
        let log = Arc::new(Log::default());
        let heard = Arc::clone(&log);
        let builder = builder.observer(move |_: &str, event: &Event<'_>| heard.hear(event));
        let keys = builder.start().unwrap();
        let engine = Arc::new(engine(keys.key_ring()));
        Remote { keys, engine, log }
    }

    /// Waits until no refresh is in progress. If one hangs, advances the time until it gives up.
    pub(crate) async fn settle(&self) {
        const PATIENCE: Duration = Duration::from_millis(200);
        yield_often().await;
        let mut begin = Instant::now();
        let mut seconds = 0;
        while self.log.started.load(SeqCst) != self.log.ended.load(SeqCst) {
            if begin.elapsed() > PATIENCE {
                tokio::time::advance(SECOND).await;
                (begin, seconds) = (Instant::now(), seconds + 1);
                assert!(seconds < 100, "a refresh does not end");
            }
            task::yield_now().await;
            std::thread::sleep(Duration::from_micros(200));
        }
        yield_often().await;
    }

    /// Advances the time by `time` in steps of `step`, and calls `each` after each step.
    pub(crate) async fn pass_in_steps(&self, time: Duration, step: Duration, mut each: impl FnMut()) {
        let mut passed = Duration::ZERO;
        while passed < time {
            tokio::time::advance(step).await;
            self.settle().await;
            passed += step;
            each();
        }
    }

    /// Advances the time by `time`.
    pub(crate) async fn pass(&self, time: Duration) {
        self.pass_in_steps(time, (time / 20).min(10 * SECOND), || ()).await;
    }

    /// Advances the time until the next refresh has ended.
    pub(crate) async fn pass_a_refresh(&self) {
        let ended = self.log.ended.load(SeqCst);
        for _ in 0..10_000 {
            self.pass_in_steps(SECOND, SECOND, || ()).await;
            if self.log.ended.load(SeqCst) > ended {
                return;
            }
        }
        panic!("no refresh");
    }

    pub(crate) fn refreshes(&self) -> usize {
        self.log.ended.load(SeqCst)
    }

    pub(crate) fn last_failure(&self) -> Option<&'static str> {
        self.keys.health().last_failure.map(|failure| failure.error.code())
    }

    /// The number of fetches started because of unknown keys.
    pub(crate) fn fetches_for_unknown_keys(&self) -> usize {
        self.heard("FetchStarted { cause: UnknownKey }")
    }

    /// The number of events whose text contains `part`.
    pub(crate) fn heard(&self, part: &str) -> usize {
        self.log.events.lock().unwrap().iter().filter(|event| event.contains(part)).count()
    }

    /// Calls [`verify_or_refresh`] in a separate task.
    pub(crate) fn verify_or_refresh(&self, header: &str) -> JoinHandle<Result<Principal, Rejection>> {
        let (engine, header) = (Arc::clone(&self.engine), header.to_owned());
        task::spawn(async move { verify_or_refresh(&engine, &Request::new().authorization(&header)).await })
    }
}

impl Log {
    fn hear(&self, event: &Event<'_>) {
        self.events.lock().unwrap().push(format!("{event:?}"));
        match event {
            Event::FetchStarted { .. } => self.started.fetch_add(1, SeqCst),
            Event::Refreshed { .. } | Event::RefreshFailed { .. } => self.ended.fetch_add(1, SeqCst),
            _ => 0,
        };
    }
}

/// The result of a task that must end without any time passing.
pub(crate) async fn at_once<T>(task: JoinHandle<T>) -> T {
    until("the task has ended", || task.is_finished()).await;
    task.await.unwrap()
}

pub(crate) async fn yield_often() {
    for _ in 0..8 {
        task::yield_now().await;
    }
}

/// Waits in real time for a condition that a thread or a socket will fulfil.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < 30 * SECOND, "in vain: {what}");
        task::yield_now().await;
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// The clocks of most tests: a freshness of 5 minutes, a revocation bound of 10 and a grace of 2 hours.
pub(crate) fn clocks() -> Clocks {
    Clocks { freshness: 5 * MINUTE, revocation_bound: 10 * MINUTE, outage_grace: 2 * HOUR, ..Clocks::default() }
}

pub(crate) fn remote(provider: &Provider) -> RemoteKeysBuilder {
    RemoteKeys::from_jwks_uri(&provider.uri("/jwks.json")).clocks(clocks())
}
