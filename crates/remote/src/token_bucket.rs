use std::time::Duration;

/// A budget: one token an `interval`, of which up to `capacity` are saved up.
///
/// It keeps the time at which it would be full instead of a number of tokens, so that nothing is rounded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenBucket {
    interval: Duration,
    /// The time that all tokens but one take to come.
    slack: Duration,
    full_at: Duration,
}

impl TokenBucket {
    /// A full one.
    pub(crate) fn new(capacity: u32, interval: Duration) -> Self {
        let slack = interval.saturating_mul(capacity.saturating_sub(1));
        TokenBucket { interval, slack, full_at: Duration::ZERO }
    }

    /// Takes a token, if there is one.
    pub(crate) fn take(&mut self, now: Duration) -> bool {
        let has_token = self.next() <= now;
        if has_token {
            self.full_at = self.full_at.max(now).saturating_add(self.interval);
        }
        has_token
    }

    /// From when on there is a token.
    pub(crate) fn next(&self) -> Duration {
        self.full_at.saturating_sub(self.slack)
    }
}
