//! An API key meets its removal from the table, and its revocation.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use loom::sync::atomic::AtomicBool;
use tollgate::{ApiKey, ApiKeyTable, Digest, Engine, KeyFormat, KeyRecord, Revocation, Revocations};
use tollgate_tests::NOW;

use crate::{explore, thread};

struct World {
    key: Arc<str>,
    digest: Digest,
    table: Arc<ApiKeyTable<KeyRecord>>,
    revocations: Revocations,
    engine: Engine,
    /// Set when the removal has returned.
    is_removed: AtomicBool,
}

impl World {
    fn new(key: &ApiKey) -> Self {
        let table = Arc::new(ApiKeyTable::new(KeyFormat::new("tg", "live").unwrap()));
        table.insert(key, KeyRecord::api_key("key-1", "user-1"));
        let revocations = Revocations::new();
        let engine = Engine::builder().api_keys(table.clone()).revocations(revocations.clone()).build().unwrap();
        let (digest, key) = (key.digest(), key.as_str().into());
        World { key, digest, table, revocations, engine, is_removed: AtomicBool::new(false) }
    }

    fn is_accepted(&self) -> bool {
        self.engine.verify_at(self.key.as_bytes(), NOW).is_ok()
    }

    /// A verify that may come before the removal, while it is under way, or after it.
    fn verify_meanwhile(&self) {
        let is_removed = self.is_removed.load(Ordering::Acquire);
        let is_accepted = self.is_accepted();
        assert!(!(is_removed && is_accepted), "accepted by a verify that began after the removal had returned");
    }
}

fn explore_removal(name: &str, remove: fn(&World)) {
    let key = ApiKey::generate(&KeyFormat::new("tg", "live").unwrap()).unwrap();
    explore(name, move || {
        let world = Arc::new(World::new(&key));
        let theirs = world.clone();
        let remover = thread(move || {
            remove(&theirs);
            theirs.is_removed.store(true, Ordering::Release);
            assert!(!theirs.is_accepted());
        });
        world.verify_meanwhile();
        world.verify_meanwhile();
        remover.join().unwrap();
        assert!(!world.is_accepted());
    });
}

#[test]
fn a40_a_key_that_is_removed_from_the_table() {
    explore_removal("key removed from the table", |world| drop(world.table.remove(&world.digest).unwrap()));
}

#[test]
fn a40_a_key_that_is_revoked_by_its_id() {
    explore_removal("key revoked", |world| world.revocations.revoke(&Revocation::api_key("key-1")));
}
