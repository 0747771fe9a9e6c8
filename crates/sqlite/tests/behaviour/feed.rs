//! The feed: order, resuming, waiting, compaction, snapshots.

use crate::support::{Store, id, key, secret, store};
use std::time::{Duration, Instant};
use tollgate::KeyState;
use tollgate_storage::limits::CHANGES_KEPT;
use tollgate_storage::{Change, Client, Position, RevocationKind, Since, StoredKey, StoredRevocation};

fn after(store: &Store, after: Position, max: usize) -> (Vec<(u64, Change)>, Position) {
    match store.changes_after(after, max).unwrap() {
        Since::Changes(read) => (read.changes, read.through),
        Since::Compacted => panic!("compacted"),
    }
}

fn is_compacted(store: &Store, after: Position) -> bool {
    matches!(store.changes_after(after, 1).unwrap(), Since::Compacted)
}

#[test]
fn changes_come_in_the_order_in_which_they_were_made() {
    let (_folder, store) = store();
    assert_eq!(store.latest().unwrap(), 0);
    let numbers: Vec<u64> = (0..5).map(|number| store.add_key(&key(number)).unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b));
    let (changes, through) = after(&store, Position::START, 100);
    let expected: Vec<_> = numbers.iter().copied().zip((0..5).map(|number| Change::Key(key(number)))).collect();
    assert_eq!((changes, through.number), (expected, numbers[4]));
}

#[test]
fn a_reader_resumes_where_it_was() {
    let (_folder, store) = store();
    store.add_keys(&(0..10).map(key).collect::<Vec<_>>()).unwrap();
    let (mut at, mut seen) = (Position::START, Vec::new());
    loop {
        let (changes, through) = after(&store, at, 3);
        assert!(
            changes.len() <= 3 && changes.iter().all(|(number, _)| (at.number + 1..=through.number).contains(number))
        );
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
    let client = Client::new("c", "", "", ["https://a.example/"], 0).unwrap();
    let revocation = StoredRevocation::new(RevocationKind::Token, "iss", "jti");
    let (kind, issuer, name) = (revocation.kind, revocation.issuer.clone(), revocation.name.clone());
    let steps: [(&dyn Fn() -> u64, Change); 7] = [
        (&|| store.add_key(&key(1)).unwrap(), Change::Key(key(1))),
        (&|| store.remove_key(&id(1)).unwrap().unwrap(), Change::KeyRemoved { digest: secret(1).digest() }),
        (&|| store.add_client(&client, None).unwrap(), Change::Client(client.clone())),
        (&|| store.remove_client("c").unwrap().unwrap(), Change::ClientRemoved { id: "c".to_owned() }),
        (&|| store.revoke(&revocation).unwrap(), Change::Revocation(revocation.clone())),
        (&|| store.restore(kind, &issuer, &name).unwrap().unwrap(), {
            Change::RevocationRemoved { kind, issuer: issuer.clone(), name: name.clone() }
        }),
        (&|| store.add_keys(&[key(2)]).unwrap(), Change::Key(key(2))),
    ];
    let mut at = Position::START;
    for (step, expected) in steps {
        let sequence = step();
        assert_eq!(after(&store, at, 100), (vec![(sequence, expected)], store.position()));
        at = store.position();
    }
    store.disable_key(&id(2)).unwrap();
    let (changes, _) = after(&store, at, 100);
    assert!(matches!(&changes[..], [(_, Change::Key(key))] if key.record.state() == KeyState::Disabled));
}

#[test]
fn an_import_is_made_whole_or_not_at_all() {
    let (_folder, store) = store();
    let taken = StoredKey { digest: secret(1).digest(), ..key(2) };
    assert_eq!(store.add_keys(&[key(1), taken]).unwrap_err().code(), "already-exists");
    assert_eq!((store.latest().unwrap(), store.key(&id(1)).unwrap()), (0, None));
    assert_eq!(store.add_keys(&[]).unwrap(), 0);
}

#[test]
fn a_reader_that_is_too_far_behind_is_told() {
    let (_folder, store) = store();
    let positions: Vec<Position> = (0..10)
        .map(|number| {
            store.add_key(&key(number)).unwrap();
            store.position()
        })
        .collect();
    let latest = positions[9];
    assert_eq!(store.compact(3).unwrap(), 7);
    assert!(is_compacted(&store, Position::START) && is_compacted(&store, positions[6]));
    assert_eq!(after(&store, positions[7], 100).0.len(), 2);
    store.compact(0).unwrap();
    assert!(is_compacted(&store, positions[8]));
    assert_eq!(after(&store, latest, 100), (Vec::new(), latest), "the last is always kept");
    assert!(is_compacted(&store, Position { number: latest.number + 1, ..latest }), "past the end");
    assert!(is_compacted(&store, Position { tag: latest.tag ^ 1, ..latest }), "of another history");
    assert!(store.add_key(&key(11)).unwrap() > latest.number, "no number is given twice");
}

#[test]
fn the_feed_does_not_grow_without_end() {
    let (_folder, store) = store();
    store.add_key(&key(1)).unwrap();
    let first = store.position();
    let mut number = 2;
    let mut add = |count: u64| {
        store.add_keys(&(number..number + count).map(key).collect::<Vec<_>>()).unwrap();
        number += count;
    };
    add(CHANGES_KEPT - 1);
    assert!(!is_compacted(&store, first));
    add(1);
    assert!(is_compacted(&store, first));
}

#[test]
fn a_snapshot_is_everything_as_of_its_number() {
    let (_folder, store) = store();
    let keys: Vec<_> = (0..50_000).map(key).collect();
    store.add_keys(&keys).unwrap();
    let revocation = StoredRevocation::new(RevocationKind::ApiKey, "", &id(7));
    store.revoke(&revocation).unwrap();
    store.remove_key(&id(3)).unwrap();
    let (position, mut changes) = store.snapshot();
    assert_eq!(position, store.position());
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
    assert!(!store.wait_after(Position::START, Duration::from_millis(20)).unwrap());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let start = Instant::now();
            (store.wait_after(Position::START, Duration::from_secs(30)).unwrap(), start.elapsed())
        });
        std::thread::sleep(Duration::from_millis(30));
        store.add_key(&key(1)).unwrap();
        let (is_there, waited) = waiting.join().unwrap();
        assert!(is_there && waited < Duration::from_secs(10));
    });
    assert!(store.wait_after(Position::START, Duration::ZERO).unwrap());
    let latest = store.position();
    assert!(!store.wait_after(latest, Duration::from_millis(20)).unwrap());
}
