//! Acknowledged and unacknowledged writes.

use std::time::{Duration, Instant};

use tollgate_storage::{KeyFeed, KeyStore, Position, Since, StorageError};

use crate::cluster::{Server, shared};
use crate::support::{add, block_on, changes, execute, open, soon};

/// A primary whose standby is never available.
fn without_standby() -> Option<Server> {
    Server::start(&[("synchronous_standby_names", "nobody")])
}

#[test]
fn a88_what_no_standby_has_is_not_acknowledged_and_seen_all_the_same() {
    let Some(server) = without_standby() else { return };
    block_on(async {
        let store = open(&server.config("postgres")).await;
        let outcome = execute(&store, add(1)).await;
        assert!(matches!(outcome, Err(StorageError::OutcomeUnknown)), "{outcome:?}");
        // The change is visible, so that followers are not behind a change that may be durable.
        assert_eq!(changes(&store, Position::START).await.0.len(), 1);
        // A change that was only read is no more durable than one that was made.
        let again = execute(&store, add(1)).await;
        assert!(matches!(again, Err(StorageError::OutcomeUnknown)), "{again:?}");
        store.heartbeat().await.unwrap();
    });
}

#[test]
fn a88_what_is_seen_and_not_acknowledged_is_bounded() {
    let Some(server) = without_standby() else { return };
    block_on(async {
        let store = open(&server.config("postgres")).await;
        // Writers that do not wait for the acknowledgement.
        let writers: Vec<_> = (0..1_000)
            .map(|writer| {
                let store = store.clone();
                tokio::spawn(async move {
                    for number in (writer..).step_by(1_000) {
                        let waiting = tokio::time::timeout(Duration::from_secs(3), execute(&store, add(number))).await;
                        if matches!(waiting, Ok(Err(StorageError::Busy))) {
                            return;
                        }
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        let made = store.latest().await.unwrap().number;
        assert!((4_096..5_200).contains(&made), "{made} changes");
        // Writes continue as soon as there is a standby again, or none is required.
        server.configure(&[("synchronous_standby_names", "")]);
        assert!(soon(async || execute(&store, add(1_000_000)).await.is_ok()).await);
    });
}

#[test]
fn a88_a_wait_for_a_standby_that_is_cancelled_acknowledges_nothing() {
    let Some(server) = without_standby() else { return };
    block_on(async {
        let store = open(&server.config("postgres")).await;
        let writer = tokio::spawn({
            let store = store.clone();
            async move { (execute(&store, add(1)).await, Instant::now()) }
        });
        let begun = Instant::now();
        // The server then reports the transaction as committed, with a warning.
        let cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        assert!(soon(async || server.sql("postgres", cancel).as_deref() == Some("t")).await);
        let (outcome, ended) = writer.await.unwrap();
        assert!(matches!(outcome, Err(StorageError::OutcomeUnknown)), "{outcome:?}");
        assert!(ended - begun < Duration::from_secs(9), "it was told by the warning, not by the clock");
        assert!(store.key("key_1").await.unwrap().is_some());
    });
}

#[test]
fn a88_a_history_that_was_lost_shows_by_its_tags() {
    let Some(server) = shared() else { return };
    let database = server.new_database();
    block_on(async {
        let store = open(&server.config(&database)).await;
        for number in 0..3 {
            execute(&store, add(number)).await.unwrap();
        }
        let (_, position) = changes(&store, Position::START).await;
        // The same number of changes again, as after a restore or a failover: the same numbers, other tags.
        server.sql(&database, "UPDATE tollgate.changes SET tag = tag + 1 WHERE number = 3").unwrap();
        assert!(matches!(store.changes_after(position, 10).await.unwrap(), Since::Compacted));
        let begun = Instant::now();
        assert!(store.wait_after(position, Duration::from_secs(5)).await.unwrap());
        assert!(begun.elapsed() < Duration::from_secs(1));
        // A history that ends earlier.
        server
            .sql(&database, "DELETE FROM tollgate.changes WHERE number = 3; UPDATE tollgate.head SET number = 2")
            .unwrap();
        assert!(matches!(store.changes_after(position, 10).await.unwrap(), Since::Compacted));
        assert!(store.wait_after(position, Duration::from_secs(5)).await.unwrap());
        let before = store.latest().await.unwrap();
        assert!(matches!(store.changes_after(before, 10).await.unwrap(), Since::Changes(_)));
    });
}

#[test]
fn a_writer_whose_client_stalls_holds_the_others_up_for_two_seconds_at_most() {
    let Some(server) = shared() else { return };
    let database = server.new_database();
    block_on(async {
        let store = open(&server.config(&database)).await;
        let (client, connection) = tokio_postgres::connect(
            &(server.url(&database) + "?options=-c%20idle_in_transaction_session_timeout%3D1000"),
            tokio_postgres::NoTls,
        )
        .await
        .unwrap();
        tokio::spawn(connection);
        client.batch_execute("BEGIN; UPDATE tollgate.head SET number = number + 1").await.unwrap();
        let begun = Instant::now();
        execute(&store, add(1)).await.unwrap().outcomes[0].clone().unwrap();
        let held_up = begun.elapsed();
        assert!(held_up < Duration::from_secs(4), "{held_up:?}");
        assert_eq!(changes(&store, Position::START).await.0[0].0, 1, "what the other one had begun is undone");
    });
}

#[test]
fn a_writer_that_gives_up_leaves_nothing_that_holds_others_up() {
    let Some(server) = shared() else { return };
    let database = server.new_database();
    block_on(async {
        let store = open(&server.config(&database)).await;
        for number in 0..200 {
            // At any point.
            drop(tokio::time::timeout(Duration::from_micros(100 * (number % 50)), execute(&store, add(number))).await);
        }
        let begun = Instant::now();
        execute(&store, add(1000)).await.unwrap().outcomes[0].clone().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    });
}

#[test]
fn a88_a_commit_whose_answer_is_lost_is_done_once_and_acknowledged() {
    let Some(server) = shared() else { return };
    let database = server.new_database();
    block_on(async {
        drop(open(&server.config(&database)).await);
        // A proxy that cuts the connection during a commit or its answer.
        let cutter = crate::cutter::Cutter::start(server.address()).await;
        let url = server.url(&database).replace(&server.address(), &cutter.address());
        let store = open(&tollgate_postgres::PostgresConfig::from_url(&url).unwrap()).await;
        for number in 0..20 {
            cutter.cut_next_commit(number % 2 == 0);
            let executed = execute(&store, add(number)).await.unwrap();
            assert_eq!(executed.outcomes, [Ok(1)], "{number}");
        }
        assert!(cutter.cuts() >= 20, "{} cuts", cutter.cuts());
        let (changes, _) = changes(&store, Position::START).await;
        assert_eq!(changes.iter().map(|(number, _)| *number).collect::<Vec<_>>(), (1..=20).collect::<Vec<_>>());
    });
}
