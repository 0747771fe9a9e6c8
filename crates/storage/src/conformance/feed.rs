use super::World;
use super::sample::{
    add, after, audit, done, id, is_compacted, key, put, refused, revocation, revoke, run, secret, snapshot,
};
use crate::client::Client;
use crate::command::{Command, Issued};
use crate::feed::{Change, Position};
use crate::key_store::Existing;
use crate::revocation::RevocationKind;
use std::time::{Duration, Instant};
use tollgate::KeyState;

pub async fn everything_that_changes_is_in_the_feed(world: &dyn World) {
    let store = world.open().await;
    let mut at = store.latest().await.unwrap();
    let client = Client::new("c", "", "", ["https://a.example/"], 0).unwrap();
    let revoked = revocation(RevocationKind::Token, "jti");
    let (kind, issuer, name) = (revoked.kind, revoked.issuer.clone(), revoked.name.clone());
    let restore = Command::Restore { kind, issuer: issuer.to_string(), name: name.to_string() };
    let remove_client = Command::RemoveClient { id: "c".to_owned(), issued: Issued::default() };
    let disabled = key(2).in_state(KeyState::Disabled);
    for (command, expected) in [
        (add(1), Change::Key(key(1))),
        (Command::RemoveKey { id: id(1) }, Change::KeyRemoved { digest: secret(1).digest() }),
        (Command::AddClient { client: client.clone(), secret: None }, Change::Client(client)),
        (remove_client, Change::ClientRemoved { id: "c".to_owned() }),
        (revoke(&revoked), Change::Revocation(revoked.clone())),
        (restore, Change::RevocationRemoved { kind, issuer, name }),
        (add(2), Change::Key(key(2))),
        (put(2, KeyState::Disabled), Change::Key(disabled)),
    ] {
        let end = done(&store, command).await;
        assert_eq!(after(&store, at, 100).await, (vec![(end.number, expected)], end));
        assert_eq!(store.latest().await.unwrap(), end);
        at = end;
    }
    // A command without effect is no change.
    refused(&store, add(2)).await;
    run(&store, put(2, KeyState::Disabled)).await;
    assert_eq!(after(&store, at, 100).await, (Vec::new(), at));
    store.import(vec![key(3), key(4)], Existing::Refuse, &audit()).await.unwrap();
    let (changes, _) = after(&store, at, 100).await;
    assert!(matches!(&changes[..], [(a, Change::Key(_)), (b, Change::Key(_))] if a < b));
}

pub async fn a_reader_resumes_where_it_was(world: &dyn World) {
    let store = world.open().await;
    let start = store.latest().await.unwrap();
    store.import((0..10).map(key).collect(), Existing::Refuse, &audit()).await.unwrap();
    let (mut at, mut seen) = (start, Vec::new());
    loop {
        let (changes, through) = after(&store, at, 3).await;
        assert!(changes.len() <= 3);
        assert!(changes.iter().all(|(number, _)| (at.number + 1..=through.number).contains(number)));
        if through == at {
            break;
        }
        seen.extend(changes.into_iter().map(|(_, change)| change));
        at = through;
    }
    assert_eq!(seen, (0..10).map(|number| Change::Key(key(number))).collect::<Vec<_>>());
    assert_eq!(at, store.latest().await.unwrap());
}

pub async fn a_reader_that_is_too_far_behind_is_told(world: &dyn World) {
    let store = world.open().await;
    let mut positions = Vec::new();
    for number in 0..10 {
        positions.push(done(&store, add(number)).await);
    }
    store.compact(3).await.unwrap();
    assert!(is_compacted(&store, Position::START).await && is_compacted(&store, positions[5]).await);
    assert_eq!(after(&store, positions[7], 100).await.0.len(), 2);
    store.compact(0).await.unwrap();
    assert!(is_compacted(&store, positions[8]).await);
    assert_eq!(after(&store, positions[9], 100).await, (Vec::new(), positions[9]), "the last is always kept");
    assert_eq!(store.latest().await.unwrap(), positions[9]);
    let next = done(&store, add(11)).await;
    assert!(next.number > positions[9].number, "no number is given twice");
    assert_eq!(snapshot(&store).await.1.len(), 11);
}

pub async fn a81_a_position_of_another_history_is_not_good(world: &dyn World) {
    let store = world.open().await;
    let first = done(&store, add(1)).await;
    let last = done(&store, add(2)).await;
    assert!(first.tag != 0 && first.tag != last.tag, "tags are random");
    for position in [
        Position { tag: first.tag ^ 1, ..first },
        Position { tag: last.tag ^ 1, ..last },
        Position { number: last.number + 1, ..last },
        Position { number: u64::MAX >> 1, ..last },
        Position { tag: 1, ..Position::START },
    ] {
        assert!(is_compacted(&store, position).await, "{position:?}");
    }
    assert!(!is_compacted(&store, first).await && !is_compacted(&store, last).await);
}

pub async fn a81_a_restored_copy_is_noticed_when_as_many_changes_were_made_again(world: &dyn World) {
    let (store, other) = (world.open().await, world.open().await);
    run(&store, add(1)).await;
    world.save().await;
    let saved = store.latest().await.unwrap();
    run(&store, add(2)).await;
    let lost = done(&store, Command::RemoveKey { id: id(1) }).await;
    world.restore().await;
    assert_eq!((store.latest().await.unwrap(), other.latest().await.unwrap()), (saved, saved));
    assert!(other.wait_after(lost, Duration::from_secs(5)).await.unwrap(), "the log ends elsewhere");
    assert!(is_compacted(&other, lost).await);
    run(&store, add(3)).await;
    let again = done(&store, add(4)).await;
    assert_eq!(again.number, lost.number, "as many changes");
    assert!(is_compacted(&other, lost).await);
    assert!(other.wait_after(lost, Duration::from_secs(5)).await.unwrap(), "the tag is another");
    assert_eq!(after(&other, saved, 100).await.0.len(), 2, "from before the copy the log goes on");
}

pub async fn a_waiting_reader_is_woken_by_another_process(world: &dyn World) {
    let (store, other) = (world.open().await, world.open().await);
    let start = store.latest().await.unwrap();
    assert!(!store.wait_after(start, Duration::from_millis(20)).await.unwrap());
    for (number, writer) in [(1, &store), (2, &other)] {
        let at = store.latest().await.unwrap();
        let waiting = async {
            let begun = Instant::now();
            (store.wait_after(at, Duration::from_secs(30)).await.unwrap(), begun.elapsed())
        };
        let writing = async {
            tokio::time::sleep(Duration::from_millis(60)).await;
            run(writer, add(number)).await;
        };
        let ((is_there, waited), ()) = tokio::join!(waiting, writing);
        assert!(is_there && waited < Duration::from_secs(5), "{waited:?}");
    }
    assert!(store.wait_after(start, Duration::ZERO).await.unwrap());
}

pub async fn a_heartbeat_moves_the_end_and_changes_nothing(world: &dyn World) {
    let (store, other) = (world.open().await, world.open().await);
    let at = done(&store, add(1)).await;
    store.heartbeat().await.unwrap();
    assert!(other.wait_after(at, Duration::from_secs(5)).await.unwrap());
    let (changes, through) = after(&other, at, 100).await;
    assert!(changes.is_empty() && through.number > at.number && through.tag != at.tag);
    assert_eq!(through, other.latest().await.unwrap());
    assert_eq!(snapshot(&other).await, (through, vec![Change::Key(key(1))]));
}
