use std::time::Duration;

/// A budget: one token per `interval`, up to `capacity` of them saved up.
///
/// Stores the time when the bucket will be full instead of a number of tokens, so that nothing is rounded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenBucket {
    interval: Duration,
    /// The time in which all tokens but one are added.
    slack: Duration,
    full_at: Duration,
}

impl TokenBucket {
    /// Creates a full bucket.
    pub(crate) fn new(capacity: u32, interval: Duration) -> Self {
        let slack = interval.saturating_mul(capacity.saturating_sub(1));
        TokenBucket { interval, slack, full_at: Duration::ZERO }
    }

    /// Takes a token, if available.
    pub(crate) fn take(&mut self, now: Duration) -> bool {
        let has_token = self.next() <= now;
        if has_token {
            self.full_at = self.full_at.max(now).saturating_add(self.interval);
        }
        has_token
    }

    /// The time from which a token is available.
    pub(crate) fn next(&self) -> Duration {
        self.full_at.saturating_sub(self.slack)
    }
}
