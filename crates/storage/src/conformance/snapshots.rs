use super::World;
use super::sample::{add, after, audit, done, id, key, revocation, revoke, run, snapshot};
use crate::client::Client;
use crate::command::Command;
use crate::feed::Change;
use crate::key_store::Existing;
use crate::revocation::RevocationKind;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub async fn a_snapshot_is_everything_with_revocations_first(world: &dyn World) {
    let store = world.open().await;
    assert_eq!(snapshot(&store).await.1, []);
    // Enough for an implementation to read on several connections.
    store.import((0..45_000).map(key).collect(), Existing::Refuse, &audit()).await.unwrap();
    let client = Client::new("c", "", "", ["https://a.example/"], 0).unwrap();
    run(&store, Command::AddClient { client: client.clone(), secret: None }).await;
    let revoked = revocation(RevocationKind::ApiKey, &id(7));
    run(&store, revoke(&revoked)).await;
    let end = done(&store, Command::RemoveKey { id: id(3) }).await;
    let (position, changes) = snapshot(&store).await;
    assert_eq!(position, end);
    let first_key = changes.iter().position(|change| matches!(change, Change::Key(_))).unwrap();
    let revocation_at = changes.iter().position(|change| *change == Change::Revocation(revoked.clone())).unwrap();
    assert!(revocation_at < first_key, "no key is seen without the revocation that concerns it");
    let client_at = changes.iter().position(|change| *change == Change::Client(client.clone())).unwrap();
    assert!(client_at < first_key, "no secret is seen without its client");
    let found: BTreeSet<String> = changes.iter().filter_map(key_id).collect();
    assert_eq!((found.len(), changes.len()), (44_999, 45_001));
    assert!(!found.contains(&id(3)) && found.contains(&id(44_999)));
}

pub async fn a_snapshot_is_one_state_while_others_write(world: &dyn World) {
    let store = world.open().await;
    store.import((0..25_000).map(key).collect(), Existing::Refuse, &audit()).await.unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for writer in 1..=4 {
        let (store, is_over) = (world.open().await, Arc::clone(&is_over));
        writers.push(tokio::spawn(async move {
            let mut number = writer * 1_000_000;
            while !is_over.load(Ordering::Acquire) {
                // Two changes in one transaction.
                store.execute(vec![add(number), add(number + 1)]).await.expect("the store works");
                number += 2;
            }
        }));
    }
    let mut snapshots = Vec::new();
    for _ in 0..4 {
        snapshots.push(snapshot(&store).await);
    }
    is_over.store(true, Ordering::Release);
    for writer in writers {
        writer.await.expect("every write is done");
    }
    let everything: BTreeSet<String> = snapshot(&store).await.1.iter().filter_map(key_id).collect();
    for (position, changes) in snapshots {
        let found: BTreeSet<String> = changes.iter().filter_map(key_id).collect();
        assert_eq!(found.len(), changes.len(), "each key once");
        assert_eq!((found.len() - 25_000) % 2, 0, "half of a transaction");
        // The changes after its position are all that it lacks, and none that it has.
        let (later, _) = after(&store, position, usize::MAX).await;
        let later: BTreeSet<String> = later.iter().filter_map(|(_, change)| key_id(change)).collect();
        assert!(found.is_disjoint(&later));
        assert_eq!(found.len() + later.len(), everything.len());
    }
}

fn key_id(change: &Change) -> Option<String> {
    match change {
        Change::Key(key) => Some(key.record.id().to_owned()),
        _ => None,
    }
}
