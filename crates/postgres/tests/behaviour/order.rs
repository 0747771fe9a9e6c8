//! No change is skipped, in whatever order transactions begin and end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tollgate_storage::{Change, KeyStore, Position, Since};

use crate::cluster::shared;
use crate::support::{add, block_on, execute, open};

const WRITERS: u64 = 24;
const CHANGES_OF_EACH: u64 = 40;
const FOLLOWERS: usize = 4;

/// Reads the feed like a follower, until it is stopped and has read everything. Returns the numbers of the keys, in order.
async fn follow(store: impl KeyStore, has_ended: Arc<AtomicBool>) -> Vec<u64> {
    let (mut position, mut seen) = (Position::START, Vec::new());
    loop {
        let is_last = has_ended.load(Ordering::Acquire);
        match store.changes_after(position, 50).await {
            Ok(Since::Changes(read)) => {
                seen.extend(read.changes.into_iter().map(|(number, change)| match change {
                    Change::Key(_) => number,
                    other => panic!("{other:?}"),
                }));
                position = read.through;
                if position.number < read.latest {
                    continue;
                }
            }
            Ok(Since::Compacted) => panic!("the log does not hold {position:?}"),
            // Its backend was killed or cancelled.
            Err(_) => continue,
        }
        if is_last {
            return seen;
        }
        drop(store.wait_after(position, Duration::from_millis(100)).await);
    }
}

#[test]
fn a88_no_follower_misses_a_change_under_faults_of_every_kind() {
    let Some(server) = shared() else { return };
    let database = server.new_database();
    block_on(async {
        let store = open(&server.config(&database)).await;
        let (has_ended, acknowledged) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let followers: Vec<_> =
            (0..FOLLOWERS).map(|_| tokio::spawn(follow(store.clone(), Arc::clone(&has_ended)))).collect();
        // Backends are killed and cancelled, and other transactions take the counter and release it.
        let chaos = std::thread::spawn({
            let (database, has_ended) = (database.clone(), Arc::clone(&has_ended));
            move || {
                for round in 0.. {
                    if has_ended.load(Ordering::Acquire) {
                        return;
                    }
                    let of_database =
                        format!("FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()");
                    let text = match round % 4 {
                        0 => format!("SELECT pg_terminate_backend(pid) {of_database} ORDER BY random() LIMIT 1"),
                        1 => format!(
                            "SELECT pg_cancel_backend(pid) {of_database} AND query NOT LIKE 'LISTEN%' ORDER BY random() LIMIT 1"
                        ),
                        2 => "BEGIN; UPDATE tollgate.head SET number = number + 7; SELECT pg_sleep(0.02); ROLLBACK"
                            .to_owned(),
                        _ => "BEGIN; SAVEPOINT s; UPDATE tollgate.head SET number = number + 3; ROLLBACK TO s; COMMIT"
                            .to_owned(),
                    };
                    drop(server.sql(&database, &text));
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
        });
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (store, acknowledged) = (store.clone(), Arc::clone(&acknowledged));
                tokio::spawn(async move {
                    for number in 0..CHANGES_OF_EACH {
                        let number = writer * CHANGES_OF_EACH + number;
                        // Some batches are longer, and some are refused in the middle.
                        let mut commands = vec![add(number)];
                        if number.is_multiple_of(5) {
                            commands.extend([add(number), add(1_000_000 + number)]);
                        }
                        let executed = store.execute(commands).await;
                        if executed.is_ok_and(|executed| executed.outcomes[0].is_ok()) {
                            acknowledged.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        has_ended.store(true, Ordering::Release);
        chaos.join().unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        let latest = store.latest().await.unwrap().number;
        for follower in followers {
            let seen = follower.await.unwrap();
            assert_eq!(seen, (1..=latest).collect::<Vec<_>>(), "a gap, or a change that was missed");
        }
        let acknowledged = acknowledged.load(Ordering::Relaxed);
        assert!(acknowledged * 10 >= WRITERS * CHANGES_OF_EACH * 9, "{acknowledged} were acknowledged");
        // Each key exists once, and the log names each.
        let count: u64 = server.sql(&database, "SELECT count(*) FROM tollgate.keys").unwrap().parse().unwrap();
        assert_eq!(count, latest);
        execute(&store, add(9_999_999)).await.unwrap();
    });
}
