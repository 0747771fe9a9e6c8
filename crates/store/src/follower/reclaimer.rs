use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tollgate::{ApiKeyTable, KeyRecord, Revocations};

/// Frees the memory of what has expired in a [`Follower`](crate::Follower)'s tables.
///
/// It may be used on another thread while the follower works, so that no change waits for a sweep of the table. Neither
/// does a verify. What has expired is rejected in any case.
#[derive(Clone, Debug)]
pub struct Reclaimer {
    table: Arc<ApiKeyTable<KeyRecord>>,
    revocations: Revocations,
    /// No record in the table expires before.
    first_expiry: Arc<AtomicI64>,
}

impl Reclaimer {
    pub(super) fn new(table: Arc<ApiKeyTable<KeyRecord>>, revocations: Revocations) -> Self {
        Self { table, revocations, first_expiry: Arc::new(AtomicI64::new(i64::MAX)) }
    }

    /// Frees what has expired by `now`, in seconds since the Unix epoch. Returns how many records and revocations that were.
    /// Reads the whole table, if anything in it has expired at all.
    #[expect(clippy::must_use_candidate, reason = "how many there were is of no consequence")]
    pub fn reclaim(&self, now: i64) -> usize {
        let revocations = self.revocations.forget_expired(now);
        if self.first_expiry.load(Ordering::Acquire) > now {
            return revocations;
        }
        // Whatever was announced until here is in the table by now, and met below; what comes later announces itself anew.
        self.first_expiry.store(i64::MAX, Ordering::Release);
        let mut first_expiry = i64::MAX;
        let records = self.table.retain(|entry| {
            let expires_at = expiry(entry.record());
            let keep = expires_at > now;
            if keep {
                first_expiry = first_expiry.min(expires_at);
            }
            keep
        });
        self.announce(first_expiry);
        records + revocations
    }

    /// To be told when a record that is in the table expires; only after it is there.
    pub(super) fn announce(&self, expires_at: i64) {
        if expires_at < self.first_expiry.load(Ordering::Acquire) {
            self.first_expiry.fetch_min(expires_at, Ordering::AcqRel);
        }
    }
}

/// When a record expires; beyond every time if never.
pub(super) fn expiry(record: &KeyRecord) -> i64 {
    record.expires_at().unwrap_or(i64::MAX)
}
