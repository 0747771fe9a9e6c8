use std::time::Duration;

use tollgate_keys::KeyReport;

use crate::error::FetchError;

/// How a remote key set fares. Times are seconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Health {
    /// In one word.
    pub status: Status,
    /// How many keys the ring holds now.
    pub keys: usize,
    /// When the provider confirmed these keys last: what their age is counted from. That of a saved set is the time at
    /// which it was confirmed then.
    pub confirmed_at: Option<i64>,
    /// When a fetch of this process succeeded last.
    pub last_success: Option<i64>,
    /// The fetch that failed last. It stays when later ones succeed.
    pub last_failure: Option<Failure>,
    /// How many fetches have failed since the last success.
    pub failures: u32,
    /// When the next refresh is due.
    pub next_refresh: i64,
    /// When the keys have to go, unless they are confirmed before. None: there are none.
    pub grace_ends: Option<i64>,
    /// The keys of the last document that may not be used, and why.
    pub refused: Vec<KeyReport>,
}

/// A fetch that failed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Failure {
    /// When it ended, in seconds since the Unix epoch.
    pub at: i64,
    /// What was fetched.
    pub uri: String,
    /// Why it failed.
    pub error: FetchError,
}

/// How a remote key set fares, in one word.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Status {
    /// There have been no keys yet. Every token is rejected.
    Starting,
    /// The last fetch succeeded.
    Fresh,
    /// The last fetch failed, or the keys are saved ones: what was confirmed last serves until the outage grace ends.
    Stale,
    /// The outage grace has ended. Every token is rejected.
    FailedClosed,
    /// The task has ended: it was [stopped](crate::RemoteKeys::stop), or its runtime is gone. Every token is rejected.
    Stopped,
}

impl Status {
    /// Its stable name, in kebab-case.
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
            last_failure: None,
            failures: 0,
            next_refresh: now,
            grace_ends: None,
            refused: Vec::new(),
        }
    }

    /// Whether there are keys that tokens can be verified with.
    #[must_use]
    pub fn is_serving(&self) -> bool {
        self.keys > 0
    }

    /// How long ago the provider confirmed the keys last. `now`: seconds since the Unix epoch.
    #[must_use]
    pub fn age(&self, now: i64) -> Option<Duration> {
        let seconds = now.saturating_sub(self.confirmed_at?);
        Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
    }
}
