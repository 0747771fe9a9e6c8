use std::future::{self, Future};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tollgate_keys::{KeyReport, KeySet, WeakKeyRing};

use crate::event::Event;
use crate::health::{Failure, Health, Status};
use crate::report::Reporter;
use crate::schedule::{Cause, Decision, Schedule};
use crate::source::{FailedAttempt, Fetched, Source};
use crate::store::Store;
use crate::unknown_keys::MissingKeys;
use crate::waiting::Waiting;

/// The task that keeps one ring up to date. No other code replaces the ring's set.
pub(crate) struct Refresher {
    /// A weak reference: the task ends when the ring has no reader.
    pub(crate) ring: WeakKeyRing,
    pub(crate) waiting: Arc<Waiting>,
    pub(crate) schedule: Schedule,
    pub(crate) missing: MissingKeys,
    pub(crate) store: Store,
    pub(crate) health: watch::Sender<Health>,
    pub(crate) reporter: Reporter,
    pub(crate) clock: Clock,
    /// The set that the provider last confirmed. Kept after the grace, when the ring is empty.
    pub(crate) confirmed: Confirmed,
    pub(crate) fetches: u64,
}

/// The last good set and its document.
#[derive(Default)]
pub(crate) struct Confirmed {
    set: KeySet,
    /// None after a part of the set was withdrawn.
    document: Option<Bytes>,
}

/// A refresh in progress. It owns the source, so there is never more than one.
type Refresh = Pin<Box<dyn Future<Output = RefreshOutcome> + Send>>;

struct RefreshOutcome {
    source: Source,
    fetched: Option<Fetched>,
    failed: Vec<FailedAttempt>,
}

impl Refresher {
    pub(crate) async fn run(mut self, source: Source) {
        let now = self.clock.now();
        let schedule = &mut self.schedule;
        self.store.load(self.clock.unix(now), &source, |age| schedule.offer_saved(now, age)).await;
        let waiting = Arc::clone(&self.waiting);
        let (mut source, mut refresh, mut began) = (Some(source), None, Instant::now());
        let mut pending = false;
        loop {
            let now = self.clock.now();
            waiting.unknown_keys.forget(&mut self.missing, now);
            match self.schedule.decide(now) {
                Decision::Fetch(cause) => {
                    (pending, began) = (false, Instant::now());
                    refresh = source.take().map(|source| self.begin(source, cause));
                }
                Decision::UseSaved => self.use_saved(now),
                Decision::FailClosed => self.fail_closed(),
                Decision::Wait { until } => {
                    self.publish_progress();
                    let until = [until, self.missing.next_expiry()].into_iter().flatten().min();
                    tokio::select! {
                        outcome = outcome_of(&mut refresh) => {
                            refresh = None;
                            source = Some(outcome.source);
                            self.finish(outcome.fetched, outcome.failed, began.elapsed());
                        }
                        // One report is enough, whatever the number of reports.
                        () = waiting.unknown_keys.reported(), if !pending => {}
                        () = self.clock.sleep(until) => {}
                    }
                    pending = waiting.unknown_keys.pending();
                    self.schedule.unknown_keys(pending);
                }
            }
        }
    }

    fn begin(&self, mut source: Source, cause: Cause) -> Refresh {
        self.reporter.report(&Event::FetchStarted { cause });
        self.waiting.unknown_keys.seek();
        Box::pin(async move {
            let (fetched, failed) = source.fetch(cause).await;
            RefreshOutcome { source, fetched, failed }
        })
    }

    fn finish(&mut self, fetched: Option<Fetched>, failed: Vec<FailedAttempt>, took: Duration) {
        let now = self.clock.now();
        self.fetches += 1;
        for attempt in &failed {
            self.reporter.report(&Event::FetchFailed { uri: &attempt.uri, error: &attempt.error });
            self.withdraw_exposed(attempt);
        }
        let refused = match fetched {
            Some(fetched) => self.succeed(now, fetched, took),
            None => {
                self.fail(now, took);
                failed.iter().find_map(|attempt| attempt.vetted.as_ref()).map(|vetted| vetted.refused.clone())
            }
        };
        let last_failure = failed.into_iter().next().map(|attempt| Failure {
            at: self.clock.unix(now),
            uri: attempt.uri,
            error: attempt.error,
        });
        self.update_health(|health| {
            health.last_failure = last_failure.or(health.last_failure.take());
            health.refused = refused.unwrap_or_else(|| std::mem::take(&mut health.refused));
        });
    }

    /// Returns the reports of the refused keys, or `None` if the document has not changed.
    fn succeed(&mut self, now: Duration, fetched: Fetched, took: Duration) -> Option<Vec<KeyReport>> {
        let mut refused = None;
        if let Some((bytes, vetted)) = fetched.document {
            self.reporter.report_refused(&vetted.refused);
            refused = Some(vetted.refused);
            self.confirmed = Confirmed { set: vetted.set.unwrap_or_default(), document: Some(bytes) };
        }
        let changed = self.publish();
        // Publish the keys before waking the waiters.
        self.waiting.unknown_keys.settle(&self.confirmed.set, &mut self.missing, now);
        self.schedule.succeeded(now, fetched.times.max_age, fastrand::f64());
        let at = self.clock.unix(now);
        if let Some(document) = &self.confirmed.document {
            self.store.save(at, document);
        }
        self.reporter.report(&Event::Refreshed { took, keys: self.confirmed.set.len(), changed });
        self.update_health(|health| {
            health.status = Status::Fresh;
            (health.confirmed_at, health.last_success) = (Some(at), Some(at));
            health.clock_difference = fetched.times.sent_at.map(|sent_at| sent_at.saturating_sub(at));
            health.failures = 0;
        });
        refused
    }

    /// Keeps the current set: a failure says nothing about it.
    fn fail(&mut self, now: Duration, took: Duration) {
        self.waiting.unknown_keys.give_up();
        self.schedule.failed(now, fastrand::f64());
        let mut failures = 0;
        self.update_health(|health| {
            health.failures = health.failures.saturating_add(1);
            failures = health.failures;
            if health.status == Status::Fresh {
                health.status = Status::Stale;
            }
        });
        self.reporter.report(&Event::RefreshFailed { took, failures });
    }

    /// A refused document may still contain private keys of the current set: these are withdrawn at once.
    fn withdraw_exposed(&mut self, attempt: &FailedAttempt) {
        let Some(vetted) = &attempt.vetted else {
            return;
        };
        self.reporter.report_refused(&vetted.refused);
        if let Some(remaining) = vetted.without_exposed(&self.confirmed.set) {
            let keys = self.confirmed.set.len() - remaining.len();
            self.confirmed = Confirmed { set: remaining, document: None };
            self.store.discard();
            if self.keys() > 0 {
                self.publish();
            }
            self.reporter.report(&Event::KeysExposed { keys });
        }
    }

    fn use_saved(&mut self, now: Duration) {
        let Some(saved) = self.store.take_loaded() else {
            return;
        };
        self.confirmed = Confirmed { set: saved.set, document: Some(saved.document) };
        self.publish();
        let age = self.clock.unix(now).saturating_sub(saved.confirmed_at);
        let age = Duration::from_secs(u64::try_from(age).unwrap_or(0));
        self.reporter.report(&Event::SavedSetUsed { age, keys: self.confirmed.set.len() });
        self.update_health(|health| {
            health.status = Status::Stale;
            health.confirmed_at = Some(saved.confirmed_at);
        });
    }

    fn fail_closed(&mut self) {
        self.replace(KeySet::default());
        self.reporter.report(&Event::FailedClosed);
        self.update_health(|health| health.status = Status::FailedClosed);
    }

    /// Publishes the confirmed set in the ring if it is different. Returns whether it was: only a change invalidates
    /// the verifiers' caches.
    fn publish(&self) -> bool {
        let set = &self.confirmed.set;
        let Some(ring) = self.ring.upgrade() else { return false };
        let published = ring.load();
        let changed = published.len() != set.len() || !set.iter().all(|key| published.contains(key));
        drop(published);
        if changed {
            ring.replace(set.clone());
        }
        changed
    }

    fn replace(&self, set: KeySet) {
        if let Some(ring) = self.ring.upgrade() {
            ring.replace(set);
        }
    }

    /// The number of keys in the ring.
    fn keys(&self) -> usize {
        self.ring.upgrade().map_or(0, |ring| ring.load().len())
    }

    fn publish_progress(&self) {
        let next = if self.schedule.is_fetching() { Duration::ZERO } else { self.schedule.next_for_unknown_key() };
        self.waiting.publish(self.fetches, Some(self.clock.instant(next)));
    }

    fn update_health(&self, update: impl FnOnce(&mut Health)) {
        self.health.send_modify(|health| {
            update(health);
            health.keys = self.keys();
            health.next_refresh = self.clock.unix(self.schedule.next_refresh());
            health.grace_ends = self.schedule.grace_ends().map(|end| self.clock.unix(end));
        });
    }
}

/// When the task ends, nobody enforces the clocks, so the ring is emptied.
impl Drop for Refresher {
    fn drop(&mut self) {
        self.replace(KeySet::default());
        self.waiting.publish(self.fetches, None);
        self.health.send_modify(|health| {
            health.status = Status::Stopped;
            health.keys = 0;
            health.grace_ends = None;
        });
    }
}

async fn outcome_of(refresh: &mut Option<Refresh>) -> RefreshOutcome {
    match refresh {
        Some(refresh) => refresh.await,
        None => future::pending().await,
    }
}

/// The time since the start, for the schedule, and the time of day, for people and files.
pub(crate) struct Clock {
    start: Instant,
    unix: Box<dyn Fn() -> i64 + Send + Sync>,
}

impl Clock {
    pub(crate) fn new(unix: Box<dyn Fn() -> i64 + Send + Sync>) -> Self {
        Clock { start: Instant::now(), unix }
    }

    pub(crate) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    pub(crate) fn unix(&self, at: Duration) -> i64 {
        let now = self.now();
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        let ahead = seconds(at.saturating_sub(now)) - seconds(now.saturating_sub(at));
        (self.unix)().saturating_add(ahead)
    }

    fn instant(&self, at: Duration) -> Instant {
        self.start.checked_add(at).unwrap_or(self.start)
    }

    async fn sleep(&self, until: Option<Duration>) {
        match until.and_then(|until| self.start.checked_add(until)) {
            Some(until) => sleep_until(until).await,
            None => future::pending().await,
        }
    }
}
