use super::World;
use super::sample::{NOW, add, after, id, key, put, run, state};
use crate::command::Command;
use crate::error::Refusal;
use crate::feed::{Change, Position};
use crate::key_store::KeyStore;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tollgate::KeyState;

/// Runs the commands concurrently on several connections of the store. Returns their results.
async fn at_once(world: &dyn World, commands: Vec<Command>) -> Vec<Result<u64, Refusal>> {
    let stores = [world.open().await, world.open().await];
    let tasks: Vec<_> = commands
        .into_iter()
        .enumerate()
        .map(|(index, command)| {
            let store = Arc::clone(&stores[index % 2]);
            tokio::spawn(async move { store.execute(vec![command]).await.expect("the store works").outcomes.remove(0) })
        })
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.expect("nothing panics"));
    }
    outcomes
}

pub async fn a68_of_eight_rotations_at_once_one_succeeds(world: &dyn World) {
    let store = world.open().await;
    run(&store, add(1)).await;
    let rotate = |new| Command::RotateKey { id: id(1), new: key(new), overlap_ends_at: NOW + 60 };
    let outcomes = at_once(world, (2..10).map(rotate).collect()).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    let is_rotated = |outcome: &Result<u64, Refusal>| matches!(outcome, Err(Refusal::KeyRotated { .. }));
    assert_eq!(outcomes.iter().filter(|outcome| is_rotated(outcome)).count(), 7, "{outcomes:?}");
    let mut added = Vec::new();
    for number in 2..10 {
        if state(&store, number).await.is_some() {
            added.push(id(number));
        }
    }
    let rotated_to = store.key(&id(1)).await.unwrap().unwrap().rotated_to;
    assert_eq!(added, [rotated_to.unwrap().into_string()], "one new key, and it is the one that the old one names");
}

pub async fn of_many_that_add_one_id_one_succeeds(world: &dyn World) {
    let outcomes = at_once(world, vec![add(1); 16]).await;
    let exists = Err(Refusal::AlreadyExists { what: "key" });
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == exists).count(), 15, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
}

pub async fn a83_a_maximum_holds_whoever_adds_at_once(world: &dyn World) {
    let add = |number| Command::AddKey { key: key(number), max: Some(3) };
    let outcomes = at_once(world, (0..24).map(add).collect()).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 3, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Err(Refusal::TooMany { max: 3 })).count(), 21);
    let store = world.open().await;
    let added = outcomes.iter().position(Result::is_ok).unwrap() as u64;
    run(&store, put(added, KeyState::Revoked)).await;
    assert_eq!(run(&store, add(100)).await, 1, "a revoked key does not count");
}

const WRITERS: u64 = 64;
const KEYS_A_WRITER: u64 = 12;

pub async fn no_change_of_64_writers_is_skipped_and_their_order_is_that_of_commits(world: &dyn World) {
    let stores = [world.open().await, world.open().await];
    let is_over = Arc::new(AtomicBool::new(false));
    let mut followers = Vec::new();
    for _ in 0..3 {
        followers.push(tokio::spawn(follow(world.open().await, Arc::clone(&is_over))));
    }
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = Arc::clone(&stores[writer as usize % 2]);
            tokio::spawn(async move {
                for number in writer * 1_000..writer * 1_000 + KEYS_A_WRITER {
                    // A refused command and one without effect take part, and must leave no trace.
                    let commands = vec![add(number), add(number), put(number, KeyState::Active)];
                    let executed = store.execute(commands).await.expect("the store works");
                    assert_eq!(executed.outcomes[0], Ok(1));
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("every write is done");
    }
    is_over.store(true, Ordering::Release);

    let (all, _) = after(&stores[0], Position::START, usize::MAX).await;
    assert_eq!(all.len() as u64, WRITERS * KEYS_A_WRITER);
    let all: BTreeMap<u64, String> = all.into_iter().map(|(number, change)| (number, name(&change))).collect();
    for follower in followers {
        let seen = follower.await.expect("the follower reads to the end");
        let missed: Vec<_> = all.iter().filter(|(number, id)| seen.get(number) != Some(*id)).collect();
        assert!(missed.is_empty(), "{} of {} changes were skipped: {missed:?}", missed.len(), all.len());
        assert_eq!(seen.len(), all.len());
    }
    let mut last = BTreeMap::new();
    for id in all.values() {
        let number: u64 = id.trim_start_matches("key_").parse().unwrap();
        let before = last.insert(number / 1_000, number);
        assert!(before.is_none_or(|before| before < number), "{id}: an earlier write of one writer came later");
    }
}

/// Reads the log from its beginning until all is written, like a follower.
async fn follow(store: Arc<dyn KeyStore>, is_over: Arc<AtomicBool>) -> BTreeMap<u64, String> {
    let (mut at, mut seen) = (Position::START, BTreeMap::new());
    loop {
        // Read before the log, so that nothing is written after the last read.
        let is_last = is_over.load(Ordering::Acquire);
        let (changes, through) = after(&store, at, 50).await;
        let is_end = changes.is_empty();
        for (number, change) in changes {
            assert!(number > at.number && number <= through.number);
            seen.insert(number, name(&change));
        }
        if is_end && is_last && through == at {
            return seen;
        }
        at = through;
        if is_end {
            store.wait_after(at, Duration::from_millis(50)).await.expect("the log is read");
        }
    }
}

fn name(change: &Change) -> String {
    match change {
        Change::Key(key) => key.record.id().to_owned(),
        other => panic!("only keys were added: {other:?}"),
    }
}
