//! The barrier's acknowledgements against the remaining log, over crashes of the server.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tollgate_postgres::PostgresStore;
use tollgate_storage::{KeyStore, Position, StorageError};

use crate::cluster::Server;
use crate::failover::follow;
use crate::support::{add, block_on, execute, open, soon};

/// One command that adds a unique key, as its writer saw it.
#[derive(Clone, Debug)]
struct Operation {
    key: u64,
    begun: Instant,
    ended: Instant,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Outcome {
    /// Durable, with the position of this change, the end of the log at the time.
    Acknowledged(Position),
    /// The store reported that nothing was done.
    NotDone,
    Unknown,
}

/// One change of the remaining log.
#[derive(Clone, Copy, Debug)]
struct Entry {
    number: u64,
    tag: u64,
    key: u64,
}

/// Whether the operations can have produced the log. Every acknowledged one is at its position; none that was not done is
/// present; there is no gap and no duplicate; and an operation that began after another was acknowledged comes after it.
fn check(operations: &[Operation], log: &[Entry]) -> Result<(), String> {
    if let Some((expected, entry)) = (1..).zip(log).find(|(expected, entry)| *expected != entry.number) {
        return Err(format!("a gap: {entry:?} in the place of number {expected}"));
    }
    let mut entries = HashMap::new();
    for entry in log {
        if let Some(twice) = entries.insert(entry.key, entry) {
            return Err(format!("there twice: {twice:?} and {entry:?}"));
        }
    }
    let mut acknowledged = Vec::new();
    for operation in operations {
        let entry = entries.get(&operation.key);
        match operation.outcome {
            Outcome::Acknowledged(position) => {
                let holds = |entry: &&&Entry| (entry.number, entry.tag) == (position.number, position.tag);
                if entry.filter(holds).is_none() {
                    return Err(format!("acknowledged and lost: {operation:?}, {entry:?}"));
                }
                acknowledged.push((operation.ended, position.number));
            }
            Outcome::NotDone if entry.is_some() => return Err(format!("done, and denied: {operation:?}")),
            Outcome::NotDone | Outcome::Unknown => {}
        }
    }
    // The greatest acknowledged number at each time.
    acknowledged.sort_unstable();
    let mut by_time: BTreeMap<Instant, u64> = BTreeMap::new();
    let mut greatest = 0;
    for (at, number) in acknowledged {
        greatest = greatest.max(number);
        by_time.insert(at, greatest);
    }
    for operation in operations {
        let Some(entry) = entries.get(&operation.key) else { continue };
        let before = by_time.range(..operation.begun).next_back().map_or(0, |(_, number)| *number);
        if entry.number < before {
            return Err(format!("out of order: {operation:?} has number {}, after {before}", entry.number));
        }
    }
    Ok(())
}

/// Adds keys until it is stopped, whatever their outcome.
async fn write(
    store: PostgresStore,
    next: Arc<AtomicU64>,
    has_ended: Arc<AtomicBool>,
    history: Arc<Mutex<Vec<Operation>>>,
) {
    while !has_ended.load(Ordering::Acquire) {
        let (key, begun) = (next.fetch_add(1, Ordering::Relaxed), Instant::now());
        let outcome = match execute(&store, add(key)).await {
            Ok(executed) => {
                assert_eq!(executed.outcomes, [Ok(1)], "no other has added that key");
                Outcome::Acknowledged(executed.position)
            }
            Err(StorageError::OutcomeUnknown) => Outcome::Unknown,
            Err(_) => Outcome::NotDone,
        };
        history.lock().push(Operation { key, begun, ended: Instant::now(), outcome });
    }
}

/// The remaining log.
fn log_of(server: &Server) -> Vec<Entry> {
    let text = server.sql(
        "postgres",
        "SELECT c.number, c.tag, k.id FROM tollgate.changes c JOIN tollgate.keys k ON k.number = c.key_number ORDER BY 1",
    );
    let entry = |line: &str| {
        let mut parts = line.split('|');
        let mut part = || parts.next().expect("three columns");
        let (number, tag) = (part().parse().expect("a number"), part().parse::<i64>().expect("a tag"));
        let key = part().strip_prefix("key_").and_then(|key| key.parse().ok()).expect("one of these keys");
        Entry { number, tag: tag.cast_unsigned(), key }
    };
    text.expect("a log").lines().map(entry).collect()
}

#[test]
fn a88_what_the_barrier_acknowledged_is_in_the_log_in_order_whatever_crashes() {
    // Asynchronous commits stay in memory until the barrier, so that a crash loses them.
    let settings = [("wal_writer_delay", "10s"), ("wal_buffers", "16MB"), ("max_connections", "200")];
    let Some(mut server) = Server::start(&settings) else { return };
    block_on(async {
        let store = open(&server.config("postgres")).await;
        let (next, history) = (Arc::new(AtomicU64::new(1)), Arc::<Mutex<Vec<Operation>>>::default());
        let (has_ended, have_followed) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let writers: Vec<_> = (0..24)
            .map(|_| {
                tokio::spawn(write(store.clone(), Arc::clone(&next), Arc::clone(&has_ended), Arc::clone(&history)))
            })
            .collect();
        let followed = Arc::<Mutex<BTreeSet<String>>>::default();
        let follower = tokio::spawn(follow(store.clone(), Arc::clone(&followed), Arc::clone(&have_followed)));
        for round in 0..5 {
            let done = history.lock().len();
            assert!(soon(async || history.lock().len() > done + 100).await, "writes go on in round {round}");
            tokio::time::sleep(Duration::from_millis(300)).await;
            server.kill();
            server.up_again();
        }
        let done = history.lock().len();
        assert!(soon(async || history.lock().len() > done + 100).await, "writes go on after the last crash");
        has_ended.store(true, Ordering::Release);
        for writer in writers {
            writer.await.unwrap();
        }
        let (history, log) = (std::mem::take(&mut *history.lock()), log_of(&server));
        let acknowledged = history.iter().filter(|operation| matches!(operation.outcome, Outcome::Acknowledged(_)));
        println!("{} of {} acknowledged, {} in the log", acknowledged.count(), history.len(), log.len());
        check(&history, &log).unwrap();
        let ids: BTreeSet<String> = log.iter().map(|entry| format!("key_{}", entry.key)).collect();
        assert!(soon(async || *followed.lock() == ids).await, "the follower holds nothing that was lost");
        have_followed.store(true, Ordering::Release);
        println!("{} snapshots of the follower", follower.await.unwrap());
        assert_eq!(store.latest().await.unwrap().number as usize, log.len());
    });
}

#[test]
fn the_checker_of_histories_finds_what_is_wrong_with_them() {
    let at = |milliseconds| Instant::now() + Duration::from_millis(milliseconds);
    let entry = |number| Entry { number, tag: number * 7, key: number };
    let position = |number| Position { number, tag: number * 7 };
    let operation = |key, begun, ended, outcome| Operation { key, begun: at(begun), ended: at(ended), outcome };
    let operations = [
        operation(1, 0, 100, Outcome::Acknowledged(position(1))),
        operation(2, 200, 300, Outcome::Acknowledged(position(2))),
        operation(3, 400, 500, Outcome::Unknown),
        operation(4, 600, 700, Outcome::NotDone),
    ];
    let log = [entry(1), entry(2), entry(3)];
    check(&operations, &log).unwrap();
    check(&operations, &log[..2]).unwrap();
    let found = |operations: &[Operation], log: &[Entry]| check(operations, log).unwrap_err();
    assert!(found(&operations, &log[..1]).starts_with("acknowledged and lost"));
    let other_tag = [entry(1), Entry { tag: 0, ..entry(2) }];
    assert!(found(&operations, &other_tag).starts_with("acknowledged and lost"), "another history, as long");
    assert!(found(&operations, &[entry(1), entry(3)]).starts_with("a gap"));
    assert!(found(&operations, &[entry(1), entry(2), Entry { key: 4, ..entry(3) }]).starts_with("done, and denied"));
    assert!(found(&operations, &[entry(1), entry(2), Entry { key: 2, ..entry(3) }]).starts_with("there twice"));
    // As if numbers were assigned in another order than that of the commits.
    let swapped = |key, number| Entry { key, ..entry(number) };
    let mut operations = operations;
    operations[0].outcome = Outcome::Acknowledged(position(2));
    operations[1].outcome = Outcome::Acknowledged(position(1));
    assert!(found(&operations, &[swapped(2, 1), swapped(1, 2)]).starts_with("out of order"));
}
