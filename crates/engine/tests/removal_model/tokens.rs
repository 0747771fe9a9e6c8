//! A token meets the removal of itself, of its key or of its issuer.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use loom::sync::atomic::AtomicBool;
use loom::thread::JoinHandle;
use tollgate::{
    Algorithm, CacheConfig, Engine, Issuer, KeyRing, KeySet, Principal, Rejection, Revocation, Revocations,
};
use tollgate_tests::{AUDIENCE, Draft, ISSUER, NOW, key_set, signing_key};

use crate::explore::{explore, thread};

/// Room for any number of tokens of these tests.
const ROOMY: usize = 64 << 10;

/// Room for one: the table, and a token and a half.
const ONE_TOKEN: usize = 1250;

#[derive(Clone, Copy)]
enum Removal {
    Revocation,
    Key,
    Issuer,
}

/// The shared state of the threads of one run. Its tokens differ only in their `jti`.
struct World {
    engine: Engine,
    ring: KeyRing,
    revocations: Revocations,
    removal: Removal,
    /// Set when the removal has returned.
    is_removed: AtomicBool,
}

/// The keys and tokens, the same in every run.
struct Fixture {
    keys: KeySet,
    other_keys: KeySet,
    token: String,
    other_token: String,
}

impl Fixture {
    fn new() -> Self {
        let (key, other) = (signing_key(Algorithm::HS256, 0), signing_key(Algorithm::HS256, 1));
        Fixture {
            keys: key_set([&key, &other]),
            other_keys: key_set([&other]),
            token: Draft::new(&key).sign(&key),
            other_token: Draft::new(&other).claim("jti", "token-2").sign(&other),
        }
    }
}

fn issuer(keys: impl Into<KeyRing>) -> Issuer {
    Issuer::new(ISSUER).audience(AUDIENCE).keys(keys)
}

impl World {
    fn new(fixture: &Fixture, removal: Removal, cache_bytes: usize) -> Arc<Self> {
        let (ring, revocations) = (KeyRing::new(fixture.keys.clone()), Revocations::new());
        let cache = CacheConfig { bytes: cache_bytes, per_thread_slots: 1, ..CacheConfig::default() };
        let engine = Engine::builder().issuer(issuer(ring.clone())).revocations(revocations.clone()).cache(cache);
        let engine = engine.build().unwrap();
        Arc::new(World { engine, ring, revocations, removal, is_removed: AtomicBool::new(false) })
    }

    fn verify(&self, token: &str) -> Result<Principal, Rejection> {
        self.engine.verify_at(token.as_bytes(), NOW)
    }

    /// A verify that may come before the removal, while it is under way, or after it.
    fn verify_meanwhile(&self, token: &str) {
        let is_removed = self.is_removed.load(Ordering::Acquire);
        let result = self.verify(token);
        assert!(!(is_removed && result.is_ok()), "accepted by a verify that began after the removal had returned");
    }

    fn remove(&self, fixture: &Fixture) {
        match self.removal {
            Removal::Revocation => self.revocations.revoke(&Revocation::token(ISSUER, "token-1")),
            Removal::Key => self.ring.replace(fixture.other_keys.clone()),
            Removal::Issuer => self.replace_issuer(&fixture.other_keys),
        }
        self.is_removed.store(true, Ordering::Release);
    }

    /// Replaces the issuer by one with these keys.
    fn replace_issuer(&self, keys: &KeySet) {
        self.engine.replace_issuers([issuer(keys.clone())]).unwrap();
    }

    fn assert_removed(&self, token: &str) {
        for _ in 0..2 {
            assert!(self.verify(token).is_err(), "accepted after the removal");
        }
    }
}

/// Tries every order of the threads that `scenario` starts, for each kind of removal.
fn explore_each(name: &str, scenario: fn(&Arc<Fixture>, Removal)) {
    for (removal, kind) in
        [(Removal::Revocation, "revocation"), (Removal::Key, "key removal"), (Removal::Issuer, "issuer replacement")]
    {
        let fixture = Arc::new(Fixture::new());
        explore(&format!("{name}, {kind}"), move || scenario(&fixture, removal));
    }
}

/// A thread that removes, and then finds the token removed.
fn remover(world: &Arc<World>, fixture: &Arc<Fixture>) -> JoinHandle<()> {
    let (world, fixture) = (world.clone(), fixture.clone());
    thread(move || {
        world.remove(&fixture);
        world.assert_removed(&fixture.token);
    })
}

#[test]
fn a40_a_token_that_is_verified_for_the_first_time() {
    explore_each("new token", |fixture, removal| {
        let world = World::new(fixture, removal, ROOMY);
        let remover = remover(&world, fixture);
        world.verify_meanwhile(&fixture.token);
        world.verify_meanwhile(&fixture.token);
        remover.join().unwrap();
        world.assert_removed(&fixture.token);
    });
}

#[test]
fn a40_a_token_in_the_table_of_all_threads() {
    explore_each("token in the shared table", |fixture, removal| {
        let world = World::new(fixture, removal, ROOMY);
        world.verify(&fixture.token).unwrap();
        let remover = remover(&world, fixture);
        world.verify_meanwhile(&fixture.token);
        world.verify_meanwhile(&fixture.token);
        remover.join().unwrap();
        world.assert_removed(&fixture.token);
    });
}

#[test]
fn a40_a_token_in_the_table_of_one_thread() {
    explore_each("token in a thread's table", |fixture, removal| {
        let world = World::new(fixture, removal, ROOMY);
        for _ in 0..4 {
            world.verify(&fixture.token).unwrap();
        }
        assert!(world.engine.cache_statistics().unwrap().front_hits > 0, "it is not where this test wants it");
        let remover = remover(&world, fixture);
        world.verify_meanwhile(&fixture.token);
        world.verify_meanwhile(&fixture.token);
        remover.join().unwrap();
        world.assert_removed(&fixture.token);
    });
}

#[test]
fn a40_two_threads_that_verify_one_token() {
    explore_each("two threads", |fixture, removal| {
        let world = World::new(fixture, removal, ROOMY);
        let (theirs, text) = (world.clone(), fixture.clone());
        let other = thread(move || theirs.verify_meanwhile(&text.token));
        let remover = remover(&world, fixture);
        world.verify_meanwhile(&fixture.token);
        other.join().unwrap();
        remover.join().unwrap();
        world.assert_removed(&fixture.token);
    });
}

#[test]
fn one_of_the_tokens_fits_and_two_do_not() {
    let fixture = Arc::new(Fixture::new());
    explore("one thread", move || {
        let world = World::new(&fixture, Removal::Revocation, ONE_TOKEN);
        for token in [&fixture.token, &fixture.token, &fixture.other_token, &fixture.other_token] {
            world.verify(token).unwrap();
        }
        let statistics = world.engine.cache_statistics().unwrap();
        assert_eq!((statistics.misses, statistics.evictions), (2, 1), "{statistics:?}");
    });
}

#[test]
fn a40_tokens_that_evict_each_other() {
    explore_each("eviction", |fixture, removal| {
        let world = World::new(fixture, removal, ONE_TOKEN);
        let (theirs, text) = (world.clone(), fixture.clone());
        let other = thread(move || {
            theirs.verify(&text.other_token).unwrap();
        });
        let remover = remover(&world, fixture);
        world.verify_meanwhile(&fixture.token);
        other.join().unwrap();
        remover.join().unwrap();
        world.assert_removed(&fixture.token);
        assert!(world.verify(&fixture.other_token).is_ok(), "it was not removed");
    });
}

/// The generation is incremented twice, so that a verify can stamp the token in between.
#[test]
fn a40_a_removal_that_follows_another() {
    explore_each("second change", |fixture, removal| {
        let world = World::new(fixture, removal, ROOMY);
        world.verify(&fixture.token).unwrap();
        let (theirs, keys) = (world.clone(), fixture.clone());
        let remover = thread(move || {
            match theirs.removal {
                Removal::Revocation => theirs.revocations.revoke(&Revocation::token(ISSUER, "token-3")),
                Removal::Key => theirs.ring.replace(keys.keys.clone()),
                Removal::Issuer => theirs.replace_issuer(&keys.keys),
            }
            theirs.remove(&keys);
            theirs.assert_removed(&keys.token);
        });
        world.verify_meanwhile(&fixture.token);
        world.verify_meanwhile(&fixture.token);
        remover.join().unwrap();
        world.assert_removed(&fixture.token);
    });
}

/// While all revocations are replaced, one that stays is never missing.
#[test]
fn a40_what_stays_revoked_while_all_is_replaced() {
    let fixture = Arc::new(Fixture::new());
    explore("replacement of all", move || {
        let world = World::new(&fixture, Removal::Revocation, ROOMY);
        let revoked = Revocation::token(ISSUER, "token-1");
        world.revocations.revoke(&revoked);
        let theirs = world.clone();
        let replacer = thread(move || {
            theirs.revocations.replace_all([&revoked, &Revocation::subject(ISSUER, "user-2")]);
        });
        for _ in 0..2 {
            assert!(world.verify(&fixture.token).is_err());
        }
        replacer.join().unwrap();
        world.assert_removed(&fixture.token);
    });
}

/// Two threads may stamp one token at once, each with the generations that it has read.
#[test]
fn a40_two_threads_that_stamp_one_token_while_keys_and_revocations_change() {
    explore_each("two changes, two threads", |fixture, removal| {
        let world = World::new(fixture, removal, ROOMY);
        world.verify(&fixture.token).unwrap();
        let (theirs, text) = (world.clone(), fixture.clone());
        let other = thread(move || theirs.verify_meanwhile(&text.token));
        let (theirs, keys) = (world.clone(), fixture.clone());
        let remover = thread(move || {
            // First a change for another token, which increments the generation that the removal does not.
            match theirs.removal {
                Removal::Revocation => theirs.ring.replace(keys.keys.clone()),
                Removal::Key | Removal::Issuer => theirs.revocations.revoke(&Revocation::token(ISSUER, "token-3")),
            }
            theirs.remove(&keys);
        });
        world.verify_meanwhile(&fixture.token);
        other.join().unwrap();
        remover.join().unwrap();
        world.assert_removed(&fixture.token);
    });
}

/// A removed issuer is added again with the same settings, and its token is verified again. A later removal
/// applies, too.
#[test]
fn a40_an_issuer_that_is_removed_added_and_removed_again() {
    let fixture = Arc::new(Fixture::new());
    explore("issuer removed", move || {
        let world = World::new(&fixture, Removal::Issuer, ROOMY);
        world.verify(&fixture.token).unwrap();
        let (theirs, keys) = (world.clone(), fixture.clone());
        let remover = thread(move || {
            assert!(theirs.engine.remove_issuer(ISSUER));
            theirs.engine.add_issuer(issuer(keys.keys.clone())).unwrap();
            assert!(theirs.engine.remove_issuer(ISSUER));
            theirs.is_removed.store(true, Ordering::Release);
            theirs.assert_removed(&keys.token);
        });
        world.verify_meanwhile(&fixture.token);
        world.verify_meanwhile(&fixture.token);
        remover.join().unwrap();
        world.assert_removed(&fixture.token);
    });
}

/// Stale revocations are a removal for an issuer that requires fresh ones. They are fresh again in between, so that
/// a verify can stamp the token.
#[test]
fn a80_revocations_that_are_stale_fresh_and_stale_again() {
    let fixture = Arc::new(Fixture::new());
    explore("stale revocations", move || {
        let world = World::new(&fixture, Removal::Revocation, ROOMY);
        world.engine.replace_issuers([issuer(fixture.keys.clone()).require_fresh_revocations()]).unwrap();
        world.revocations.mark_fresh();
        world.verify(&fixture.token).unwrap();
        let (theirs, text) = (world.clone(), fixture.clone());
        let marker = thread(move || {
            theirs.revocations.mark_stale();
            theirs.revocations.mark_fresh();
            theirs.revocations.mark_stale();
            theirs.is_removed.store(true, Ordering::Release);
            theirs.assert_removed(&text.token);
        });
        world.verify_meanwhile(&fixture.token);
        world.verify_meanwhile(&fixture.token);
        marker.join().unwrap();
        world.assert_removed(&fixture.token);
    });
}
