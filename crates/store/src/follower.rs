//! Keeping a table of keys and a table of revocations in step with a log.

mod ended;
mod progress;
mod reclaimer;
mod thread;

pub use progress::{Lag, Progress};
pub use reclaimer::Reclaimer;
pub use thread::FollowerThread;

use crate::change_log::{Change, ChangeLog, Since};
use crate::clock;
use crate::key::StoredKey;
use crate::limits::{CHANGES_PER_READ, KEYS_PER_REPORT, RECLAIM_INTERVAL};
use crate::revocation::revocation;
use ended::{end_of, entry};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tollgate::apikeys::KeyDigest;
use tollgate::{ApiKeyTable, KeyRecord, Revocation, Revocations};

/// Applies what a [`ChangeLog`] says to the tables that engines read.
///
/// It begins with a snapshot, goes on with the changes after it, and begins again where the log no longer reaches back to
/// where it is. To apply anything twice changes nothing. When a change has been applied, no verify that starts later
/// accepts what it removed, disabled or revoked.
///
/// Table and revocations are the follower's own: what others put into them is lost when it begins again. It has no thread:
/// call [`catch_up`](Self::catch_up) and [`wait`](Self::wait) from one of yours, or [`spawn`](Self::spawn) it.
///
/// While it is in step with the log the revocations are [fresh](Revocations::are_fresh): [`max_staleness`](Self::max_staleness)
/// says for how long afterwards. When it is dropped they are stale.
///
/// A disabled key stays in the table, so that a rejection can say why. A revoked or expired one stays for
/// [`TOMBSTONE_SECONDS`](crate::limits::TOMBSTONE_SECONDS), and after a [sweep](Reclaimer::reclaim) no more of them than
/// [`max_tombstones`](Self::max_tombstones). A removed one does not.
#[derive(Debug)]
pub struct Follower<L> {
    log: Arc<L>,
    table: Arc<ApiKeyTable<KeyRecord>>,
    revocations: Revocations,
    progress: Arc<Progress>,
    /// Up to which change both tables are; `None` before the first snapshot, and when one failed half-way.
    position: Option<u64>,
    reclaimer: Reclaimer,
    reclaim_interval: Duration,
}

impl<L: ChangeLog> Follower<L> {
    /// A follower that has applied nothing yet. A table with room for the keys that are to come loads faster.
    #[must_use]
    pub fn new(log: Arc<L>, table: Arc<ApiKeyTable<KeyRecord>>, revocations: Revocations) -> Self {
        let (progress, reclaim_interval) = (Arc::new(Progress::new(revocations.clone())), RECLAIM_INTERVAL);
        let reclaimer = Reclaimer::new(Arc::clone(&table), revocations.clone());
        Self { log, table, revocations, progress, position: None, reclaimer, reclaim_interval }
    }

    /// How often the threads of [`spawn`](Self::spawn) free what is to be forgotten; every [`RECLAIM_INTERVAL`] unless told.
    #[must_use]
    pub fn reclaim_every(mut self, interval: Duration) -> Self {
        self.reclaim_interval = interval;
        self
    }

    /// How many revoked and expired keys the table may hold, so that a rejection can say why;
    /// [`MAX_TOMBSTONES`](crate::limits::MAX_TOMBSTONES) unless told. Those that ended first go first.
    #[must_use]
    pub fn max_tombstones(mut self, max: usize) -> Self {
        self.reclaimer.max_tombstones = max;
        self
    }

    /// How long ago the tables may have been in step with the log before the revocations are
    /// [stale](Revocations::mark_stale); [`DEFAULT_MAX_STALENESS`](crate::limits::DEFAULT_MAX_STALENESS) unless told. Issuers that
    /// [require fresh revocations](tollgate::Issuer::require_fresh_revocations) are then answered with 503.
    ///
    /// Below [`STOP_INTERVAL`](crate::limits::STOP_INTERVAL), for which a thread waits at a time, they would be stale now and then
    /// without any failure.
    #[must_use]
    pub fn max_staleness(self, max: Duration) -> Self {
        self.progress.set_max_staleness(max);
        self
    }

    /// What frees the memory of what is to be forgotten, also while a thread has this follower.
    #[must_use]
    pub fn reclaimer(&self) -> &Reclaimer {
        &self.reclaimer
    }

    /// How far this follower is, also while a thread has it.
    #[must_use]
    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Begins with a snapshot; `report` is called now and then with how many keys were read. Returns the number as of
    /// which the tables are.
    ///
    /// An empty table is filled in place, from several threads. One in use is replaced all at once, for which both need
    /// memory for a while.
    ///
    /// # Errors
    /// When the log cannot be read. A table that was empty is empty again; one in use is as it was.
    pub fn load(&mut self, report: &(dyn Fn(u64) + Sync)) -> Result<u64, L::Error> {
        let as_of = Instant::now();
        let position = if self.table.is_empty() { self.fill(report) } else { self.replace(report) };
        self.position = position.as_ref().ok().copied();
        let position = position?;
        self.progress.reached(position, position, as_of);
        Ok(position)
    }

    /// Applies all changes there are, and returns the number of the last. Begins with a snapshot where it has to.
    ///
    /// # Errors
    /// When the log cannot be read. What was applied stays; the next call goes on.
    pub fn catch_up(&mut self) -> Result<u64, L::Error> {
        loop {
            let Some(position) = self.position else {
                self.load(&|_| {})?;
                continue;
            };
            let as_of = Instant::now();
            match self.log.changes_after(position, CHANGES_PER_READ)? {
                Since::Compacted => self.position = None,
                Since::Changes(read) => {
                    let now = clock::now();
                    for (_, change) in read.changes {
                        self.apply(change, now);
                    }
                    self.position = Some(read.through);
                    self.progress.reached(read.through, read.latest, as_of);
                    if read.through >= read.latest {
                        return Ok(read.through);
                    }
                }
            }
        }
    }

    /// Waits until there is something to apply, at most `timeout`. Returns whether there is.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn wait(&self, timeout: Duration) -> Result<bool, L::Error> {
        match self.position {
            Some(position) => self.log.wait_after(position, timeout),
            None => Ok(true),
        }
    }

    fn fill(&self, report: &(dyn Fn(u64) + Sync)) -> Result<u64, L::Error> {
        let snapshot = Snapshot::new(report);
        let now = clock::now();
        self.reclaimer.forget_tombstones();
        let outcome = self.log.snapshot(&|changes| {
            let keys = snapshot.keys(changes);
            if keys.is_empty() {
                return;
            }
            snapshot.before_first_key(&self.revocations);
            let mut first_end = i64::MAX;
            for (digest, record) in keys.into_iter().filter_map(|key| self.new_entry(key, now)) {
                first_end = first_end.min(end_of(&record));
                self.table.insert(digest, record);
            }
            self.reclaimer.announce(first_end);
        });
        match &outcome {
            Ok(_) => self.revocations.replace_all(&snapshot.into_revocations()),
            // What may have been removed since must not stay.
            Err(_) => self.table.replace_all(Vec::<Entry>::new()),
        }
        outcome
    }

    fn replace(&self, report: &(dyn Fn(u64) + Sync)) -> Result<u64, L::Error> {
        let snapshot = Snapshot::new(report);
        let (now, entries) = (clock::now(), Mutex::new(Vec::with_capacity(self.table.len())));
        self.reclaimer.forget_tombstones();
        let sequence = self.log.snapshot(&|changes| {
            let keys = snapshot.keys(changes);
            let new: Vec<_> = keys.into_iter().filter_map(|key| self.new_entry(key, now)).collect();
            entries.lock().extend(new);
        })?;
        let revocations = snapshot.into_revocations();
        self.revocations.revoke_all(&revocations);
        let entries = entries.into_inner();
        let first_end = entries.iter().map(|(_, record)| end_of(record)).min();
        self.table.replace_all(entries);
        self.reclaimer.announce(first_end.unwrap_or(i64::MAX));
        // Those that are no more, only when the keys are as they belong to the others.
        self.revocations.replace_all(&revocations);
        Ok(sequence)
    }

    fn apply(&self, change: Change, now: i64) {
        match change {
            Change::Key(key) => self.put(key, now),
            Change::KeyRemoved { digest } => drop(self.table.remove(&digest)),
            Change::Revocation(revocation) => self.revocations.replace(&revocation.to_revocation()),
            Change::RevocationRemoved { kind, issuer, name } => {
                self.revocations.restore(&revocation(kind, &issuer, &name));
            }
            // Engines know no clients, only their secrets.
            Change::Client(_) | Change::ClientRemoved { .. } => {}
        }
    }

    fn put(&self, key: StoredKey, now: i64) {
        let digest = key.digest;
        // A key that ends takes no more memory than before.
        let entry = if self.table.get(&digest).is_some() { entry(key, now) } else { self.new_entry(key, now) };
        let Some((key_digest, record)) = entry else {
            self.table.remove(&digest);
            return;
        };
        let end = end_of(&record);
        self.table.insert(key_digest, record);
        self.reclaimer.announce(end);
    }

    /// What the table has to hold of a key that is not in it, if anything.
    fn new_entry(&self, key: StoredKey, now: i64) -> Option<Entry> {
        entry(key, now).filter(|(_, record)| end_of(record) > now || self.reclaimer.admits_tombstone())
    }
}

/// Also where a thread panics that has it.
impl<L> Drop for Follower<L> {
    fn drop(&mut self) {
        self.progress.end();
    }
}

type Entry = (KeyDigest, KeyRecord);

/// What is gathered while a snapshot is read, from several threads.
struct Snapshot<'r> {
    report: &'r (dyn Fn(u64) + Sync),
    keys: AtomicU64,
    revocations: Mutex<Vec<Revocation>>,
    are_revocations_applied: AtomicBool,
}

impl<'r> Snapshot<'r> {
    fn new(report: &'r (dyn Fn(u64) + Sync)) -> Self {
        Self {
            report,
            keys: AtomicU64::new(0),
            revocations: Mutex::default(),
            are_revocations_applied: AtomicBool::new(false),
        }
    }

    /// The keys among the changes, which are counted; revocations are kept. Engines know no clients, only their secrets.
    fn keys(&self, changes: Vec<Change>) -> Vec<StoredKey> {
        let mut keys = Vec::with_capacity(changes.len());
        for change in changes {
            match change {
                Change::Key(key) => keys.push(key),
                Change::Revocation(revocation) => self.revocations.lock().push(revocation.to_revocation()),
                _ => {}
            }
        }
        self.count(keys.len() as u64);
        keys
    }

    /// Applies the revocations, which are all there by then.
    fn before_first_key(&self, table: &Revocations) {
        if !self.are_revocations_applied.load(Ordering::Acquire) {
            let revocations = self.revocations.lock();
            if !self.are_revocations_applied.load(Ordering::Acquire) {
                table.revoke_all(&*revocations);
                self.are_revocations_applied.store(true, Ordering::Release);
            }
        }
    }

    fn count(&self, more: u64) {
        let before = self.keys.fetch_add(more, Ordering::Relaxed);
        if before / KEYS_PER_REPORT < (before + more) / KEYS_PER_REPORT {
            (self.report)(before + more);
        }
    }

    fn into_revocations(self) -> Vec<Revocation> {
        (self.report)(self.keys.into_inner());
        self.revocations.into_inner()
    }
}
