//! Key sets that are replaced while they are read.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use tollgate_keys::{Algorithm, HmacKey, KeyRefresher, KeyRing, KeySet, Refreshed, VerifyingKey};

#[test]
fn clones_are_the_same_ring() {
    let ring = KeyRing::from(KeySet::default());
    let clone = ring.clone();
    ring.replace(set(3));
    assert_eq!(clone.load().len(), 3);
    assert_eq!(clone.generation(), ring.generation());
}

#[test]
fn loaded_set_stays_as_it_was() {
    let ring = KeyRing::new(set(1));
    let before = ring.load();
    ring.replace(set(2));
    assert_eq!((before.len(), before.generation()), (1, 0));
    assert_eq!((ring.load().len(), ring.load().generation()), (2, 1));
}

#[test]
fn removed_key_is_gone_when_replace_returns() {
    let ring = KeyRing::new(set(1));
    let key = ring.load().iter().next().unwrap().clone();
    ring.replace(KeySet::default());
    assert!(!ring.load().contains(&key));
}

#[test]
fn readers_see_whole_sets_in_the_order_of_their_generations() {
    const SWAPS: usize = 2_000;
    let ring = KeyRing::new(set(0));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut newest = 0;
                while !done.load(Ordering::Relaxed) {
                    let stamp = ring.generation();
                    let published = ring.load();
                    // The set of generation n has n modulo 4 keys.
                    assert_eq!(published.len() as u64, published.generation() % 4);
                    assert!(published.generation() >= stamp && published.generation() >= newest);
                    newest = published.generation();
                }
            });
        }
        for swap in 1..=SWAPS {
            ring.replace(set(swap % 4));
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(ring.generation(), SWAPS as u64);
}

#[test]
fn generations_of_concurrent_writers_are_all_counted() {
    let ring = KeyRing::new(KeySet::default());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..500).for_each(|_| ring.replace(KeySet::default())));
        }
    });
    assert_eq!((ring.generation(), ring.load().generation()), (2_000, 2_000));
}

#[test]
fn unknown_key_is_reported_to_the_refresher_of_all_clones() {
    KeyRing::new(KeySet::default()).report_unknown_key(Some("nobody listens"));
    let hints = Arc::new(Hints::default());
    let ring = KeyRing::with_refresher(KeySet::default(), hints.clone());
    ring.clone().report_unknown_key(Some("k1"));
    ring.report_unknown_key(None);
    assert_eq!(*hints.0.lock().unwrap(), [Some("k1".to_owned()), None]);
}

#[test]
fn ring_of_a_set_is_static_and_every_other_one_is_not() {
    assert!(KeyRing::from(set(1)).is_static());
    assert!(KeyRing::from(KeySet::default()).clone().is_static());
    assert!(!KeyRing::new(KeySet::default()).is_static());
    assert!(!KeyRing::with_refresher(KeySet::default(), Arc::new(Hints::default())).is_static());
}

#[derive(Default)]
struct Hints(Mutex<Vec<Option<String>>>);

impl KeyRefresher for Hints {
    fn unknown_key(&self, kid: Option<&str>) {
        self.0.lock().unwrap().push(kid.map(str::to_owned));
    }

    fn refreshed<'r>(&'r self, _: Option<&'r str>) -> Option<Refreshed<'r>> {
        None
    }
}

fn set(keys: usize) -> KeySet {
    let key = |index: usize| {
        let key = HmacKey::new(Algorithm::HS256, &[index as u8 + 1; 32]).unwrap();
        VerifyingKey::hmac(key, Some(&index.to_string())).unwrap()
    };
    (0..keys).fold(KeySet::builder(), |builder, index| builder.key(key(index))).build_with_reports().set
}
