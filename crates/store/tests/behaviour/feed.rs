//! The feed: order, resuming, waiting, compaction, snapshots.

use crate::support::{id, key, secret, store};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tollgate_store::limits::CHANGES_KEPT;
use tollgate_store::{Change, ChangeLog, RevocationKind, Since, Store, StoredRevocation};

fn after(store: &Store, after: u64, max: usize) -> (Vec<(u64, Change)>, u64) {
    match store.changes_after(after, max).unwrap() {
        Since::Changes(read) => (read.changes, read.through),
        Since::Compacted => panic!("compacted"),
    }
}

fn snapshot(store: &Store) -> (u64, Vec<Change>) {
    let changes = Mutex::new(Vec::new());
    let sequence = store.snapshot(&|some| changes.lock().unwrap().extend(some)).unwrap();
    (sequence, changes.into_inner().unwrap())
}

#[test]
fn changes_come_in_the_order_in_which_they_were_made() {
    let (_folder, store) = store();
    assert_eq!(store.latest().unwrap(), 0);
    let numbers: Vec<u64> = (0..5).map(|number| store.add_key(&key(number)).unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b));
    let (changes, through) = after(&store, 0, 100);
    let expected: Vec<_> = numbers.iter().copied().zip((0..5).map(|number| Change::Key(key(number)))).collect();
    assert_eq!((changes, through), (expected, numbers[4]));
}

#[test]
fn a_reader_resumes_where_it_was() {
    let (_folder, store) = store();
    store.append(&(0..10).map(|number| Change::Key(key(number))).collect::<Vec<_>>()).unwrap();
    let (mut at, mut seen) = (0, Vec::new());
    loop {
        let (changes, through) = after(&store, at, 3);
        assert!(changes.len() <= 3 && changes.iter().all(|(number, _)| (at + 1..=through).contains(number)));
        if changes.is_empty() {
            break;
        }
        seen.extend(changes.into_iter().map(|(_, change)| change));
        at = through;
    }
    assert_eq!(seen, (0..10).map(|number| Change::Key(key(number))).collect::<Vec<_>>());
}

#[test]
fn everything_that_changes_is_in_the_feed() {
    let (_folder, store) = store();
    let client = tollgate_store::Client {
        id: "c".to_owned(),
        name: String::new(),
        scopes: String::new(),
        redirect_uris: Vec::new(),
        created_at: 0,
    };
    let revocation = StoredRevocation::new(RevocationKind::Token, "iss", "jti");
    let (kind, issuer, name) = (revocation.kind, revocation.issuer.clone(), revocation.name.clone());
    let steps: [(&dyn Fn() -> u64, Change); 7] = [
        (&|| store.add_key(&key(1)).unwrap(), Change::Key(key(1))),
        (&|| store.remove_key(&id(1)).unwrap().unwrap(), Change::KeyRemoved { digest: secret(1).digest() }),
        (&|| store.add_client(&client).unwrap(), Change::Client(client.clone())),
        (&|| store.remove_client("c").unwrap().unwrap(), Change::ClientRemoved { id: "c".to_owned() }),
        (&|| store.revoke(&revocation).unwrap(), Change::Revocation(revocation.clone())),
        (&|| store.restore(kind, &issuer, &name).unwrap().unwrap(), {
            Change::RevocationRemoved { kind, issuer: issuer.clone(), name: name.clone() }
        }),
        (&|| store.append(&[Change::Key(key(2))]).unwrap(), Change::Key(key(2))),
    ];
    let mut at = 0;
    for (step, expected) in steps {
        let sequence = step();
        assert_eq!(after(&store, at, 100), (vec![(sequence, expected)], sequence));
        at = sequence;
    }
    store.disable_key(&id(2)).unwrap();
    let (changes, _) = after(&store, at, 100);
    assert!(matches!(&changes[..], [(_, Change::Key(key))] if key.record.state() == tollgate::KeyState::Disabled));
}

#[test]
fn an_append_is_made_whole_or_not_at_all() {
    let (_folder, store) = store();
    let taken = tollgate_store::StoredKey { digest: secret(1).digest(), ..key(2) };
    assert!(store.append(&[Change::Key(key(1)), Change::Key(taken)]).is_err());
    assert_eq!((store.latest().unwrap(), store.key(&id(1)).unwrap()), (0, None));
    assert_eq!(store.append(&[]).unwrap(), 0);
    // The same thing twice is the same thing.
    store.append(&[Change::Key(key(1)), Change::Key(key(1))]).unwrap();
    assert_eq!(snapshot(&store).1, [Change::Key(key(1))]);
}

#[test]
fn a_reader_that_is_too_far_behind_is_told() {
    let (_folder, store) = store();
    let latest = store.append(&(0..10).map(|number| Change::Key(key(number))).collect::<Vec<_>>()).unwrap();
    assert_eq!(store.compact(3).unwrap(), latest - 3);
    assert!(matches!(store.changes_after(latest - 4, 100).unwrap(), Since::Compacted));
    assert_eq!(after(&store, latest - 3, 100).0.len(), 3);
    store.compact(0).unwrap();
    assert!(matches!(store.changes_after(latest - 1, 100).unwrap(), Since::Compacted));
    assert_eq!(after(&store, latest, 100), (Vec::new(), latest));
    assert!(matches!(store.changes_after(latest + 1, 100).unwrap(), Since::Compacted), "from another store");
    assert!(store.add_key(&key(11)).unwrap() > latest, "no number is given twice");
}

#[test]
fn the_feed_does_not_grow_without_end() {
    let (_folder, store) = store();
    store.add_key(&key(1)).unwrap();
    let change = [Change::Key(key(1))];
    let many: Vec<_> = change.iter().cycle().take(CHANGES_KEPT as usize / 2 + 5).cloned().collect();
    store.append(&many).unwrap();
    assert!(matches!(store.changes_after(0, 1).unwrap(), Since::Changes(_)));
    let latest = store.append(&many).unwrap();
    assert!(matches!(store.changes_after(0, 1).unwrap(), Since::Compacted));
    assert!(matches!(store.changes_after(latest - CHANGES_KEPT, 1).unwrap(), Since::Changes(_)));
    assert!(matches!(store.changes_after(latest - CHANGES_KEPT - 1, 1).unwrap(), Since::Compacted));
}

#[test]
fn a_snapshot_is_everything_as_of_its_number() {
    let (_folder, store) = store();
    let keys: Vec<_> = (0..50_000).map(key).collect();
    store.add_keys(&keys).unwrap();
    let revocation = StoredRevocation::new(RevocationKind::ApiKey, "", &id(7));
    store.revoke(&revocation).unwrap();
    store.remove_key(&id(3)).unwrap();
    let (sequence, mut changes) = snapshot(&store);
    assert_eq!(sequence, store.latest().unwrap());
    assert_eq!(changes[0], Change::Revocation(revocation), "revocations come first");
    let mut found: Vec<_> = changes
        .drain(1..)
        .map(|change| match change {
            Change::Key(key) => key,
            other => panic!("{other:?}"),
        })
        .collect();
    found.sort_by(|a, b| a.record.id().cmp(b.record.id()));
    let expected: Vec<_> = keys.into_iter().filter(|key| key.record.id() != id(3)).collect();
    assert!(found == expected);
}

#[test]
fn a_waiting_reader_is_woken() {
    let (_folder, store) = store();
    assert!(!store.wait_after(0, Duration::from_millis(20)).unwrap());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let start = Instant::now();
            (store.wait_after(0, Duration::from_secs(30)).unwrap(), start.elapsed())
        });
        std::thread::sleep(Duration::from_millis(30));
        store.add_key(&key(1)).unwrap();
        let (is_there, waited) = waiting.join().unwrap();
        assert!(is_there && waited < Duration::from_secs(10));
    });
    assert!(store.wait_after(0, Duration::ZERO).unwrap());
    let latest = store.latest().unwrap();
    assert!(!store.wait_after(latest, Duration::from_millis(20)).unwrap());
}
