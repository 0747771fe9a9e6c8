//! Rule 7: no find that starts after a removal finds the key, whatever other threads do.

use crate::support::{key, live};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use tollgate_apikeys::{ApiKey, ApiKeyTable};

const KEYS: u64 = 64;

#[test]
fn a_removed_key_is_not_found_while_others_come_and_go() {
    let keys: Vec<ApiKey> = (0..KEYS).map(key).collect();
    let table = ApiKeyTable::<()>::new(live());
    // Odd from the moment a removal has returned until just before the key is inserted again.
    let absences: Vec<AtomicU64> = (0..KEYS).map(|_| AtomicU64::new(0)).collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    for (key, absences) in keys.iter().zip(&absences) {
                        let before = absences.load(Ordering::SeqCst);
                        let found = table.find(key.as_str().as_bytes()).is_ok();
                        let after = absences.load(Ordering::SeqCst);
                        let absent_throughout = before % 2 == 1 && before == after;
                        assert!(!(found && absent_throughout), "a removed key was found");
                    }
                }
            });
        }
        let writers: Vec<_> = (0..2)
            .map(|writer| {
                let (table, keys, absences) = (&table, &keys, &absences);
                scope.spawn(move || {
                    for _ in 0..300 {
                        for n in (writer..keys.len()).step_by(2) {
                            table.insert(&keys[n], ());
                            assert!(table.find(keys[n].as_str().as_bytes()).is_ok(), "an insert was lost");
                            table.remove(&keys[n].digest());
                            absences[n].fetch_add(1, Ordering::SeqCst);
                            assert!(table.find(keys[n].as_str().as_bytes()).is_err());
                            absences[n].fetch_add(1, Ordering::SeqCst);
                        }
                    }
                })
            })
            .collect();
        let outcomes: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::SeqCst);
        assert!(outcomes.iter().all(Result::is_ok));
    });
}

#[test]
fn changes_made_during_a_replacement_hold_after_it() {
    let table = ApiKeyTable::<u64>::new(live());
    let (old, kept, removed, inserted) = (key(0), key(1), key(2), key(3));
    table.insert(&old, 2_u64);
    table.insert(&removed, 2_u64);
    let entries = [&kept, &removed].map(|key| (key, 4));
    // The changes run after all entries were given and before the swap.
    let changes = std::iter::from_fn(|| {
        assert!(table.remove(&removed.digest()).is_some());
        assert!(table.find(removed.as_str().as_bytes()).is_err());
        table.insert(&inserted, 7_u64);
        assert!(table.find(old.as_str().as_bytes()).is_ok(), "finds go on in the old contents");
        None
    });
    table.replace_all(entries.into_iter().chain(changes));
    let found = [&old, &kept, &removed, &inserted]
        .map(|key| table.find(key.as_str().as_bytes()).ok().map(|matched| *matched.record()));
    assert_eq!(found, [None, Some(4), None, Some(7)]);
}

#[test]
fn a_removal_during_a_replacement_is_final() {
    for _ in 0..10 {
        let keys: Vec<ApiKey> = (0..KEYS).map(key).collect();
        let flags = || (0..KEYS).map(|_| AtomicBool::new(false)).collect::<Vec<_>>();
        let (begun, returned) = (flags(), flags());
        let table = ApiKeyTable::<()>::new(live());
        let done = AtomicBool::new(false);
        let wanted = || {
            let wanted = |n: &usize| !begun[*n].load(Ordering::SeqCst);
            (0..keys.len()).filter(wanted).map(|n| (&keys[n], ()))
        };
        table.replace_all(wanted());
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    table.replace_all(wanted());
                }
            });
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    for (key, returned) in keys.iter().zip(&returned) {
                        let absent = returned.load(Ordering::SeqCst);
                        let found = table.find(key.as_str().as_bytes()).is_ok();
                        assert!(!(absent && found), "a replacement brought a removed key back");
                    }
                }
            });
            let remover = scope.spawn(|| {
                for n in 0..keys.len() {
                    begun[n].store(true, Ordering::SeqCst);
                    table.remove(&keys[n].digest());
                    returned[n].store(true, Ordering::SeqCst);
                    thread::yield_now();
                }
            });
            let outcome = remover.join();
            done.store(true, Ordering::SeqCst);
            assert!(outcome.is_ok());
        });
        assert!(table.is_empty());
    }
}

#[test]
fn a_replacement_is_seen_whole() {
    let keys: Vec<ApiKey> = (0..KEYS).map(key).collect();
    let version = |version: u64| keys.iter().map(move |key| (key, version));
    let table = ApiKeyTable::<u64>::new(live());
    table.replace_all(version(0));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut newest = 0;
                while !done.load(Ordering::SeqCst) {
                    for key in &keys {
                        let matched = table.find(key.as_str().as_bytes()).expect("in every version");
                        let version = *matched.record();
                        assert!(version >= newest, "old contents after new ones");
                        newest = version;
                    }
                }
            });
        }
        for number in 1..200 {
            table.replace_all(version(number));
        }
        done.store(true, Ordering::SeqCst);
    });
}
