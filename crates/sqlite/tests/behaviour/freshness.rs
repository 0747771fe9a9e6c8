//! A follower tells engines when their revocations are stale.

use crate::support::{Store, format, key, store, wait};
use async_trait::async_trait;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};
use tollgate::{ApiKeyTable, Revocations};
use tollgate_storage::{Follower, KeyFeed, Position, Since, StorageError, Visit};

const MAX_STALENESS: Duration = Duration::from_secs(1);

/// A log that answers, fails, or does not answer.
struct Unreliable {
    store: Store,
    mode: AtomicU8,
}

const ANSWERS: u8 = 0;
const FAILS: u8 = 1;
const HANGS: u8 = 2;
const PANICS: u8 = 3;
/// Answers that there is nothing new, like a replica whose replication has stopped.
const STOPS: u8 = 4;

impl Unreliable {
    fn set(&self, mode: u8) {
        self.mode.store(mode, Ordering::Release);
    }

    fn look(&self) -> Result<(), StorageError> {
        while self.mode.load(Ordering::Acquire) == HANGS {
            thread::sleep(Duration::from_millis(5));
        }
        match self.mode.load(Ordering::Acquire) {
            FAILS => Err(StorageError::NoRandomness),
            PANICS => panic!("the log panics"),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl KeyFeed for Unreliable {
    async fn changes_after(&self, after: Position, max: usize) -> Result<Since, StorageError> {
        self.look()?;
        self.store.0.changes_after(after, max).await
    }

    async fn wait_after(&self, after: Position, timeout: Duration) -> Result<bool, StorageError> {
        self.look()?;
        self.store.0.wait_after(after, timeout).await
    }

    async fn snapshot(&self, visit: Visit) -> Result<Position, StorageError> {
        self.look()?;
        self.store.0.snapshot(visit).await
    }

    async fn heartbeat(&self) -> Result<(), StorageError> {
        match self.mode.load(Ordering::Acquire) {
            STOPS => Ok(()),
            _ => self.store.0.heartbeat().await,
        }
    }
}

/// A log that answers, the revocations that follow it, and the follower.
fn world() -> (tempfile::TempDir, Arc<Unreliable>, Revocations, Follower) {
    let (folder, store) = store();
    let log = Arc::new(Unreliable { store, mode: AtomicU8::new(ANSWERS) });
    let revocations = Revocations::new();
    let table = Arc::new(ApiKeyTable::new(format()));
    let follower = Follower::new(log.clone(), table, revocations.clone()).max_staleness(MAX_STALENESS);
    (folder, log, revocations, follower)
}

/// The time until the revocations are fresh or stale.
#[track_caller]
fn time_until(revocations: &Revocations, are_fresh: bool) -> Duration {
    let start = Instant::now();
    while revocations.are_fresh() != are_fresh {
        assert!(start.elapsed() < Duration::from_secs(20), "never fresh: {are_fresh}");
        thread::sleep(Duration::from_millis(2));
    }
    start.elapsed()
}

#[test]
fn a80_revocations_are_fresh_while_a_thread_follows_and_stale_when_the_log_fails_or_hangs() {
    for mode in [FAILS, HANGS, STOPS] {
        let (_folder, log, revocations, follower) = world();
        assert!(!revocations.are_fresh(), "nothing was read yet");
        let thread = follower.spawn().unwrap();
        time_until(&revocations, true);
        for _ in 0..2 {
            log.set(mode);
            // The last read may be as old as one wait.
            assert!(time_until(&revocations, false) > Duration::from_millis(100), "at the first failure");
            assert!(thread.lag().since_in_sync.unwrap() >= MAX_STALENESS);
            log.set(ANSWERS);
            time_until(&revocations, true);
        }
        // Idle for longer than the maximum.
        let start = Instant::now();
        while start.elapsed() < MAX_STALENESS * 2 {
            assert!(revocations.are_fresh() || thread.lag().since_in_sync.unwrap() >= MAX_STALENESS);
            thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn a80_revocations_that_nobody_follows_any_more_are_stale() {
    let (_folder, log, revocations, mut follower) = world();
    wait(follower.catch_up()).unwrap();
    assert!(revocations.are_fresh());
    drop(follower);
    assert!(!revocations.are_fresh(), "the follower is gone");

    let (_folder2, _, revocations, follower) = world();
    let thread = follower.spawn().unwrap();
    time_until(&revocations, true);
    let progress = thread.progress().clone();
    drop(thread);
    assert!(!revocations.are_fresh(), "the thread has ended");
    let _ = progress.check_freshness();
    assert!(!revocations.are_fresh());

    drop(log);
    let (_folder3, log, revocations, follower) = world();
    let _thread = follower.spawn().unwrap();
    time_until(&revocations, true);
    log.set(PANICS);
    assert!(time_until(&revocations, false) < MAX_STALENESS, "the thread has panicked");
}

#[test]
fn a84_a_follower_that_panics_is_started_again_and_counted() {
    let (_folder, log, revocations, follower) = world();
    let thread = follower.spawn().unwrap();
    time_until(&revocations, true);
    log.set(PANICS);
    time_until(&revocations, false);
    assert!(thread.lag().panics > 0);
    log.set(ANSWERS);
    let added = log.store.add_key(&key(1)).unwrap();
    assert!(thread.wait_for(added, Duration::from_secs(10)));
    time_until(&revocations, true);
    let panics = thread.lag().panics;
    thread::sleep(Duration::from_millis(300));
    assert_eq!(thread.lag().panics, panics);
}

#[test]
fn a_follower_on_a_thread_of_ones_own_is_judged_when_it_is_asked() {
    let (_folder, log, revocations, mut follower) = world();
    let progress = follower.progress().clone();
    assert!(progress.check_freshness() >= MAX_STALENESS);
    wait(follower.catch_up()).unwrap();
    assert!(revocations.are_fresh() && progress.check_freshness() <= MAX_STALENESS);
    let (done, is_done) = mpsc::channel();
    log.set(HANGS);
    let thread = thread::spawn(move || {
        wait(follower.catch_up()).unwrap();
        done.send(()).unwrap();
        follower
    });
    // However late that thread begins.
    thread::sleep(2 * MAX_STALENESS);
    assert!(revocations.are_fresh(), "nobody has looked");
    let _ = progress.check_freshness();
    assert!(!revocations.are_fresh());
    log.set(ANSWERS);
    is_done.recv().unwrap();
    // As of before the log hung: nobody knows when it looked.
    assert!(!revocations.are_fresh());
    let mut follower = thread.join().unwrap();
    wait(follower.catch_up()).unwrap();
    assert!(!revocations.are_fresh(), "nothing new says nothing");
    wait(log.heartbeat()).unwrap();
    wait(follower.catch_up()).unwrap();
    assert!(revocations.are_fresh());
}
