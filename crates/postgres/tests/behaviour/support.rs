//! Shared by the store's tests.

use std::future::Future;
use std::time::Duration;

use tollgate::{Digest, KeyRecord};
use tollgate_postgres::{PostgresConfig, PostgresStore};
use tollgate_storage::{
    Actor, AuditRecord, Change, Command, Door, Executed, KeyFeed, KeyStore, Position, Since, StorageError, StoredKey,
};

/// Runs `test` on a multi-threaded runtime, as in the service.
pub(crate) fn block_on<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(test)
}

pub(crate) async fn open(config: &PostgresConfig) -> PostgresStore {
    PostgresStore::open(config).await.expect("a store")
}

/// The key with that number, of the subject "user".
pub(crate) fn key(number: u64) -> StoredKey {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&number.to_le_bytes());
    StoredKey::foreign(
        Digest::from_bytes(digest),
        KeyRecord::api_key(&format!("key_{number}"), &format!("user_{number}")),
    )
}

pub(crate) fn add(number: u64) -> Command {
    Command::AddKey { key: key(number), max: None }
}

pub(crate) async fn execute(store: &PostgresStore, command: Command) -> Result<Executed, StorageError> {
    store.execute(vec![command]).await
}

/// All changes after a position, and their last position.
pub(crate) async fn changes(store: &PostgresStore, mut after: Position) -> (Vec<(u64, Change)>, Position) {
    let mut all = Vec::new();
    loop {
        match store.changes_after(after, 1000).await.expect("a feed") {
            Since::Changes(read) => {
                let is_end = read.through.number == read.latest;
                all.extend(read.changes);
                after = read.through;
                if is_end {
                    return (all, after);
                }
            }
            Since::Compacted => panic!("the log does not hold {after:?}"),
        }
    }
}

/// Whether the condition holds within 10 s.
pub(crate) async fn soon(mut is_so: impl AsyncFnMut() -> bool) -> bool {
    for _ in 0..200 {
        if is_so().await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

/// A record of its own.
pub(crate) fn audit() -> AuditRecord {
    AuditRecord::new(&Actor::unknown(Door::Service), "test", "").expect("there is randomness")
}
