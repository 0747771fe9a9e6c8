use super::ended::{end_of, forget_at};
use crate::limits::{MAX_TOMBSTONES, REVOCATION_KEPT_SECONDS};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use tollgate::{ApiKeyTable, KeyRecord, Revocations};

/// Frees the memory of ended records in a [`Follower`](crate::Follower)'s tables.
///
/// Use it on another thread than the follower, so that no change waits for a sweep of the table. No verify waits for a sweep
/// either. Ended records are always rejected. For a while a record is kept as a tombstone, so that the rejection has a
/// reason.
#[derive(Clone, Debug)]
pub struct Reclaimer {
    table: Arc<ApiKeyTable<KeyRecord>>,
    revocations: Revocations,
    max_tombstones: Arc<AtomicUsize>,
    /// No record in the table ends, and no tombstone is due, before this time.
    first_due: Arc<AtomicI64>,
    /// The approximate number of tombstones in the table: those after the last sweep, and those added since.
    tombstones: Arc<AtomicUsize>,
}

impl Reclaimer {
    pub(super) fn new(table: Arc<ApiKeyTable<KeyRecord>>, revocations: Revocations) -> Self {
        let (first_due, tombstones) = (Arc::new(AtomicI64::new(i64::MAX)), Arc::default());
        let max_tombstones = Arc::new(AtomicUsize::new(MAX_TOMBSTONES));
        Self { table, revocations, max_tombstones, first_due, tombstones }
    }

    /// Frees at `now`, in seconds since the Unix epoch: tombstones after
    /// [`TOMBSTONE_SECONDS`](crate::limits::TOMBSTONE_SECONDS), the oldest earlier if there are more than
    /// [`Follower::max_tombstones`](crate::Follower::max_tombstones), and revocations [`REVOCATION_KEPT_SECONDS`] after
    /// their end. Returns the number of freed records and revocations. Reads the whole table if any record is due.
    #[expect(clippy::must_use_candidate, reason = "how many there were is of no consequence")]
    pub fn reclaim(&self, now: i64) -> usize {
        let revocations = self.revocations.forget_expired(now.saturating_sub(REVOCATION_KEPT_SECONDS));
        if self.first_due.load(Ordering::Acquire) > now {
            return revocations;
        }
        // Records announced so far are in the table by now, and are found below; later ones are announced again.
        self.first_due.store(i64::MAX, Ordering::Release);
        self.tombstones.store(0, Ordering::Release);
        let (mut first_due, mut ends) = (i64::MAX, Vec::new());
        let forgotten = self.table.retain(|entry| {
            let end = end_of(entry.record());
            let (is_tombstone, forget_at) = (end <= now, forget_at(end));
            let keep = forget_at > now;
            if keep && is_tombstone {
                ends.push(end);
            }
            if keep {
                first_due = first_due.min(if is_tombstone { forget_at } else { end });
            }
            keep
        });
        let surplus = ends.len().saturating_sub(self.max_tombstones.load(Ordering::Relaxed));
        let kept = ends.len() - surplus;
        let forgotten = forgotten + if surplus > 0 { self.forget_oldest(ends, surplus) } else { 0 };
        self.tombstones.fetch_add(kept, Ordering::AcqRel);
        self.announce(first_due);
        forgotten + revocations
    }

    /// Frees that many of the tombstones with these ends, at least one, those that ended first.
    fn forget_oldest(&self, mut ends: Vec<i64>, surplus: usize) -> usize {
        let (_, last, _) = ends.select_nth_unstable(surplus - 1);
        let last = *last;
        let mut of_last = surplus - ends.iter().filter(|end| **end < last).count();
        self.table.retain(|entry| {
            let end = end_of(entry.record());
            let is_forgotten = end < last || (end == last && of_last > 0);
            of_last -= usize::from(end == last && is_forgotten);
            !is_forgotten
        })
    }

    pub(super) fn set_max_tombstones(&self, max: usize) {
        self.max_tombstones.store(max, Ordering::Relaxed);
    }

    /// Whether there is room for another tombstone, which is then counted.
    pub(super) fn admits_tombstone(&self) -> bool {
        self.tombstones.fetch_add(1, Ordering::AcqRel) < self.max_tombstones.load(Ordering::Relaxed)
    }

    /// Called when a new snapshot is loaded.
    pub(super) fn forget_tombstones(&self) {
        self.tombstones.store(0, Ordering::Release);
    }

    /// Announces the end of a record, after the record is in the table.
    pub(super) fn announce(&self, end: i64) {
        if end < self.first_due.load(Ordering::Acquire) {
            self.first_due.fetch_min(end, Ordering::AcqRel);
        }
    }
}
