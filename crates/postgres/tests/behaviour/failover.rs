//! The loss of a primary, with a synchronous standby and a third server.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tollgate_postgres::PostgresStore;
use tollgate_storage::{Change, KeyFeed, KeyStore, Position, Since};

use crate::cluster::Server;
use crate::support::{add, block_on, execute, open, soon};

const WRITERS: u64 = 16;

/// The state of a follower: the ids of the keys. It continues after failures. Returns the number of its snapshots.
pub(crate) async fn follow(
    store: PostgresStore,
    ids: Arc<Mutex<BTreeSet<String>>>,
    has_ended: Arc<AtomicBool>,
) -> usize {
    let (mut position, mut snapshots) = (None, 0);
    while !has_ended.load(Ordering::Acquire) {
        let Some(after) = position else {
            let found = Arc::<Mutex<BTreeSet<String>>>::default();
            let visited = Arc::clone(&found);
            let visit = move |changes: Vec<Change>| visited.lock().extend(changes.iter().filter_map(id));
            if let Ok(end) = store.snapshot(Arc::new(visit)).await {
                *ids.lock() = std::mem::take(&mut *found.lock());
                (position, snapshots) = (Some(end), snapshots + 1);
            }
            continue;
        };
        match store.changes_after(after, 1000).await {
            Ok(Since::Changes(read)) => {
                ids.lock().extend(read.changes.iter().filter_map(|(_, change)| id(change)));
                position = Some(read.through);
            }
            Ok(Since::Compacted) => position = None,
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
        drop(store.wait_after(position.unwrap_or(Position::START), Duration::from_millis(100)).await);
    }
    snapshots
}

fn id(change: &Change) -> Option<String> {
    match change {
        Change::Key(key) => Some(key.record.id().to_owned()),
        _ => None,
    }
}

/// `TOLLGATE_FAILOVER_ROUNDS`: the number of rounds, each with new servers; 1 by default.
#[test]
fn a88_nothing_that_was_acknowledged_is_lost_with_the_primary() {
    let rounds = std::env::var("TOLLGATE_FAILOVER_ROUNDS").map_or(1, |rounds| rounds.parse().expect("a number"));
    for round in 1..=rounds {
        println!("round {round} of {rounds}");
        lose_the_primary();
    }
}

fn lose_the_primary() {
    let settings = [
        ("synchronous_standby_names", "second"),
        ("wal_log_hints", "on"),
        ("wal_keep_size", "256MB"),
        ("max_connections", "200"),
    ];
    let Some(mut first) = Server::start(&settings) else { return };
    let (second, third) = (first.standby("second"), first.standby("third"));
    let config = Server::config_of(&[&first, &second, &third], "postgres");
    block_on(async {
        let store = open(&config).await;
        let (has_ended, have_followed) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let acknowledged = Arc::<Mutex<Vec<(u64, Instant)>>>::default();
        let followed = Arc::<Mutex<BTreeSet<String>>>::default();
        let follower = tokio::spawn(follow(store.clone(), Arc::clone(&followed), Arc::clone(&have_followed)));
        let of_standby = open(&config.clone().feed_from(Server::config_of(&[&third], "postgres"))).await;
        let on_standby = Arc::<Mutex<BTreeSet<String>>>::default();
        let standby_follower = tokio::spawn(follow(of_standby, Arc::clone(&on_standby), Arc::clone(&have_followed)));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (store, has_ended, acknowledged) =
                    (store.clone(), Arc::clone(&has_ended), Arc::clone(&acknowledged));
                tokio::spawn(async move {
                    for number in (writer..).step_by(WRITERS as usize) {
                        if has_ended.load(Ordering::Acquire) {
                            return;
                        }
                        if let Ok(executed) = execute(&store, add(number)).await
                            && executed.outcomes[0].is_ok()
                        {
                            acknowledged.lock().push((number, Instant::now()));
                        }
                    }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_secs(2)).await;
        let before = acknowledged.lock().len();
        assert!(before > 100, "{before} were acknowledged");
        first.kill();
        let killed = Instant::now();
        // The standby that has acknowledged is promoted, and needs its own standby before anything is acknowledged
        // again.
        second.promote();
        let promoted = Instant::now();
        second.configure(&[("synchronous_standby_names", "ANY 1 (third, former)")]);
        third.follow(&second, "third");
        let after = |time: Instant| acknowledged.lock().iter().filter(|(_, at)| *at > time).count();
        let is_third_behind = soon(async || after(promoted) > 0).await;
        // The old primary returns, perhaps with changes that no other server has.
        first.rejoin(&second, "former");
        let rejoined = Instant::now();
        assert!(soon(async || after(rejoined) > 100).await, "writes go on");
        let gap = {
            let all = acknowledged.lock();
            let last_before = all.iter().map(|(_, at)| *at).filter(|at| *at < killed).max().unwrap();
            let first_after = all.iter().map(|(_, at)| *at).filter(|at| *at > promoted).min().unwrap();
            first_after - last_before
        };
        println!(
            "{before} acknowledged before the loss; {gap:?} without one; the third server could follow: {is_third_behind}"
        );
        has_ended.store(true, Ordering::Release);
        for writer in writers {
            writer.await.unwrap();
        }
        let ids = second.sql("postgres", "SELECT id FROM tollgate.keys").unwrap();
        let ids: BTreeSet<String> = ids.lines().map(str::to_owned).collect();
        let lost: Vec<_> = acknowledged
            .lock()
            .iter()
            .map(|(number, _)| *number)
            .filter(|n| !ids.contains(&format!("key_{n}")))
            .collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        // No follower continues from a lost history.
        assert!(soon(async || *followed.lock() == ids).await, "the follower holds what the store has");
        have_followed.store(true, Ordering::Release);
        println!(
            "{} snapshots, {} of the standby's follower",
            follower.await.unwrap(),
            standby_follower.await.unwrap()
        );
        assert_eq!(store.latest().await.unwrap().number as usize, ids.len());
    });
}
