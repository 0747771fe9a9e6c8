//! The writing thread: a queue of writes, a file locked by another process, a growing log.

use crate::support::{Store, format, id, key, secret, store, wait};
use std::time::{Duration, Instant};
use tollgate::{KeyRecord, KeyState};
use tollgate_sqlite::limits::{WRITE_AHEAD_LOG_BYTES, WRITE_TIMEOUT};
use tollgate_storage::{Command, KeyStore, StoredKey};

#[test]
fn a84_writes_that_wait_are_refused_together_after_the_time_for_one() {
    let (_folder, store) = store();
    store.add_key(&key(0)).unwrap();
    let other = rusqlite::Connection::open(store.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let begun = Instant::now();
    let refused = wait(async {
        let writes: Vec<_> = (1..=5)
            .map(|number| {
                let store = store.clone();
                tokio::spawn(async move {
                    store.0.execute(vec![Command::AddKey { key: key(number), max: None }]).await.unwrap_err().code()
                })
            })
            .collect();
        // Reads continue.
        assert!(store.0.key(&id(0)).await.unwrap().is_some());
        let mut refused = Vec::new();
        for write in writes {
            refused.push(write.await.unwrap());
        }
        refused
    });
    let waited = begun.elapsed();
    assert_eq!(refused, ["store-busy"; 5]);
    assert!(waited >= WRITE_TIMEOUT && waited < WRITE_TIMEOUT + Duration::from_secs(3), "{waited:?}");
    other.execute_batch("COMMIT").unwrap();
    for number in 1..=5 {
        assert_eq!(store.key(&id(number)).unwrap(), None, "nothing was done");
        store.add_key(&key(number)).unwrap();
    }
}

#[test]
fn a78_of_writes_that_are_committed_together_one_that_fails_leaves_the_others() {
    let (_folder, store) = store();
    // While this write is held back, the others queue up.
    let other = rusqlite::Connection::open(store.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE; CREATE TRIGGER no_key_7 BEFORE INSERT ON keys WHEN NEW.id = 'key_000000000007' BEGIN SELECT RAISE(FAIL, 'no'); END").unwrap();
    let added = wait(async {
        let writes: Vec<_> = (0..20)
            .map(|number| {
                let store = store.clone();
                // Two keys, so that half a write would be visible.
                let add = |number| Command::AddKey { key: key(number), max: None };
                tokio::spawn(async move { store.0.execute(vec![add(number + 100), add(number)]).await.is_ok() })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(200)).await;
        other.execute_batch("COMMIT").unwrap();
        let mut added = Vec::new();
        for write in writes {
            added.push(write.await.unwrap());
        }
        added
    });
    for (number, is_added) in (0..20).zip(added) {
        assert_eq!(is_added, number != 7);
        for number in [number, number + 100] {
            assert_eq!(store.key(&id(number)).unwrap().is_some(), is_added, "key {number}");
        }
    }
}

#[test]
fn the_write_ahead_log_is_bounded_once_no_reader_is_in_the_way() {
    let (_folder, store) = store();
    let log = || std::fs::metadata(format!("{}-wal", store.file().display())).unwrap().len();
    let reader = rusqlite::Connection::open(store.file()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM keys").unwrap();
    let large = |number| {
        let record = KeyRecord::api_key(&id(number), "u").metadata(&[7; 4_096]).build();
        StoredKey::native(&format(), &secret(number), record)
    };
    let mut number = 0;
    while log() <= WRITE_AHEAD_LOG_BYTES {
        store.add_keys(&(number..number + 2_000).map(large).collect::<Vec<_>>()).unwrap();
        number += 2_000;
    }
    reader.execute_batch("COMMIT").unwrap();
    // A commit answers before it bounds the log. A commit that meets a reader leaves that to the next one.
    let deadline = Instant::now() + Duration::from_secs(30);
    while log() > WRITE_AHEAD_LOG_BYTES {
        assert!(Instant::now() < deadline, "{} bytes", log());
        store.add_key(&key(number)).unwrap();
        number += 1;
    }
    assert_eq!(store.key(&id(0)).unwrap().unwrap().record.state(), KeyState::Active);
}

#[test]
fn a_store_that_is_dropped_has_done_what_it_was_asked() {
    let (folder, store) = store();
    let asked = wait(async {
        let add = |number| Command::AddKey { key: key(number), max: None };
        let asked: Vec<_> = (0..50)
            .map(|number| {
                let store = store.clone();
                tokio::spawn(async move { store.0.execute(vec![add(number)]).await.is_ok() })
            })
            .collect();
        let mut done = 0;
        for asked in asked {
            done += usize::from(asked.await.unwrap());
        }
        done
    });
    drop(store);
    assert_eq!(Store::open(folder.path()).unwrap().key_count().unwrap(), asked);
    assert_eq!(asked, 50);
}
