use std::time::Duration;

use tollgate_keys::KeyReport;

use crate::error::FetchError;

/// The state of a remote key set. Times are seconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Health {
    /// The state in one word.
    pub status: Status,
    /// The number of keys in the ring.
    pub keys: usize,
    /// When the provider last confirmed these keys; their age is counted from then. For a saved set, the time of its
    /// confirmation.
    pub confirmed_at: Option<i64>,
    /// When a fetch of this process last succeeded.
    pub last_success: Option<i64>,
    /// The provider's clock minus this host's, in seconds, as of the last successful fetch; `None` if the answer had no
    /// `Date`. Accurate to the duration of the fetch and a second.
    pub clock_difference: Option<i64>,
    /// The last failed fetch. Kept after later successes.
    pub last_failure: Option<Failure>,
    /// The number of failed fetches since the last success.
    pub failures: u32,
    /// When the next refresh is due.
    pub next_refresh: i64,
    /// When the keys are removed unless they are confirmed before. None: there are no keys.
    pub grace_ends: Option<i64>,
    /// The refused keys of the last document, with the reasons.
    pub refused: Vec<KeyReport>,
}

/// A fetch that failed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Failure {
    /// When the fetch ended, in seconds since the Unix epoch.
    pub at: i64,
    /// The URI.
    pub uri: String,
    /// Why it failed.
    pub error: FetchError,
}

/// The state of a remote key set in one word.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Status {
    /// There have been no keys yet. Every token is rejected.
    Starting,
    /// The last fetch succeeded.
    Fresh,
    /// The last fetch failed, or the keys are saved ones. The last confirmed keys are used until the outage grace ends.
    Stale,
    /// The outage grace has ended. Every token is rejected.
    FailedClosed,
    /// The task has ended: it was [stopped](crate::RemoteKeys::stop), or its runtime is gone. Every token is rejected.
    Stopped,
}

impl Status {
    /// The stable name, in kebab-case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Starting => "starting",
            Status::Fresh => "fresh",
            Status::Stale => "stale",
            Status::FailedClosed => "failed-closed",
            Status::Stopped => "stopped",
        }
    }
}

impl Health {
    pub(crate) fn starting(now: i64) -> Self {
        Health {
            status: Status::Starting,
            keys: 0,
            confirmed_at: None,
            last_success: None,
            clock_difference: None,
            last_failure: None,
            failures: 0,
            next_refresh: now,
            grace_ends: None,
            refused: Vec::new(),
        }
    }

    /// Whether there are keys to verify tokens with.
    #[must_use]
    pub fn is_serving(&self) -> bool {
        self.keys > 0
    }

    /// The time since the provider last confirmed the keys. `now`: seconds since the Unix epoch.
    #[must_use]
    pub fn age(&self, now: i64) -> Option<Duration> {
        let seconds = now.saturating_sub(self.confirmed_at?);
        Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
    }
}
