//! A proof of possession meets itself, and the eviction of proofs that were used.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tollgate::{ReplayMemory, ReplayStore, SpentProof};
use tollgate_tests::NOW;

use crate::explore::{explore, thread};

/// The shared state of the threads of one run: a memory of one set, and how often the one proof was accepted.
struct World {
    memory: ReplayMemory,
    accepted: AtomicUsize,
}

impl World {
    fn new() -> Self {
        World { memory: ReplayMemory::new(0, i64::MIN), accepted: AtomicUsize::new(0) }
    }

    fn spend(&self) {
        if self.memory.spend(&proof(1, 1, NOW)).is_ok() {
            self.accepted.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Spends `count` other proofs of the key, as old as the one or newer.
    fn flood(&self, key: u64, count: u64) {
        for id in 0..count {
            let _ = self.memory.spend(&proof(key, 100 * key + id, NOW + (id % 2) as i64));
        }
    }
}

fn proof(key: u64, id: u64, issued_at: i64) -> SpentProof {
    SpentProof::new(u128::from(id).to_le_bytes(), key, issued_at, issued_at + 60, NOW)
}

fn explore_spending(name: &str, others: &'static [fn(&World)]) {
    explore(name, move || {
        let world = Arc::new(World::new());
        let threads: Vec<_> = others
            .iter()
            .map(|other| {
                let world = world.clone();
                thread(move || other(&world))
            })
            .collect();
        world.spend();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        world.spend();
        assert!(world.accepted.load(Ordering::Relaxed) <= 1, "accepted twice");
    });
}

#[test]
fn a51_a_proof_meets_itself() {
    explore_spending("a proof, the same proof", &[|world| world.spend()]);
    explore_spending("a proof, the same proof twice", &[World::spend, World::spend]);
}

#[test]
fn a51_a_proof_meets_its_eviction() {
    explore_spending("a proof, a flood of its key", &[|world| world.flood(1, 17)]);
    explore_spending("a proof, a flood of another key", &[|world| world.flood(2, 17)]);
    explore_spending("a proof, the same proof, a flood", &[World::spend, |world| world.flood(1, 17)]);
}
