//! Decides when to fetch, when to use the saved set and when to fail closed, from the time alone.
//!
//! Nothing here waits, reads a clock or does I/O. Times are [`Duration`]s since an origin of the caller's choice, on a
//! clock that never runs backwards. [`RemoteKeys`](crate::RemoteKeys) drives a [`Schedule`] with tokio and HTTP.
//! Programs that fetch keys in another way can drive a schedule too.
//!
//! ```
//! use std::time::Duration;
//! use tollgate_remote::Clocks;
//! use tollgate_remote::schedule::{Cause, Decision, Schedule};
//!
//! let start = Duration::ZERO;
//! let mut schedule = Schedule::new(Clocks::default(), 1, start);
//! assert_eq!(schedule.decide(start), Decision::Fetch(Cause::Refresh));
//!
//! schedule.succeeded(Duration::from_secs(1), Some(Duration::from_secs(300)), 0.5);
//! let Decision::Wait { until: Some(refresh) } = schedule.decide(Duration::from_secs(1)) else { unreachable!() };
//! assert_eq!(refresh, Duration::from_secs(270));
//! ```

use std::time::Duration;

use crate::clocks::Clocks;
use crate::limits::{JITTER, RETRY_FIRST, RETRY_MAX, SAVED_SET_DELAY};
use crate::token_bucket::TokenBucket;

/// The next action.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Start a fetch. [`Schedule::succeeded`] or [`Schedule::failed`] ends it; no other fetch starts before.
    Fetch(Cause),
    /// Publish the saved set; its age counts.
    UseSaved,
    /// The outage grace has ended: publish the empty set.
    FailClosed,
    /// Do nothing until this time or until something happens.
    Wait {
        /// When to decide again. None: a fetch is in progress, and nothing else is due.
        until: Option<Duration>,
    },
}

/// Why a fetch was started.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Cause {
    /// The set is stale, or there is none yet.
    Refresh,
    /// A token named a key that is not in the set.
    UnknownKey,
}

/// The schedule of one remote key set.
#[derive(Clone, Debug)]
pub struct Schedule {
    clocks: Clocks,
    requests: u32,
    budget: TokenBucket,
    next_refresh: Duration,
    /// When the current set must be removed. None: there is no current set.
    grace_ends: Option<Duration>,
    saved: Option<Saved>,
    fetching: Option<Fetching>,
    /// Failed refreshes since the last success.
    failures: u32,
    unknown_keys: bool,
}

/// A saved set that can be used if the provider cannot be reached.
#[derive(Clone, Copy, Debug)]
struct Saved {
    use_at: Duration,
    grace_ends: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Fetching {
    since: Duration,
    cause: Cause,
}

impl Schedule {
    /// Creates a schedule that starts with a fetch at `now`. A refresh makes up to `requests` requests.
    #[must_use]
    pub fn new(clocks: Clocks, requests: u32, now: Duration) -> Self {
        Schedule {
            clocks,
            requests,
            budget: TokenBucket::new(clocks.burst, clocks.cool_down),
            next_refresh: now,
            grace_ends: None,
            saved: None,
            fetching: None,
            failures: 0,
            unknown_keys: false,
        }
    }

    /// Offers a saved set that the provider confirmed `age` ago.
    ///
    /// Within the revocation bound, the set is used at once. Within the outage grace, it is used when the first fetch
    /// has failed or has not ended after [`SAVED_SET_DELAY`]. An older set is never used. Returns whether the set may
    /// be used.
    pub fn offer_saved(&mut self, now: Duration, age: Duration) -> bool {
        let Some(left) = self.clocks.outage_grace.checked_sub(age).filter(|left| !left.is_zero()) else {
            return false;
        };
        let delay = if age <= self.clocks.revocation_bound { Duration::ZERO } else { SAVED_SET_DELAY };
        self.saved = Some(Saved { use_at: now.saturating_add(delay), grace_ends: now.saturating_add(left) });
        true
    }

    /// Decides the action at `now`. Call it again until it says to wait.
    pub fn decide(&mut self, now: Duration) -> Decision {
        if self.grace_ends.take_if(|end| *end <= now).is_some() {
            return Decision::FailClosed;
        }
        if let Some(saved) = self.saved.take_if(|saved| saved.use_at <= now)
            && self.grace_ends.is_none()
            && now < saved.grace_ends
        {
            self.grace_ends = Some(saved.grace_ends);
            return Decision::UseSaved;
        }
        if self.fetching.is_none() {
            if self.next_refresh <= now {
                return self.fetch(now, Cause::Refresh);
            }
            if self.unknown_keys && self.budget.take(now) {
                return self.fetch(now, Cause::UnknownKey);
            }
        }
        Decision::Wait { until: self.next_event() }
    }

    /// Sets whether tokens have named unknown keys since the last fetch was started.
    pub fn unknown_keys(&mut self, any: bool) {
        self.unknown_keys = any;
    }

    /// The fetch returned a good set or confirmed the current one. The provider says that the set is fresh for
    /// `max_age`. `jitter`: a random number from 0 to 1.
    pub fn succeeded(&mut self, now: Duration, max_age: Option<Duration>, jitter: f64) {
        // Keys published after the request was sent may not be in the answer.
        let confirmed = self.fetching.take().map_or(now, |fetching| fetching.since);
        let fresh = self.clocks.fresh_for(max_age, self.requests);
        let ahead = fresh.mul_f64(JITTER * (1.0 - jitter.clamp(0.0, 1.0)));
        self.next_refresh = confirmed.saturating_add(fresh.saturating_sub(ahead)).max(now);
        self.grace_ends = Some(confirmed.saturating_add(self.clocks.outage_grace));
        self.saved = None;
        self.failures = 0;
    }

    /// The fetch failed: the provider could not be reached, or sent no good set. `jitter`: a random number from 0 to 1.
    ///
    /// A failed fetch for an unknown key does not change the next refresh: tokens from strangers cause no more fetches
    /// than the budget allows.
    pub fn failed(&mut self, now: Duration, jitter: f64) {
        let cause = self.fetching.take().map(|fetching| fetching.cause);
        if let Some(saved) = &mut self.saved {
            saved.use_at = saved.use_at.min(now);
        }
        if cause == Some(Cause::UnknownKey) {
            return;
        }
        let wait = RETRY_FIRST.saturating_mul(1 << self.failures.min(16)).min(RETRY_MAX);
        self.failures = self.failures.saturating_add(1);
        self.next_refresh = now.saturating_add(wait.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0));
    }

    /// When the next refresh is due.
    #[must_use]
    pub fn next_refresh(&self) -> Duration {
        self.next_refresh
    }

    /// The earliest time of a fetch for an unknown key.
    #[must_use]
    pub fn next_for_unknown_key(&self) -> Duration {
        self.next_refresh.min(self.budget.next())
    }

    /// When the current set must be removed unless it is confirmed before. None: there is no current set.
    #[must_use]
    pub fn grace_ends(&self) -> Option<Duration> {
        self.grace_ends
    }

    /// Whether a fetch is in progress.
    #[must_use]
    pub fn is_fetching(&self) -> bool {
        self.fetching.is_some()
    }

    fn fetch(&mut self, now: Duration, cause: Cause) -> Decision {
        self.fetching = Some(Fetching { since: now, cause });
        self.unknown_keys = false;
        Decision::Fetch(cause)
    }

    fn next_event(&self) -> Option<Duration> {
        let fetch = match (self.fetching, self.unknown_keys) {
            (Some(_), _) => None,
            (None, true) => Some(self.next_for_unknown_key()),
            (None, false) => Some(self.next_refresh),
        };
        let saved = self.saved.map(|saved| saved.use_at);
        [fetch, saved, self.grace_ends].into_iter().flatten().min()
    }
}
