use std::time::Duration;

use fastrand::Rng;

/// Arrival times of requests: independent, with a given number a second on average (a Poisson process).
pub(crate) struct Schedule {
    random: Rng,
    rate: f64,
    next: f64,
}

impl Schedule {
    pub(crate) fn new(rate: f64, seed: u64) -> Self {
        let mut schedule = Schedule { random: Rng::with_seed(seed), rate, next: 0.0 };
        schedule.advance();
        schedule
    }

    /// The arrival of the next request, in seconds from the beginning.
    pub(crate) fn next(&self) -> f64 {
        self.next
    }

    pub(crate) fn advance(&mut self) {
        // 1 - f64() is above zero.
        self.next += -(1.0 - self.random.f64()).ln() / self.rate;
    }
}

/// Seconds as a duration.
pub(crate) fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}
