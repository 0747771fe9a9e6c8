//! Figures for docs/postgres.md, run by hand:
//! `cargo test --release -p tollgate-postgres --test behaviour -- --ignored --nocapture figures`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tollgate_postgres::PostgresStore;
use tollgate_storage::{Existing, KeyFeed, KeyStore, Since};

use crate::cluster::Server;
use crate::support::{add, audit, block_on, execute, key, open};

const SECONDS: u64 = 5;

fn primary_and_standby() -> Option<(Server, Server)> {
    let first =
        Server::start(&[("synchronous_standby_names", "second"), ("max_connections", "300"), ("max_wal_size", "8GB")])?;
    let second = first.standby("second");
    Some((first, second))
}

/// Acknowledged transactions and changes per second.
async fn write(store: &PostgresStore, writers: u64, batch: u64) -> (u64, u64) {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let (done, end) = (Arc::<AtomicU64>::default(), Instant::now() + Duration::from_secs(SECONDS));
    let writers: Vec<_> = (0..writers)
        .map(|_| {
            let (store, done) = (store.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                while Instant::now() < end {
                    let first = NEXT.fetch_add(batch, Ordering::Relaxed);
                    let numbers = first..first + batch;
                    if batch > 10 {
                        // As an import adds them.
                        store.import(numbers.map(key).collect(), Existing::Refuse, &audit()).await.unwrap();
                    } else {
                        store.execute(numbers.map(add).collect()).await.unwrap();
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let transactions = done.load(Ordering::Relaxed) / SECONDS;
    (transactions, transactions * batch)
}

#[test]
#[ignore = "takes minutes and a calm machine"]
fn figures_of_writes_with_a_synchronous_standby() {
    let Some((first, _second)) = primary_and_standby() else { return };
    block_on(async {
        let store = open(&first.config("postgres")).await;
        for (batch, writers) in [(1, 1), (1, 8), (1, 64), (10, 64), (100, 64)] {
            let (transactions, changes) = write(&store, writers, batch).await;
            println!("batch {batch}, {writers} writers: {transactions} transactions/s, {changes} changes/s");
        }
        // The same statements with pgbench: with plain commits, and with a sequence, which skips changes.
        let plain = "\\set n random(1, 9000000000000)\n\\set d random(1, 9000000000000)\nBEGIN;\nINSERT";
        let insert = "INTO tollgate.keys (id, digest, kind, subject, scopes, created_at, state, name, metadata, allowed_addresses)
            VALUES ('p' || :n, sha256((:n || '-' || :d)::bytea), 'api-key', 's' || :n, '', 0, 'active', '', '', '');"
            .replace('\n', " ");
        let counted = "WITH h AS (UPDATE tollgate.head SET number = number + 1 WHERE id = 1 RETURNING number), c AS (INSERT INTO tollgate.changes (number, tag, what, key_number) SELECT number, :d, 'key', 0 FROM h) SELECT pg_notify('tollgate', number::text) FROM h;";
        first.sql("postgres", "CREATE SEQUENCE s START 1000000000").unwrap();
        let ceiling =
            "INSERT INTO tollgate.changes (number, tag, what, key_number) VALUES (nextval('s'), :d, 'key', 0);";
        for (name, last) in [("plain", counted), ("a sequence", ceiling)] {
            for writers in [1, 8, 64] {
                let script = format!("{plain} {insert}\n{last}\nCOMMIT;\n");
                println!("pgbench, {name}, {writers} writers: {}", first.pgbench(&script, writers, SECONDS));
            }
        }
    });
}

#[test]
#[ignore = "takes minutes and a calm machine"]
fn figures_of_followers() {
    let Some((first, _second)) = primary_and_standby() else { return };
    block_on(async {
        for followers in [1, 8, 32] {
            let store = open(&first.config("postgres")).await;
            let acknowledged = Arc::<Mutex<BTreeMap<u64, (Instant, Instant)>>>::default();
            let seen: Vec<_> = (0..followers)
                .map(|_| {
                    let config = first.config("postgres");
                    tokio::spawn(async move {
                        let store = open(&config).await;
                        let (mut position, mut seen) = (store.latest().await.unwrap(), Vec::new());
                        let end = Instant::now() + Duration::from_secs(SECONDS + 3);
                        while Instant::now() < end {
                            if store.wait_after(position, Duration::from_secs(1)).await.unwrap()
                                && let Since::Changes(read) = store.changes_after(position, 1000).await.unwrap()
                            {
                                seen.extend(read.changes.iter().map(|(number, _)| (*number, Instant::now())));
                                position = read.through;
                            }
                        }
                        seen
                    })
                })
                .collect();
            tokio::time::sleep(Duration::from_secs(1)).await;
            let end = Instant::now() + Duration::from_secs(SECONDS);
            while Instant::now() < end {
                let number = fastrand();
                let begun = Instant::now();
                let executed = execute(&store, add(number)).await.unwrap();
                acknowledged.lock().insert(executed.position.number, (begun, Instant::now()));
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let (mut latencies, mut from_call) = (Vec::new(), Vec::new());
            for follower in seen {
                for (number, at) in follower.await.unwrap() {
                    if let Some((begun, acknowledged)) = acknowledged.lock().get(&number) {
                        latencies.push(at.saturating_duration_since(*acknowledged));
                        from_call.push(at - *begun);
                    }
                }
            }
            for (since, mut times) in [("the acknowledgement", latencies), ("the call", from_call)] {
                times.sort_unstable();
                let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
                println!(
                    "{followers} followers, {} seen: p50 {:?}, p99 {:?} after {since}",
                    times.len(),
                    at(0.5),
                    at(0.99)
                );
            }
        }
    });
}

fn fastrand() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0_u8) >> 1
}

#[test]
#[ignore = "takes minutes and a calm machine"]
fn figures_of_imports_and_snapshots() {
    let Some(first) = Server::start(&[("max_wal_size", "8GB")]) else { return };
    let count: u64 = std::env::var("TOLLGATE_KEYS").map_or(1_000_000, |text| text.parse().expect("a number"));
    block_on(async {
        let store = open(&first.config("postgres")).await;
        let begun = Instant::now();
        for chunk in 0..count / 10_000 {
            store
                .import((chunk * 10_000..(chunk + 1) * 10_000).map(key).collect(), Existing::Refuse, &audit())
                .await
                .unwrap();
        }
        println!("import of {count} keys: {:?}", begun.elapsed());
        for _ in 0..3 {
            let (begun, seen) = (Instant::now(), Arc::<AtomicU64>::default());
            let counted = Arc::clone(&seen);
            let visit = move |changes: Vec<_>| {
                counted.fetch_add(changes.len() as u64, Ordering::Relaxed);
            };
            store.snapshot(Arc::new(visit)).await.unwrap();
            let (took, seen) = (begun.elapsed(), seen.load(Ordering::Relaxed));
            println!("snapshot of {seen} keys: {took:?}, {:.0} keys/s", seen as f64 / took.as_secs_f64());
        }
    });
}
