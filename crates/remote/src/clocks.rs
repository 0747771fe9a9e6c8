use std::time::Duration;

use crate::error::ConfigurationError;
use crate::limits;

/// The clocks of one remote key set.
///
/// | clock | meaning | at its end |
/// |---|---|---|
/// | **freshness** | how long a set is not fetched again | the set is fetched in the background |
/// | **revocation bound** | how long a removed key may stay accepted while the provider answers | the key is gone |
/// | **outage grace** | how long the last good set is used while the provider is unreachable | the issuer fails closed |
///
/// The provider sets the freshness (`Cache-Control: max-age`), within [`min_freshness`](Self::min_freshness) and the
/// revocation bound; you set the other two. While a provider cannot be reached, its revocations are unknown: in an
/// outage a removed key stays accepted until the grace ends. An answer without a usable key set is an outage too.
///
/// The clocks use the monotonic clock, which on some systems stops while the machine sleeps.
///
/// ```
/// use std::time::Duration;
/// use tollgate_remote::Clocks;
///
/// let clocks = Clocks { outage_grace: Duration::from_secs(3600), ..Clocks::default() };
/// assert!(clocks.freshness < clocks.revocation_bound && clocks.revocation_bound < clocks.outage_grace);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Clocks {
    /// How long a set is fresh if the provider does not say. The set is refreshed at a random moment in the last fifth
    /// of this time.
    pub freshness: Duration,
    /// The shortest time for which a set is fresh, whatever the provider says.
    pub min_freshness: Duration,
    /// A key that the provider no longer publishes is gone within this time, if the provider answers. Also the longest
    /// `max-age` that is honoured, minus the time that a refresh may take.
    pub revocation_bound: Duration,
    /// The last good set is used for this long after the provider last confirmed it. Then the ring is emptied, and
    /// every token of the issuer is rejected until the provider answers again.
    pub outage_grace: Duration,
    /// Unknown key ids cause one fetch per this time, whatever their number and the result of the fetch.
    pub cool_down: Duration,
    /// How many cool-downs may be saved up: after a quiet time, this many fetches for unknown key ids may follow each
    /// other closely. At most [`limits::MAX_BURST`].
    pub burst: u32,
    /// The time limit of one request, from connecting to the last byte. A refresh makes one request for each URI that
    /// it tries, and one for the metadata.
    pub request_timeout: Duration,
}

impl Default for Clocks {
    fn default() -> Self {
        Clocks {
            freshness: limits::DEFAULT_FRESHNESS,
            min_freshness: limits::DEFAULT_MIN_FRESHNESS,
            revocation_bound: limits::DEFAULT_REVOCATION_BOUND,
            outage_grace: limits::DEFAULT_OUTAGE_GRACE,
            cool_down: limits::DEFAULT_COOL_DOWN,
            burst: limits::DEFAULT_BURST,
            request_timeout: limits::DEFAULT_REQUEST_TIMEOUT,
        }
    }
}

impl Clocks {
    /// Checks that the clocks are consistent when a refresh makes up to `requests` requests.
    ///
    /// # Errors
    /// [`ConfigurationError::Clocks`] describes the contradiction.
    pub fn check(&self, requests: u32) -> Result<(), ConfigurationError> {
        let zero =
            [self.min_freshness, self.cool_down, self.request_timeout].into_iter().any(|duration| duration.is_zero());
        let contradiction = if zero {
            "the least freshness, the cool-down and the timeout must not be zero"
        } else if self.burst == 0 || self.burst > limits::MAX_BURST {
            "the burst must be from 1 to 16"
        } else if self.freshness < self.min_freshness {
            "the freshness must not be shorter than the least freshness"
        } else if self.freshness > self.revocation_bound {
            "the freshness must not be longer than the revocation bound"
        } else if self.longest_fresh(requests).is_none_or(|longest| longest < self.min_freshness) {
            "the revocation bound must leave time for a refresh after the least freshness"
        } else if self.outage_grace < self.revocation_bound {
            "the outage grace must not be shorter than the revocation bound"
        } else {
            return Ok(());
        };
        Err(ConfigurationError::Clocks { contradiction })
    }

    /// The longest time for which a set may be fresh so that the next refresh ends within the revocation bound.
    fn longest_fresh(&self, requests: u32) -> Option<Duration> {
        self.revocation_bound.checked_sub(self.longest_refresh(requests))
    }

    fn longest_refresh(&self, requests: u32) -> Duration {
        self.request_timeout.saturating_mul(requests)
    }

    /// How long a set is fresh if the provider sends `max_age`.
    pub(crate) fn fresh_for(&self, max_age: Option<Duration>, requests: u32) -> Duration {
        let longest = self.longest_fresh(requests).unwrap_or_default();
        max_age.unwrap_or(self.freshness).max(self.min_freshness).min(longest)
    }
}
