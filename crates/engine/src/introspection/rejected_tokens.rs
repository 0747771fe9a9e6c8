use std::sync::PoisonError;

use super::TokenDigest;
use crate::clock::Now;
use crate::limits::REJECTED_ANSWER_AGE;
use crate::rejection::Rejection;
use crate::sync::Mutex;

/// The tokens that their issuer called inactive, or that are not for this server, for [`REJECTED_ANSWER_AGE`] seconds:
/// a table of fixed size. If two tokens have one slot, the later one stays, and the issuer is asked about the other
/// again.
pub(super) struct RejectedTokens(Box<[Mutex<Option<RejectedToken>>]>);

struct RejectedToken {
    digest: TokenDigest,
    /// In seconds since the Unix epoch.
    asked_at: i64,
    rejection: Rejection,
}

impl RejectedTokens {
    pub(super) fn new(slots: usize) -> Self {
        RejectedTokens((0..slots).map(|_| Mutex::new(None)).collect())
    }

    pub(super) fn remember(&self, digest: TokenDigest, asked_at: i64, rejection: &Rejection) {
        let token = RejectedToken { digest, asked_at, rejection: rejection.clone() };
        // The previous entry is dropped after the lock is released.
        let _before = self.slot(&digest).lock().unwrap_or_else(PoisonError::into_inner).replace(token);
    }

    pub(super) fn find(&self, digest: &TokenDigest, now: Now) -> Option<Rejection> {
        let slot = self.slot(digest).lock().unwrap_or_else(PoisonError::into_inner);
        let token = slot.as_ref().filter(|token| token.digest == *digest)?;
        let is_young =
            now.earliest >= token.asked_at && now.latest < token.asked_at.saturating_add(REJECTED_ANSWER_AGE);
        is_young.then(|| token.rejection.clone())
    }

    fn slot(&self, digest: &TokenDigest) -> &Mutex<Option<RejectedToken>> {
        let [first, second, ..] = *digest.as_bytes();
        &self.0[usize::from(u16::from_le_bytes([first, second])) % self.0.len()]
    }
}

impl std::fmt::Debug for RejectedTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RejectedTokens")
    }
}
