//! An API key meets its removal from the table, and its revocation.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use loom::sync::atomic::AtomicBool;
use tollgate::{ApiKey, ApiKeyTable, Digest, Engine, KeyFormat, KeyRecord, KeyState, Revocation, Revocations};
use tollgate_tests::NOW;

use crate::explore::{explore, thread};

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
    fn new(key: &ApiKey, record: KeyRecord) -> Self {
        let table = Arc::new(ApiKeyTable::new(KeyFormat::new("tg", "live").unwrap()));
        table.insert(key, record);
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

/// Explores with a record of few facts, and with one of all kinds of facts.
fn explore_removal(name: &str, remove: fn(&World)) {
    let long_id = "key-1-".repeat(50);
    let short = KeyRecord::api_key("key-1", "user-1").build();
    let long = short.edit().id(&long_id).metadata(b"of its owner").not_before(NOW - 1).scopes(["a", "b"]).build();
    explore_removal_of(name, short, remove);
    explore_removal_of(&format!("{name}, record of every fact"), long, remove);
}

fn explore_removal_of(name: &str, record: KeyRecord, remove: fn(&World)) {
    let key = ApiKey::generate(&KeyFormat::new("tg", "live").unwrap()).unwrap();
    explore(name, move || {
        let world = Arc::new(World::new(&key, record.clone()));
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
    explore_removal("key revoked", |world| {
        let id = world.table.get(&world.digest).unwrap().record().id().to_owned();
        world.revocations.revoke(&Revocation::api_key(&id));
    });
}

#[test]
fn a54_a_key_that_a_predicate_removes() {
    explore_removal("key removed by a predicate", |world| assert_eq!(world.table.retain(|_| false), 1));
}

#[test]
fn a54_a_key_that_is_disabled() {
    explore_removal("key disabled", |world| {
        let disabled = |record: &KeyRecord| record.edit().state(KeyState::Disabled).build();
        drop(world.table.update(&world.digest, disabled).unwrap());
    });
}

#[test]
fn a54_a_key_that_a_replacement_leaves_out() {
    explore_removal("key left out by a replacement", |world| {
        world.table.replace_all(Vec::<(&ApiKey, KeyRecord)>::new())
    });
}
