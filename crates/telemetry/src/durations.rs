//! Durations of verifies: a histogram per thread.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::limits::VERIFICATION_BUCKETS;

/// One bucket for each bound, and one for longer durations.
const BUCKETS: usize = VERIFICATION_BUCKETS.len() + 1;

/// The histograms of one thread: of cache misses, and of cache hits.
pub(crate) struct Durations([[AtomicU64; BUCKETS]; 2]);

/// Sums of several threads.
pub(crate) type DurationSums = [[u64; BUCKETS]; 2];

impl Default for Durations {
    fn default() -> Self {
        Durations(std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0))))
    }
}

impl Durations {
    #[inline]
    pub(crate) fn record(&self, is_cache_hit: bool, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let bucket = VERIFICATION_BUCKETS.iter().position(|bound| seconds <= *bound).unwrap_or(BUCKETS - 1);
        let counter = &self.0[usize::from(is_cache_hit)][bucket];
        // Only one thread writes, so no read-modify-write is needed.
        counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    pub(crate) fn add_to(&self, sums: &mut DurationSums) {
        for (sums, counters) in sums.iter_mut().zip(&self.0) {
            for (sum, counter) in sums.iter_mut().zip(counters) {
                *sum += counter.load(Ordering::Relaxed);
            }
        }
    }
}

/// The representative duration of a bucket: its upper bound, and for the last bucket twice the highest bound.
pub(crate) fn representative(bucket: usize) -> f64 {
    VERIFICATION_BUCKETS.get(bucket).copied().unwrap_or(2.0 * VERIFICATION_BUCKETS[BUCKETS - 2])
}
