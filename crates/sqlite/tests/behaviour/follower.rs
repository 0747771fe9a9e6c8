//! A follower keeps an engine in sync with the store.

use crate::support::{Store, format, id, key, secret, store, wait};
use async_trait::async_trait;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tollgate::{ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord, Revocations};
use tollgate_storage::limits::{CHANGES_PER_READ, TOMBSTONE_SECONDS};
use tollgate_storage::{
    Change, Follower, KeyFeed, Position, RevocationKind, Since, StorageError, StoredKey, StoredRevocation, Visit,
};

/// Far enough from now in both directions.
const PAST: i64 = 1_000_000_000;
const FUTURE: i64 = 100_000_000_000;

struct World {
    table: Arc<ApiKeyTable<KeyRecord>>,
    revocations: Revocations,
    engine: Engine,
    follower: Follower,
}

fn world(log: Arc<dyn KeyFeed>) -> World {
    let (table, revocations) = (Arc::new(ApiKeyTable::new(format())), Revocations::new());
    let engine = Engine::builder().api_keys(table.clone()).revocations(revocations.clone()).build().unwrap();
    let follower = Follower::new(log, table.clone(), revocations.clone());
    World { table, revocations, engine, follower }
}

impl World {
    fn code(&self, number: u64) -> &'static str {
        code(&self.engine, number)
    }
}

fn code(engine: &Engine, number: u64) -> &'static str {
    engine.verify(secret(number).as_str().as_bytes()).map_or_else(|error| error.code(), |_| "accepted")
}

fn revocation(number: u64) -> StoredRevocation {
    StoredRevocation::new(RevocationKind::ApiKey, "", &id(number))
}

#[test]
fn each_change_reaches_the_engine() {
    let (_folder, store) = store();
    let mut world = world(store.shared());
    assert_eq!(world.follower.progress().applied(), None);
    let mut code_after = |change: &dyn Fn() -> u64| {
        let sequence = change();
        assert_eq!(wait(world.follower.catch_up()).unwrap().number, sequence);
        assert_eq!(world.follower.progress().applied(), Some(sequence));
        world.code(1)
    };
    assert_eq!(code_after(&|| store.latest().unwrap()), "unknown-api-key");
    assert_eq!(code_after(&|| store.add_key(&key(1)).unwrap()), "accepted");
    assert_eq!(code_after(&|| store.disable_key(&id(1)).unwrap().unwrap()), "disabled");
    assert_eq!(code_after(&|| store.enable_key(&id(1)).unwrap().unwrap()), "accepted");
    assert_eq!(code_after(&|| store.revoke(&revocation(1)).unwrap()), "revoked");
    assert_eq!(code_after(&|| store.restore(RevocationKind::ApiKey, "", &id(1)).unwrap().unwrap()), "accepted");
    assert_eq!(code_after(&|| store.rotate_key(&id(1), &key(2), FUTURE).unwrap().unwrap()), "accepted");
    assert_eq!(code_after(&|| store.rotate_key(&id(2), &key(3), PAST).unwrap().unwrap()), "accepted");
    assert_eq!((world.code(2), world.code(3)), ("unknown-api-key", "accepted"));
    store.revoke_key(&id(1)).unwrap();
    store.remove_key(&id(3)).unwrap();
    wait(world.follower.catch_up()).unwrap();
    assert_eq!((world.code(1), world.code(3), world.table.len()), ("revoked", "unknown-api-key", 1));
}

#[test]
fn keys_of_other_formats_and_of_other_systems_are_accepted() {
    let (_folder, store) = store();
    let mut world = world(store.shared());
    let (foreign, other) = (b"9b2f64f1-6f0e-4c0e-9d0a-6a1f0c9b7d52", KeyFormat::new("old", "live").unwrap());
    let digest = world.table.digest_of(foreign).unwrap();
    store.add_key(&StoredKey::foreign(*digest.digest(), KeyRecord::api_key("foreign", "u"))).unwrap();
    let old = ApiKey::generate(&other).unwrap();
    store.add_key(&StoredKey::native(&other, &old, KeyRecord::api_key("old", "u"))).unwrap();
    wait(world.follower.catch_up()).unwrap();
    for key in [&foreign[..], old.as_str().as_bytes()] {
        assert!(world.engine.verify_api_key(key).is_ok());
    }
}

#[test]
fn what_happened_in_a_gap_is_made_up_for() {
    let (_folder, store) = store();
    store.add_keys(&[key(1), key(2), key(3)]).unwrap();
    store.revoke(&revocation(3)).unwrap();
    let mut world = world(store.shared());
    wait(world.follower.catch_up()).unwrap();
    assert_eq!((world.code(1), world.code(2), world.code(3)), ("accepted", "accepted", "revoked"));
    store.remove_key(&id(1)).unwrap();
    store.restore(RevocationKind::ApiKey, "", &id(3)).unwrap();
    store.revoke(&revocation(2)).unwrap();
    store.add_key(&key(4)).unwrap();
    store.compact(0).unwrap();
    let latest = wait(world.follower.catch_up()).unwrap().number;
    assert_eq!(latest, store.latest().unwrap());
    assert_eq!(
        (world.code(1), world.code(2), world.code(3), world.code(4)),
        ("unknown-api-key", "revoked", "accepted", "accepted")
    );
    assert_eq!((world.table.len(), world.revocations.len()), (3, 1));
}

#[test]
fn a_copy_that_is_restored_while_it_is_followed_is_noticed() {
    let (folder, store) = store();
    store.add_key(&key(0)).unwrap();
    let file = rusqlite::Connection::open(store.file()).unwrap();
    let copy = folder.path().join("copy.sqlite3");
    file.execute("VACUUM INTO ?1", [copy.to_str()]).unwrap();
    file.execute("ATTACH ?1 AS copy", [copy.to_str()]).unwrap();
    store.add_key(&key(1)).unwrap();
    let latest = store.remove_key(&id(0)).unwrap().unwrap();
    let World { table, follower, .. } = world(store.shared());
    let thread = follower.spawn().unwrap();
    assert!(thread.wait_for(latest, Duration::from_secs(10)));
    assert!(table.find(secret(0).as_str().as_bytes()).is_err());

    let restored = ["keys", "log", "sqlite_sequence"]
        .map(|name| format!("DELETE FROM {name}; INSERT INTO {name} SELECT * FROM copy.{name};"));
    file.execute_batch(&format!("BEGIN; {} COMMIT;", restored.concat())).unwrap();
    let start = Instant::now();
    while table.find(secret(0).as_str().as_bytes()).is_err() || table.len() != 1 {
        assert!(start.elapsed() < Duration::from_secs(10), "the copy is not in force");
        thread::sleep(Duration::from_millis(10));
    }
    // Keys from before have none of these numbers.
    assert!(!store.wait_after(store.position(), Duration::from_millis(100)).unwrap());
}

#[test]
fn more_changes_than_are_read_at_a_time_are_all_applied() {
    let (_folder, store) = store();
    let mut world = world(store.shared());
    wait(world.follower.catch_up()).unwrap();
    let keys: Vec<_> = (0..CHANGES_PER_READ as u64 * 2 + 3).map(key).collect();
    let latest = store.add_keys(&keys).unwrap();
    assert_eq!(wait(world.follower.catch_up()).unwrap().number, latest);
    assert_eq!((world.table.len(), world.follower.progress().lag().changes), (keys.len(), 0));
}

#[test]
fn expired_records_are_reclaimed() {
    let (_folder, store) = store();
    let token = |number, end| {
        StoredKey::native(&format(), &secret(number), KeyRecord::access_token(&id(number), "u").expires_at(end))
    };
    store.add_keys(&[token(1, PAST), token(2, FUTURE), token(3, FUTURE + 10), key(4)]).unwrap();
    store.revoke(&StoredRevocation { until: FUTURE, ..revocation(2) }).unwrap();
    let mut world = world(store.shared());
    wait(world.follower.catch_up()).unwrap();
    assert_eq!(world.table.len(), 3, "what expired long ago is not even loaded");
    assert_eq!(world.follower.reclaimer().reclaim(PAST), 0);
    assert_eq!(world.follower.reclaimer().reclaim(FUTURE - 1), 0);
    assert_eq!(world.follower.reclaimer().reclaim(i64::from(u32::MAX)), 0);
    assert_eq!(world.follower.reclaimer().reclaim(FUTURE + TOMBSTONE_SECONDS - 1), 0);
    assert_eq!(world.follower.reclaimer().reclaim(FUTURE + TOMBSTONE_SECONDS), 1);
    assert_eq!(world.follower.reclaimer().reclaim(FUTURE + TOMBSTONE_SECONDS), 0);
    assert_eq!(world.follower.reclaimer().reclaim(FUTURE + TOMBSTONE_SECONDS + 10), 1);
    assert_eq!(world.table.len(), 1);
}

/// A log that checks the engine while it delivers its snapshot: revocations in two batches, then the key.
struct Looking {
    store: Store,
    engine: Engine,
    verdicts: Mutex<Vec<&'static str>>,
}

#[async_trait]
impl KeyFeed for Looking {
    async fn changes_after(&self, after: Position, max: usize) -> Result<Since, StorageError> {
        self.store.0.changes_after(after, max).await
    }

    async fn wait_after(&self, after: Position, timeout: Duration) -> Result<bool, StorageError> {
        self.store.0.wait_after(after, timeout).await
    }

    async fn snapshot(&self, visit: Visit) -> Result<Position, StorageError> {
        for portion in [Change::Revocation(revocation(1)), Change::Revocation(revocation(2)), Change::Key(key(2))] {
            visit(vec![portion]);
            self.verdicts.lock().unwrap().push(code(&self.engine, 2));
        }
        Ok(Position::START)
    }

    async fn heartbeat(&self) -> Result<(), StorageError> {
        self.store.0.heartbeat().await
    }
}

#[test]
fn a_revoked_key_is_never_accepted_while_it_is_loaded() {
    let (_folder, store) = store();
    let (table, revocations) = (Arc::new(ApiKeyTable::new(format())), Revocations::new());
    let engine = Engine::builder().api_keys(table.clone()).revocations(revocations.clone()).build().unwrap();
    let log = Arc::new(Looking { store, engine, verdicts: Mutex::default() });
    wait(Follower::new(log.clone(), table, revocations).catch_up()).unwrap();
    assert_eq!(*log.verdicts.lock().unwrap(), ["unknown-api-key", "unknown-api-key", "revoked"]);
}

/// A log that fails on demand.
struct Failing {
    store: Store,
    /// The number of a snapshot's keys before the failure.
    snapshot_fails_after: AtomicUsize,
    fails: AtomicBool,
}

#[async_trait]
impl KeyFeed for Failing {
    async fn changes_after(&self, after: Position, max: usize) -> Result<Since, StorageError> {
        if self.fails.load(Ordering::Relaxed) { Err(failure()) } else { self.store.0.changes_after(after, max).await }
    }

    async fn wait_after(&self, after: Position, timeout: Duration) -> Result<bool, StorageError> {
        self.store.0.wait_after(after, timeout).await
    }

    async fn snapshot(&self, visit: Visit) -> Result<Position, StorageError> {
        let (max, seen) = (self.snapshot_fails_after.load(Ordering::Relaxed), Arc::new(AtomicUsize::new(0)));
        let counted = seen.clone();
        let some = move |changes: Vec<Change>| {
            let before = counted.fetch_add(changes.len(), Ordering::Relaxed);
            visit(changes.into_iter().take(max.saturating_sub(before)).collect());
        };
        let position = self.store.0.snapshot(Arc::new(some)).await?;
        if seen.load(Ordering::Relaxed) > max { Err(failure()) } else { Ok(position) }
    }

    async fn heartbeat(&self) -> Result<(), StorageError> {
        self.store.0.heartbeat().await
    }
}

fn failure() -> StorageError {
    StorageError::NoRandomness
}

#[test]
fn a_failing_log_leaves_nothing_half_done() {
    let (_folder, store) = store();
    store.add_keys(&(0..10).map(key).collect::<Vec<_>>()).unwrap();
    let log = Failing { store, snapshot_fails_after: AtomicUsize::new(5), fails: AtomicBool::new(false) };
    let log = Arc::new(log);
    let mut world = world(log.clone());
    assert!(wait(world.follower.catch_up()).is_err());
    assert_eq!(world.table.len(), 0, "the first load is all or nothing");
    log.snapshot_fails_after.store(usize::MAX, Ordering::Relaxed);
    wait(world.follower.catch_up()).unwrap();
    assert_eq!(world.table.len(), 10);

    log.fails.store(true, Ordering::Relaxed);
    log.store.remove_key(&id(0)).unwrap();
    assert!(wait(world.follower.catch_up()).is_err());
    log.fails.store(false, Ordering::Relaxed);
    log.store.compact(0).unwrap();
    log.snapshot_fails_after.store(5, Ordering::Relaxed);
    assert!(wait(world.follower.catch_up()).is_err());
    assert_eq!(world.table.len(), 10, "a reload is all or nothing");
    log.snapshot_fails_after.store(usize::MAX, Ordering::Relaxed);
    wait(world.follower.catch_up()).unwrap();
    assert_eq!((world.table.len(), world.code(0)), (9, "unknown-api-key"));
}

#[test]
fn a_thread_follows_tells_its_lag_and_stops() {
    let (_folder, store) = store();
    let log = Failing { store, snapshot_fails_after: AtomicUsize::new(usize::MAX), fails: AtomicBool::new(false) };
    let log = Arc::new(log);
    let World { engine, follower, .. } = world(log.clone());
    let failures = Arc::new(AtomicUsize::new(0));
    let counted = failures.clone();
    let thread = follower.spawn_reporting(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let thread = thread.unwrap();
    let added = log.store.add_key(&key(1)).unwrap();
    assert!(thread.wait_for(added, Duration::from_secs(10)));
    assert!(engine.verify(secret(1).as_str().as_bytes()).is_ok());
    let lag = thread.lag();
    assert_eq!((lag.changes, lag.failures), (0, 0));
    assert!(lag.since_in_sync.unwrap() < Duration::from_secs(10));

    log.fails.store(true, Ordering::Relaxed);
    let removed = log.store.remove_key(&id(1)).unwrap().unwrap();
    assert!(!thread.wait_for(removed, Duration::from_millis(300)));
    assert!(thread.lag().failures > 0 && failures.load(Ordering::Relaxed) > 0);
    assert!(thread.lag().since_in_sync.unwrap() >= Duration::from_millis(200));
    log.fails.store(false, Ordering::Relaxed);
    assert!(thread.wait_for(removed, Duration::from_secs(10)));
    assert_eq!(thread.lag().failures, 0);
    let progress = thread.progress().clone();
    drop(thread);
    let after_the_end = log.store.add_key(&key(2)).unwrap();
    assert!(!progress.wait_for(after_the_end, Duration::from_millis(100)));
}

#[test]
fn once_a_revocation_is_applied_no_later_verify_accepts() {
    let (_folder, store) = store();
    store.add_keys(&(0..40).map(key).collect::<Vec<_>>()).unwrap();
    let World { engine, follower, .. } = world(store.shared());
    let thread = follower.spawn().unwrap();
    assert!(thread.wait_for(store.latest().unwrap(), Duration::from_secs(10)));
    let is_over = AtomicBool::new(false);
    let revoked = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let verifier = scope.spawn(|| {
            let mut verified = 0_u64;
            while !is_over.load(Ordering::Acquire) {
                // Read before the verify starts.
                let revoked = revoked.load(Ordering::Acquire) as u64;
                for number in 0..40 {
                    let outcome = engine.verify(secret(number).as_str().as_bytes());
                    assert!(number >= revoked || outcome.is_err(), "{number} of {revoked} revoked");
                    verified += 1;
                }
            }
            verified
        });
        for number in 0..40 {
            let sequence = match number % 3 {
                0 => store.revoke_key(&id(number)).unwrap().unwrap(),
                1 => store.remove_key(&id(number)).unwrap().unwrap(),
                _ => store.revoke(&revocation(number)).unwrap(),
            };
            assert!(thread.wait_for(sequence, Duration::from_secs(10)));
            revoked.store(number as usize + 1, Ordering::Release);
        }
        is_over.store(true, Ordering::Release);
        assert!(verifier.join().unwrap() > 0);
    });
}

#[derive(Clone, Debug)]
enum Step {
    Add(u64, Option<i64>),
    Disable(u64),
    Enable(u64),
    Revoke(u64),
    Remove(u64),
    Rotate(u64, u64, bool),
    RevokeId(u64),
    RestoreId(u64),
    Compact,
    CatchUp,
    StartAgain,
    Reclaim,
}

fn step() -> impl Strategy<Value = Step> {
    let number = || 0_u64..6;
    prop_oneof![
        6 => (number(), prop_oneof![Just(None), Just(Some(FUTURE)), Just(Some(PAST))]).prop_map(|(n, end)| Step::Add(n, end)),
        2 => number().prop_map(Step::Disable),
        2 => number().prop_map(Step::Enable),
        1 => number().prop_map(Step::Revoke),
        3 => number().prop_map(Step::Remove),
        2 => (number(), number(), any::<bool>()).prop_map(|(old, new, overlaps)| Step::Rotate(old, new, overlaps)),
        2 => number().prop_map(Step::RevokeId),
        2 => number().prop_map(Step::RestoreId),
        1 => Just(Step::Compact),
        4 => Just(Step::CatchUp),
        1 => Just(Step::StartAgain),
        1 => Just(Step::Reclaim),
    ]
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Active,
    Disabled,
    Revoked,
}

#[derive(Clone, Copy, Debug)]
struct Modelled {
    state: State,
    has_ended: bool,
    is_rotated: bool,
}

/// The expected content of the store: the state of each key, whether it has expired, and whether it was rotated; and the
/// revoked ids.
#[derive(Debug, Default)]
struct Model {
    keys: BTreeMap<u64, Modelled>,
    revoked_ids: BTreeSet<u64>,
}

impl Model {
    fn code(&self, number: u64) -> &'static str {
        match self.keys.get(&number) {
            // The key ended earlier than tombstones are kept.
            None | Some(Modelled { has_ended: true, .. }) => "unknown-api-key",
            Some(Modelled { state: State::Revoked, .. }) => "revoked",
            Some(Modelled { state: State::Disabled, .. }) => "disabled",
            Some(_) if self.revoked_ids.contains(&number) => "revoked",
            Some(_) => "accepted",
        }
    }

    /// Applies the step to both, and checks that both have the same outcome.
    fn apply(&mut self, step: &Step, store: &Store) {
        match *step {
            Step::Add(number, end) => {
                let key_id = id(number);
                let record = KeyRecord::api_key(&key_id, "u").expires_at(end);
                let is_added = store.add_key(&StoredKey::native(&format(), &secret(number), record)).is_ok();
                assert_eq!(is_added, !self.keys.contains_key(&number));
                let new = Modelled { state: State::Active, has_ended: end == Some(PAST), is_rotated: false };
                self.keys.entry(number).or_insert(new);
            }
            Step::Disable(number) => {
                self.change(number, State::Disabled, store.disable_key(&id(number)).ok().flatten());
            }
            Step::Enable(number) => self.change(number, State::Active, store.enable_key(&id(number)).ok().flatten()),
            Step::Revoke(number) => self.change(number, State::Revoked, store.revoke_key(&id(number)).unwrap()),
            Step::Remove(number) => {
                assert_eq!(store.remove_key(&id(number)).unwrap().is_some(), self.keys.remove(&number).is_some());
            }
            Step::Rotate(old, new, overlaps) => {
                let record = StoredKey::native(&format(), &secret(new), KeyRecord::api_key(&id(new), "u"));
                let record = record.made_at(PAST + 1);
                let rotated = store.rotate_key(&id(old), &record, if overlaps { FUTURE } else { PAST });
                let is_current = |key: &Modelled| key.state == State::Active && !key.has_ended && !key.is_rotated;
                let is_possible = self.keys.get(&old).is_some_and(is_current) && !self.keys.contains_key(&new);
                assert_eq!(rotated.ok().flatten().is_some(), is_possible);
                if is_possible {
                    self.keys.insert(new, Modelled { state: State::Active, has_ended: false, is_rotated: false });
                    self.keys.entry(old).and_modify(|key| {
                        key.is_rotated = true;
                        key.has_ended |= !overlaps;
                    });
                }
            }
            Step::RevokeId(number) => {
                store.revoke(&revocation(number)).unwrap();
                self.revoked_ids.insert(number);
            }
            Step::RestoreId(number) => {
                let restored = store.restore(RevocationKind::ApiKey, "", &id(number)).unwrap();
                assert_eq!(restored.is_some(), self.revoked_ids.remove(&number));
            }
            Step::Compact => {
                store.compact(0).unwrap();
            }
            Step::CatchUp | Step::StartAgain | Step::Reclaim => {}
        }
    }

    fn change(&mut self, number: u64, state: State, changed: Option<u64>) {
        let is_other = self.keys.get(&number).is_some_and(|key| key.state != state);
        assert_eq!(changed.is_some(), self.is_changeable(number) && is_other);
        if changed.is_some() {
            self.keys.entry(number).and_modify(|key| key.state = state);
        }
    }

    fn is_changeable(&self, number: u64) -> bool {
        self.keys.get(&number).is_some_and(|key| key.state != State::Revoked)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn an_engine_in_sync_decides_as_the_model_does(steps in prop::collection::vec(step(), 1..60)) {
        let (_folder, store) = store();
            let mut model = Model::default();
        let mut followed = world(store.shared());
        for step in steps.iter().chain([&Step::CatchUp]) {
            model.apply(step, &store);
            match step {
                Step::CatchUp => {}
                Step::StartAgain => followed = world(store.shared()),
                Step::Reclaim => {
                followed.follower.reclaimer().reclaim(PAST);
            }
                _ => continue,
            }
            wait(followed.follower.catch_up()).unwrap();
            for number in 0..6 {
                prop_assert_eq!(followed.code(number), model.code(number), "key {} after {:?}", number, step);
            }
            prop_assert_eq!(followed.revocations.len(), model.revoked_ids.len());
        }
    }

    #[test]
    fn changes_applied_again_change_nothing(steps in prop::collection::vec(step(), 1..40)) {
        let (_folder, store) = store();
            let mut model = Model::default();
        let replaying = Arc::new(Replaying { store: store.clone() });
        let mut followed = world(replaying);
        for step in steps.iter().filter(|step| !matches!(step, Step::Compact | Step::StartAgain)) {
            model.apply(step, &store);
            wait(followed.follower.catch_up()).unwrap();
            for number in 0..6 {
                prop_assert_eq!(followed.code(number), model.code(number), "key {} after {:?}", number, step);
            }
        }
    }
}

/// A log that always begins from the start.
struct Replaying {
    store: Store,
}

#[async_trait]
impl KeyFeed for Replaying {
    async fn changes_after(&self, after: Position, max: usize) -> Result<Since, StorageError> {
        let _ = after;
        self.store.0.changes_after(Position::START, max).await
    }

    async fn wait_after(&self, after: Position, timeout: Duration) -> Result<bool, StorageError> {
        let _ = after;
        self.store.0.wait_after(Position::START, timeout).await
    }

    async fn snapshot(&self, visit: Visit) -> Result<Position, StorageError> {
        self.store.0.snapshot(visit).await
    }

    async fn heartbeat(&self) -> Result<(), StorageError> {
        self.store.0.heartbeat().await
    }
}
