use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The counters of an engine's cache.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct CacheStatistics {
    /// Tokens found in the thread's own table.
    pub front_hits: u64,
    /// Tokens found in the table that all threads share.
    pub back_hits: u64,
    /// Tokens that were not found, and were fully verified.
    pub misses: u64,
    /// Tokens evicted from the shared table to make room.
    pub evictions: u64,
    /// The memory of the shared table and of the tokens in it, in bytes.
    pub bytes: usize,
}

/// Each thread has counters of its own; a reader adds them up.
#[derive(Default)]
pub(super) struct Statistics {
    threads: Mutex<Threads>,
}

#[derive(Default)]
struct Threads {
    running: Vec<Arc<ThreadStatistics>>,
    /// The sum of the threads that have ended.
    ended: CacheStatistics,
}

/// One thread's counters, alone on their cache lines.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct ThreadStatistics {
    front_hits: AtomicU64,
    back_hits: AtomicU64,
    misses: AtomicU64,
}

impl Statistics {
    pub(super) fn of_this_thread(&self) -> Arc<ThreadStatistics> {
        let counters = Arc::<ThreadStatistics>::default();
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.collect_ended();
        threads.running.push(counters.clone());
        counters
    }

    pub(super) fn sum(&self, evictions: u64, bytes: usize) -> CacheStatistics {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = threads.running.iter().fold(threads.ended, |sum, thread| thread.add_to(sum));
        CacheStatistics { evictions, bytes, ..sum }
    }
}

impl Threads {
    /// Adds up the counters of ended threads, so that each leaves nothing behind but its part of the sum.
    fn collect_ended(&mut self) {
        let ended = &mut self.ended;
        self.running.retain(|thread| {
            let is_running = Arc::strong_count(thread) > 1;
            if !is_running {
                *ended = thread.add_to(*ended);
            }
            is_running
        });
    }
}

impl ThreadStatistics {
    pub(super) fn count_front_hit(&self) {
        count(&self.front_hits);
    }

    pub(super) fn count_back_hit(&self) {
        count(&self.back_hits);
    }

    pub(super) fn count_miss(&self) {
        count(&self.misses);
    }

    fn add_to(&self, sum: CacheStatistics) -> CacheStatistics {
        CacheStatistics {
            front_hits: sum.front_hits + self.front_hits.load(Ordering::Relaxed),
            back_hits: sum.back_hits + self.back_hits.load(Ordering::Relaxed),
            misses: sum.misses + self.misses.load(Ordering::Relaxed),
            ..sum
        }
    }
}

/// Only one thread writes, so no read-modify-write is needed.
fn count(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}
