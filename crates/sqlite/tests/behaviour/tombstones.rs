//! Rejections of ended keys have a reason, for a while and within limits.

use crate::support::{Store, format, id, key, secret, store, wait};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tollgate::{ApiKeyTable, Engine, KeyRecord, KeyState, Rejection, Revocations};
use tollgate_storage::limits::TOMBSTONE_SECONDS;
use tollgate_storage::{Follower, StoredKey};

struct World {
    store: Store,
    table: Arc<ApiKeyTable<KeyRecord>>,
    engine: Engine,
    follower: Follower,
    _folder: tempfile::TempDir,
}

fn world(max_tombstones: usize, keys: &[StoredKey]) -> World {
    let (folder, store) = store();
    store.add_keys(keys).unwrap();
    let (table, revocations) = (Arc::new(ApiKeyTable::new(format())), Revocations::new());
    let engine = Engine::builder().api_keys(table.clone()).revocations(revocations.clone()).build().unwrap();
    let follower = Follower::new(store.shared(), table.clone(), revocations).max_tombstones(max_tombstones);
    World { store, table, engine, follower, _folder: folder }
}

impl World {
    fn verify(&self, number: u64) -> Result<(), Rejection> {
        self.engine.verify(secret(number).as_str()).map(drop)
    }

    fn codes<const N: usize>(&self, numbers: [u64; N]) -> [&'static str; N] {
        numbers.map(|number| self.verify(number).map_or_else(|rejection| rejection.code(), |()| "accepted"))
    }
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

fn ending(number: u64, end: i64) -> StoredKey {
    StoredKey::native(&format(), &secret(number), KeyRecord::api_key(&id(number), "u").expires_at(end))
}

#[test]
fn a_key_that_has_ended_says_why_for_a_day() {
    let now = now();
    let revoked_long_ago = key(4).in_state(KeyState::Revoked);
    let mut world = world(
        100,
        &[key(1), ending(2, now - 60), ending(3, now - TOMBSTONE_SECONDS - 1), revoked_long_ago, key(5), key(6)],
    );
    wait(world.follower.catch_up()).unwrap();
    assert_eq!(world.codes([1, 2, 3, 4]), ["accepted", "expired", "unknown-api-key", "revoked"]);
    assert_eq!(world.verify(2).unwrap_err().to_string().split(';').next().unwrap(), format!("expired at {}", now - 60));

    world.store.revoke_key(&id(1)).unwrap();
    world.store.rotate_key(&id(5), &key(7), now - 60).unwrap();
    world.store.remove_key(&id(6)).unwrap();
    wait(world.follower.catch_up()).unwrap();
    assert_eq!(world.codes([1, 5, 6, 7]), ["revoked", "expired", "unknown-api-key", "accepted"]);

    // As after a restart, both in place and into a new table.
    world.store.compact(0).unwrap();
    world.store.add_key(&key(8)).unwrap();
    wait(world.follower.load(|_| {})).unwrap();
    assert_eq!(world.codes([1, 2, 4, 5, 8]), ["revoked", "expired", "revoked", "expired", "accepted"]);

    // A removed key leaves the table, tombstone or not.
    world.store.remove_key(&id(1)).unwrap();
    wait(world.follower.catch_up()).unwrap();
    assert_eq!(world.codes([1]), ["unknown-api-key"]);

    let reclaimer = world.follower.reclaimer();
    assert_eq!(reclaimer.reclaim(now + TOMBSTONE_SECONDS - 60), 2, "60 s before, 2 and 5 ended");
    assert_eq!(world.codes([2, 4, 5]), ["unknown-api-key", "revoked", "unknown-api-key"]);
    assert_eq!(reclaimer.reclaim(now + TOMBSTONE_SECONDS - 60), 0);
    assert_eq!(reclaimer.reclaim(now + TOMBSTONE_SECONDS + 3600), 1);
    assert_eq!((world.codes([4, 7, 8]), world.table.len()), (["unknown-api-key", "accepted", "accepted"], 2));
}

#[test]
fn a_client_secret_and_an_access_token_that_have_ended_say_why() {
    let secret_record = KeyRecord::client_secret("secret", "client-1").state(KeyState::Revoked);
    let token_record = KeyRecord::access_token("token", "u").client_id("client-1").state(KeyState::Revoked);
    let stored = |number, record: tollgate::KeyRecordBuilder<'_>| StoredKey::native(&format(), &secret(number), record);
    let mut world = world(100, &[stored(1, secret_record), stored(2, token_record)]);
    wait(world.follower.catch_up()).unwrap();
    let rejection = world.engine.verify_client("client-1", secret(1).as_str()).unwrap_err();
    assert_eq!(rejection, Rejection::Client { cause: Box::new(Rejection::Revoked) });
    let other = world.engine.verify_client("client-2", secret(1).as_str()).unwrap_err();
    assert_eq!(other, Rejection::UnknownClient, "others learn nothing");
    let rejection = world.engine.verify(format!("Bearer {}", secret(2).as_str())).unwrap_err();
    assert_eq!(rejection, Rejection::Revoked);
}

#[test]
fn what_has_ended_takes_bounded_memory() {
    let now = now();
    let revoked = |number| key(number).in_state(KeyState::Revoked);
    let keys: Vec<_> = (0..20).map(revoked).chain((20..40).map(key)).collect();
    let mut world = world(8, &keys);
    wait(world.follower.catch_up()).unwrap();
    assert_eq!(world.table.len(), 8 + 20, "no more than that is loaded");

    // A revoked key that was in the table stays until the sweep, which keeps the latest.
    for number in 20..32 {
        world.store.revoke_key(&id(number)).unwrap();
    }
    world.store.add_keys(&(40..60).map(revoked).collect::<Vec<_>>()).unwrap();
    wait(world.follower.catch_up()).unwrap();
    assert_eq!(world.table.len(), 8 + 20, "no more than that is taken in");
    assert!((20..32).all(|number| world.codes([number]) == ["revoked"]));
    assert_eq!(world.follower.reclaimer().reclaim(now + 3600), 12);
    assert_eq!(world.table.len(), 8 + 8);
    assert!((32..40).all(|number| world.codes([number]) == ["accepted"]), "what has not ended stays");

    wait(world.follower.load(|_| {})).unwrap();
    assert_eq!(world.table.len(), 8 + 8, "nor is it more after another load");
    let mut without = self::world(0, &[revoked(1), key(2)]);
    wait(without.follower.catch_up()).unwrap();
    without.store.revoke_key(&id(2)).unwrap();
    wait(without.follower.catch_up()).unwrap();
    assert_eq!(without.follower.reclaimer().reclaim(now + 3600), 1);
    assert_eq!(without.codes([1, 2]), ["unknown-api-key"; 2]);
}

#[test]
fn the_keys_that_ended_first_are_forgotten_first() {
    let now = now();
    let keys: Vec<_> = (0..10).map(|number| ending(number, now + 60 + i64::try_from(number / 2).unwrap())).collect();
    let mut world = world(5, &keys);
    wait(world.follower.catch_up()).unwrap();
    assert_eq!(world.follower.reclaimer().reclaim(now + 59), 0);
    assert_eq!(world.follower.reclaimer().reclaim(now + 3600), 5);
    let left: Vec<u64> = (0..10).filter(|number| world.codes([*number]) == ["accepted"]).collect();
    assert!(left.ends_with(&[6, 7, 8, 9]) && left.len() == 5 && left[0] >= 4, "{left:?}");
}
