use std::time::{SystemTime, UNIX_EPOCH};

use tollgate_issuer::SigningKey;
use tollgate_tests::traffic_token;

/// How many distinct tokens a benchmark verifies, so that none is tuned to one token.
const TOKENS: usize = 1024;

/// Distinct tokens of one key, in turn.
pub struct Rotation {
    tokens: Vec<String>,
    next: usize,
}

impl Rotation {
    /// Mints the tokens, valid for an hour from now on.
    #[must_use]
    pub fn new(key: &SigningKey) -> Self {
        let now = unix_time();
        Rotation { tokens: (0..TOKENS).map(|index| traffic_token(key, index, now)).collect(), next: 0 }
    }

    /// The next token; starts again after the last.
    pub fn next_token(&mut self) -> &str {
        self.next = (self.next + 1) % TOKENS;
        &self.tokens[self.next]
    }
}

/// Seconds since the Unix epoch.
#[must_use]
pub fn unix_time() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
