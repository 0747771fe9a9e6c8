//! Rotation: a key is published before it signs, stays published after it signed, and is removed after its overlap.

use crate::support::*;
use tollgate_issuer::{
    SigningKey, SigningKeys,
    limits::{DEFAULT_OVERLAP_SECONDS, MAX_PUBLISHED_KEYS},
};
use tollgate_keys::Algorithm;

const OVERLAP: i64 = 7_200;

fn new_key() -> SigningKey {
    SigningKey::generate(Algorithm::EdDSA).unwrap()
}

fn kids(keys: &SigningKeys) -> Vec<String> {
    let jwks: serde_json::Value = serde_json::from_str(&keys.jwks()).unwrap();
    let kid = |key: &serde_json::Value| key["kid"].as_str().unwrap().to_owned();
    jwks["keys"].as_array().unwrap().iter().map(kid).collect()
}

#[test]
fn an_announced_key_is_published_and_does_not_sign() {
    let keys = SigningKeys::new(new_key());
    let first = keys.signing_key().kid().to_owned();
    let next = new_key();
    let second = next.kid().to_owned();
    keys.announce(next, NOW).unwrap();
    assert_eq!(keys.signing_key().kid(), first);
    assert_eq!(kids(&keys), [first, second]);
}

#[test]
fn old_tokens_verify_until_the_overlap_ends() {
    let keys = SigningKeys::new(new_key()).with_overlap(OVERLAP).unwrap();
    let keys = std::sync::Arc::new(keys);
    let minter = tollgate_issuer::Minter::new(ISSUER, keys.clone()).unwrap();
    let ring = keys.key_ring();
    let old = mint(&minter);

    keys.announce(new_key(), NOW).unwrap();
    assert_eq!(keys.next_retirement(), None);
    assert_eq!(keys.rotate(NOW).unwrap(), NOW + OVERLAP);
    assert_eq!(keys.next_retirement(), Some(NOW + OVERLAP));
    let new = mint(&minter);
    assert_ne!(header(&old)["kid"], header(&new)["kid"]);
    for set in [&published(&keys.jwks()), &keys.key_set()] {
        assert!(verifies(set, &old) && verifies(set, &new));
    }

    assert_eq!(keys.prune(NOW + OVERLAP - 1), 0);
    assert!(verifies(&ring.load(), &old));

    assert_eq!(keys.prune(NOW + OVERLAP), 1);
    assert_eq!(keys.next_retirement(), None);
    assert!(!verifies(&ring.load(), &old));
    assert!(!verifies(&published(&keys.jwks()), &old));
    assert!(verifies(&ring.load(), &new));
}

#[test]
fn a_ring_taken_before_follows_every_step() {
    let keys = SigningKeys::new(new_key());
    let ring = keys.key_ring();
    assert_eq!(ring.load().len(), 1);
    keys.announce(new_key(), NOW).unwrap();
    assert_eq!(ring.load().len(), 2);
    let old = keys.signing_key().kid().to_owned();
    keys.rotate(NOW).unwrap();
    keys.withdraw(&old).unwrap();
    assert_eq!(ring.load().len(), 1);
}

#[test]
fn the_generation_grows_with_each_step_and_not_without() {
    let keys = SigningKeys::new(new_key());
    let mut generations = vec![keys.generation()];
    keys.announce(new_key(), NOW).unwrap();
    generations.push(keys.generation());
    keys.rotate(NOW).unwrap();
    generations.push(keys.generation());
    assert_eq!(keys.prune(NOW), 0);
    assert_eq!(keys.generation(), generations[2]);
    keys.prune(NOW + DEFAULT_OVERLAP_SECONDS);
    generations.push(keys.generation());
    assert!(generations.is_sorted_by(|earlier, later| earlier < later));
}

#[test]
fn several_retired_keys_go_one_by_one() {
    let keys = SigningKeys::new(new_key()).with_overlap(100).unwrap();
    for step in 0..3 {
        keys.announce(new_key(), NOW).unwrap();
        keys.rotate(NOW + step * 10).unwrap();
    }
    assert_eq!(kids(&keys).len(), 4);
    assert_eq!(keys.prune(NOW + 110), 2);
    assert_eq!(keys.prune(NOW + 119), 0);
    assert_eq!(keys.prune(NOW + 120), 1);
    assert_eq!(kids(&keys), [keys.signing_key().kid()]);
}

#[test]
fn a_rotation_may_change_the_algorithm() {
    let (minter, keys) = minter(SigningKey::generate(Algorithm::HS256).unwrap());
    let old = mint(&minter);
    keys.announce(SigningKey::generate(Algorithm::ES384).unwrap(), NOW).unwrap();
    keys.rotate(NOW).unwrap();
    let new = mint(&minter);
    assert_eq!(header(&new)["alg"], "ES384");
    assert!(verifies(&keys.key_set(), &old) && verifies(&keys.key_set(), &new));
    assert_eq!(kids(&keys), [keys.signing_key().kid()]);
}

#[test]
fn rotating_without_an_announced_key_is_refused() {
    let keys = SigningKeys::new(new_key());
    assert_eq!(keys.rotate(NOW).unwrap_err().code(), "nothing-announced");
}

#[test]
fn a_refused_rotation_keeps_the_announced_key() {
    let keys = SigningKeys::new(new_key());
    keys.announce(new_key(), NOW).unwrap();
    for now in [-1, i64::MIN, i64::MAX] {
        assert_eq!(keys.rotate(now).unwrap_err().code(), "invalid-time");
    }
    assert!(keys.rotate(NOW).is_ok());
}

#[test]
fn one_key_is_announced_at_a_time() {
    let keys = SigningKeys::new(new_key());
    keys.announce(new_key(), NOW).unwrap();
    assert_eq!(keys.announce(new_key(), NOW).unwrap_err().code(), "already-announced");
}

#[test]
fn a_kid_or_a_key_is_published_once() {
    let keys = SigningKeys::new(new_key().with_kid("k1").unwrap());
    let same_kid = new_key().with_kid("k1").unwrap();
    assert_eq!(keys.announce(same_kid, NOW).unwrap_err().code(), "duplicate-key");
    let same_key = SigningKey::from_jwk(&keys.signing_key().to_private_jwk()).unwrap();
    let same_key = same_key.with_kid("k2").unwrap();
    assert_eq!(keys.announce(same_key, NOW).unwrap_err().code(), "duplicate-key");
}

#[test]
fn the_number_of_published_keys_is_bounded() {
    let keys = SigningKeys::new(new_key());
    for _ in 1..MAX_PUBLISHED_KEYS {
        keys.announce(new_key(), NOW).unwrap();
        keys.rotate(NOW).unwrap();
    }
    assert_eq!(keys.announce(new_key(), NOW).unwrap_err().code(), "too-many-keys");
    keys.prune(NOW + DEFAULT_OVERLAP_SECONDS);
    assert!(keys.announce(new_key(), NOW).is_ok());
}

#[test]
fn a_leaked_key_is_withdrawn_at_once() {
    let (minter, keys) = minter(new_key());
    let leaked = keys.signing_key().kid().to_owned();
    let token = mint(&minter);
    assert_eq!(keys.withdraw(&leaked).unwrap_err().code(), "key-in-use");
    keys.announce(new_key(), NOW).unwrap();
    keys.rotate(NOW).unwrap();
    keys.withdraw(&leaked).unwrap();
    assert!(!verifies(&keys.key_ring().load(), &token));
    assert!(!keys.jwks().contains(&leaked));
    assert_eq!(keys.withdraw(&leaked).unwrap_err().code(), "unknown-key");
}

#[test]
fn an_announced_key_can_be_withdrawn() {
    let keys = SigningKeys::new(new_key());
    keys.announce(new_key().with_kid("next").unwrap(), NOW).unwrap();
    keys.withdraw("next").unwrap();
    assert!(!keys.jwks().contains("next"));
    assert_eq!(keys.rotate(NOW).unwrap_err().code(), "nothing-announced");
}

#[test]
fn a_ring_taken_before_the_overlap_was_set_follows_too() {
    let keys = SigningKeys::new(new_key());
    let ring = keys.key_ring();
    let keys = keys.with_overlap(OVERLAP).unwrap();
    keys.announce(new_key(), NOW).unwrap();
    assert_eq!(ring.load().len(), 2);
}

#[test]
fn an_impossible_overlap_is_refused() {
    for seconds in [-1, i64::MAX] {
        let keys = SigningKeys::new(new_key());
        assert_eq!(keys.with_overlap(seconds).unwrap_err().code(), "invalid-overlap");
    }
}

#[test]
fn every_token_minted_while_rotating_verifies() {
    let (minter, keys) = minter(new_key());
    let ring = keys.key_ring();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for step in 1..MAX_PUBLISHED_KEYS {
                keys.announce(new_key(), NOW).unwrap();
                keys.rotate(NOW + step as i64).unwrap();
            }
        });
        scope.spawn(|| {
            for _ in 0..200 {
                let token = mint(&minter);
                assert!(verifies(&ring.load(), &token));
            }
        });
    });
}
