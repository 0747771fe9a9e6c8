use crate::limits::RATE_LIMIT_SLOTS;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Lets each key make `burst` attempts in one go and then one each `period`.
///
/// The generic cell rate algorithm over a fixed table of slots chosen by a keyed hash: memory is
/// constant, and no flood of keys evicts another's count. Keys that share a slot share its attempts.
pub(crate) struct RateLimiter {
    /// Milliseconds after `start` at which the slot is back to its full burst.
    slots: Box<[AtomicU64]>,
    hasher: RandomState,
    start: Instant,
    period: u64,
    burst: u64,
}

/// How long until the next attempt is let through, rounded up to seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct RetryAfter {
    pub(crate) seconds: u64,
}

impl RateLimiter {
    pub(crate) fn new(burst: u32, period: Duration) -> Self {
        Self {
            slots: (0..RATE_LIMIT_SLOTS).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
            start: Instant::now(),
            period: u64::try_from(period.as_millis()).unwrap_or(u64::MAX),
            burst: u64::from(burst),
        }
    }

    /// Counts one attempt for `key`, or says when to come back; a refused attempt is not counted.
    pub(crate) fn attempt(&self, key: &impl Hash) -> Result<(), RetryAfter> {
        self.attempt_at(key, self.start.elapsed())
    }

    /// Gives `key` all its attempts back.
    pub(crate) fn reset(&self, key: &impl Hash) {
        self.slot(key).store(0, Ordering::Relaxed);
    }

    fn attempt_at(&self, key: &impl Hash, now: Duration) -> Result<(), RetryAfter> {
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let window = self.period.saturating_mul(self.burst);
        let next = |full_at: u64| full_at.max(now).saturating_add(self.period);
        let counted = self.slot(key).fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
            Some(next(full_at)).filter(|next| *next <= now.saturating_add(window))
        });
        match counted {
            Ok(_) => Ok(()),
            Err(full_at) => {
                let wait = next(full_at).saturating_sub(now.saturating_add(window));
                Err(RetryAfter { seconds: wait.div_ceil(1_000) })
            }
        }
    }

    fn slot(&self, key: &impl Hash) -> &AtomicU64 {
        let hash = self.hasher.hash_one(key) as usize;
        &self.slots[hash % self.slots.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_one_each_period() {
        let limiter = RateLimiter::new(3, Duration::from_secs(10));
        let at = |seconds| limiter.attempt_at(&"ada", Duration::from_secs(seconds));
        assert_eq!([at(5), at(5), at(5)], [Ok(()); 3]);
        assert_eq!(at(6), Err(RetryAfter { seconds: 9 }));
        assert_eq!(at(15), Ok(()));
        assert_eq!(at(15), Err(RetryAfter { seconds: 10 }));
        assert_eq!([at(1_000), at(1_000), at(1_000)], [Ok(()); 3], "the burst comes back");
    }

    #[test]
    fn a_reset_gives_the_burst_back() {
        let limiter = RateLimiter::new(1, Duration::from_secs(10));
        assert!(limiter.attempt(&"ada").is_ok());
        assert!(limiter.attempt(&"ada").is_err());
        limiter.reset(&"ada");
        assert!(limiter.attempt(&"ada").is_ok());
    }
}
