//! The results of a measurement.

use std::time::Duration;

use hdrhistogram::Histogram;
use tollgate::Engine;

use super::signature::SignatureCheck;
use crate::error::CommandError;

/// The longest time that is distinguished, in nanoseconds, and the precision in digits.
const LONGEST: u64 = 10_000_000_000;
const DIGITS: u8 = 3;

/// The credential of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Credential {
    SeenToken,
    NewToken,
    ApiKey,
}

impl Credential {
    pub(crate) const ALL: [Self; 3] = [Credential::SeenToken, Credential::NewToken, Credential::ApiKey];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Credential::SeenToken => "token seen before",
            Credential::NewToken => "new token",
            Credential::ApiKey => "API key",
        }
    }
}

/// All results of a measurement.
pub(crate) struct Measured {
    pub(crate) samples: Samples,
    pub(crate) layers: Layers,
    /// The length of a token.
    pub(crate) token_bytes: usize,
    /// One SHA-256 of a signing input, in nanoseconds.
    pub(crate) sha256: f64,
    pub(crate) signature_check: Option<SignatureCheck>,
}

/// The times of one thread, or of all threads. Batches timed as a whole alternate with batches timed verify by verify: the
/// former yield the throughput, the latter the latencies.
pub(crate) struct Samples {
    /// By [`Credential`], in nanoseconds.
    latencies: [Histogram<u64>; 3],
    verifies: u64,
    rejected: u64,
    batched: u64,
    batches: Duration,
    /// Verifies per second, the sum over threads.
    throughput: f64,
}

impl Samples {
    pub(crate) fn new() -> Result<Self, CommandError> {
        let histogram = || {
            Histogram::new_with_bounds(1, LONGEST, DIGITS)
                .map_err(|_| CommandError::Bench("no histogram can be made on this machine"))
        };
        Ok(Samples {
            latencies: [histogram()?, histogram()?, histogram()?],
            verifies: 0,
            rejected: 0,
            batched: 0,
            batches: Duration::ZERO,
            throughput: 0.0,
        })
    }

    pub(crate) fn count_batch(&mut self, time: Duration, verifies: usize, accepted: usize) {
        self.batches += time;
        self.batched += verifies as u64;
        self.verifies += verifies as u64;
        self.rejected += (verifies - accepted) as u64;
        self.throughput = self.batched as f64 / self.batches.as_secs_f64().max(1e-9);
    }

    pub(crate) fn count_one(&mut self, credential: Credential, time: Duration, is_accepted: bool) {
        self.latencies[credential as usize].saturating_record(time.as_nanos() as u64);
        self.verifies += 1;
        self.rejected += u64::from(!is_accepted);
    }

    /// Adds the samples of another thread.
    pub(crate) fn add(&mut self, other: Samples) {
        for (sum, latencies) in self.latencies.iter_mut().zip(&other.latencies) {
            // Both have the same bounds.
            let _ = sum.add(latencies);
        }
        self.verifies += other.verifies;
        self.rejected += other.rejected;
        self.batched += other.batched;
        self.batches += other.batches;
        self.throughput += other.throughput;
    }

    pub(crate) fn verifies(&self) -> u64 {
        self.verifies
    }

    pub(crate) fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Verifies per second of all threads together, while they verify.
    pub(crate) fn throughput(&self) -> f64 {
        self.throughput
    }

    /// The mean time of a verify on its thread, in nanoseconds.
    pub(crate) fn nanoseconds_per_verify(&self) -> f64 {
        self.batches.as_nanos() as f64 / self.batched.max(1) as f64
    }

    pub(crate) fn latencies(&self, credential: Credential) -> &Histogram<u64> {
        &self.latencies[credential as usize]
    }

    /// For each kind of credential that was presented, its share of the verifies and its share of their time, 0 to 1.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (Credential, [f64; 2])> {
        let count = |credential| self.latencies(credential).len() as f64;
        let time = move |credential| self.latencies(credential).mean() * count(credential);
        let sum = |part: &dyn Fn(Credential) -> f64| Credential::ALL.into_iter().map(part).sum::<f64>().max(1.0);
        let (verifies, spent) = (sum(&count), sum(&time));
        let presented = Credential::ALL.into_iter().filter(move |credential| count(*credential) > 0.0);
        presented.map(move |credential| (credential, [count(credential) / verifies, time(credential) / spent]))
    }

    /// The latencies of all credentials.
    pub(crate) fn all_latencies(&self) -> Histogram<u64> {
        let mut all = self.latencies[0].clone();
        for latencies in &self.latencies[1..] {
            let _ = all.add(latencies);
        }
        all
    }
}

/// Where the tokens were found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Layers {
    /// In the thread's own table, in the shared table, in neither.
    pub(crate) found: [u64; 3],
    pub(crate) evictions: u64,
    /// The memory of the shared cache, in bytes.
    pub(crate) bytes: usize,
}

impl Layers {
    pub(crate) fn of(engine: &Engine) -> Self {
        let statistics = engine.cache_statistics().unwrap_or_default();
        Layers {
            found: [statistics.front_hits, statistics.back_hits, statistics.misses],
            evictions: statistics.evictions,
            bytes: statistics.bytes,
        }
    }

    pub(crate) fn since(mut self, before: &Layers) -> Layers {
        for (count, earlier) in self.found.iter_mut().zip(before.found) {
            *count -= earlier;
        }
        self.evictions -= before.evictions;
        self
    }

    /// The counts as shares of all tokens, 0 to 1; all 0 without a cache.
    pub(crate) fn shares(&self) -> [f64; 3] {
        let all = self.found.iter().sum::<u64>();
        self.found.map(|count| if all == 0 { 0.0 } else { count as f64 / all as f64 })
    }
}
