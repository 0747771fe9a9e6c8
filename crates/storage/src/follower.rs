//! Keeping a table of keys and a table of revocations in sync with a log.

mod ended;
mod progress;
mod reclaimer;
mod run;

pub use progress::{Lag, Progress};
pub use reclaimer::Reclaimer;
pub use run::FollowerThread;

use crate::clock;
use crate::error::StorageError;
use crate::feed::{Change, KeyFeed, Position, Since, Visit};
use crate::key::StoredKey;
use crate::limits::{CHANGES_PER_READ, KEYS_PER_REPORT, RECLAIM_INTERVAL};
use crate::revocation::revocation;
use ended::{end_of, entry};
use parking_lot::{Mutex, RwLock};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tollgate::apikeys::KeyDigest;
use tollgate::{ApiKeyTable, KeyRecord, Revocation, Revocations};

/// Applies what a [`KeyFeed`] says to the tables that engines read.
///
/// It begins with a snapshot, goes on with the changes after it, and begins again where the log no longer holds its position.
/// Applying anything twice changes nothing. When a change has been applied, no verify that starts later
/// accepts what it removed, disabled or revoked.
///
/// Table and revocations are the follower's own: what others put into them is lost when it begins again. It has no thread:
/// [`run`](Self::run) is a future for those who have a runtime, [`spawn`](Self::spawn) a thread for those who have none.
///
/// The revocations are [fresh](Revocations::are_fresh) while the newest change or heartbeat that was applied is younger than
/// [`max_staleness`](Self::max_staleness): a look that finds nothing new proves nothing, since a replica whose replication stopped finds
/// nothing new for ever. So a follower commits a heartbeat where it has applied nothing for
/// [`HEARTBEAT_INTERVAL`](crate::limits::HEARTBEAT_INTERVAL). When it is dropped the revocations are stale.
///
/// A disabled key stays in the table, so that a rejection can say why. A revoked or expired one stays for
/// [`TOMBSTONE_SECONDS`](crate::limits::TOMBSTONE_SECONDS), and after a [sweep](Reclaimer::reclaim) no more of them than
/// [`max_tombstones`](Self::max_tombstones). A removed one does not.
pub struct Follower {
    feed: Arc<dyn KeyFeed>,
    tables: Arc<Tables>,
    progress: Arc<Progress>,
    /// Up to which change both tables are; `None` before the first snapshot, and when one failed half-way.
    position: Option<Position>,
    reclaim_interval: Duration,
}

impl Follower {
    /// A follower that has applied nothing yet. A table with room for the keys that are to come loads faster.
    #[must_use]
    pub fn new(feed: Arc<dyn KeyFeed>, table: Arc<ApiKeyTable<KeyRecord>>, revocations: Revocations) -> Self {
        let progress = Arc::new(Progress::new(revocations.clone()));
        let reclaimer = Reclaimer::new(Arc::clone(&table), revocations.clone());
        let tables = Arc::new(Tables { table, revocations, reclaimer, progress: Arc::clone(&progress) });
        Self { feed, tables, progress, position: None, reclaim_interval: RECLAIM_INTERVAL }
    }

    /// How often [`spawn`](Self::spawn) frees what is to be forgotten; every [`RECLAIM_INTERVAL`] unless told.
    #[must_use]
    pub fn reclaim_every(mut self, interval: Duration) -> Self {
        self.reclaim_interval = interval;
        self
    }

    /// How many revoked and expired keys the table may hold, so that a rejection can say why;
    /// [`MAX_TOMBSTONES`](crate::limits::MAX_TOMBSTONES) unless told. Those that ended first go first.
    #[must_use]
    pub fn max_tombstones(self, max: usize) -> Self {
        self.tables.reclaimer.set_max_tombstones(max);
        self
    }

    /// How old the newest change or heartbeat that was applied may be before the revocations are
    /// [stale](Revocations::mark_stale); [`DEFAULT_MAX_STALENESS`](crate::limits::DEFAULT_MAX_STALENESS) unless told. Issuers that
    /// [require fresh revocations](tollgate::Issuer::require_fresh_revocations) are then answered with 503.
    #[must_use]
    pub fn max_staleness(self, max: Duration) -> Self {
        self.progress.set_max_staleness(max);
        self
    }

    /// What frees the memory of what is to be forgotten, also while a thread has this follower.
    #[must_use]
    pub fn reclaimer(&self) -> &Reclaimer {
        &self.tables.reclaimer
    }

    /// How far this follower is, also while a thread has it.
    #[must_use]
    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Begins with a snapshot; `report` is called now and then with how many keys were read. Returns the position as of
    /// which the tables are.
    ///
    /// An empty table is filled in place, from several threads. One in use is replaced all at once, for which both need
    /// memory for a while.
    ///
    /// # Errors
    /// When the log cannot be read. A table that was empty is empty again; one in use is as it was.
    pub async fn load(&mut self, report: impl Fn(u64) + Send + Sync + 'static) -> Result<Position, StorageError> {
        let as_of = Instant::now();
        // Also when this future is dropped half-way.
        self.position = None;
        let fills = self.tables.table.is_empty();
        let loading = Arc::new(Loading::new(Arc::clone(&self.tables), fills, Box::new(report)));
        self.tables.reclaimer.forget_tombstones();
        self.progress.begin_snapshot();
        let closing = Closing(Arc::clone(&loading));
        let visited = Arc::clone(&loading);
        let visit: Visit = Arc::new(move |changes| visited.visit(changes));
        let position = self.feed.snapshot(visit).await?;
        loading.finish();
        drop(closing);
        self.position = Some(position);
        self.progress.reached(position.number, position.number, as_of);
        Ok(position)
    }

    /// Applies all changes there are, and returns the position of the last. Begins with a snapshot where it has to.
    ///
    /// # Errors
    /// When the log cannot be read. What was applied stays; the next call goes on.
    pub async fn catch_up(&mut self) -> Result<Position, StorageError> {
        loop {
            let Some(position) = self.position else {
                self.load(|_| {}).await?;
                continue;
            };
            let as_of = Instant::now();
            match self.feed.changes_after(position, CHANGES_PER_READ).await? {
                Since::Compacted => self.position = None,
                // A look that finds nothing new says nothing about freshness.
                Since::Changes(read) if read.through == position => {
                    self.progress.looked();
                    return Ok(position);
                }
                Since::Changes(read) => {
                    let now = clock::now();
                    for (_, change) in read.changes {
                        self.tables.apply(change, now);
                    }
                    self.position = Some(read.through);
                    self.progress.reached(read.through.number, read.latest, as_of);
                    if read.through.number >= read.latest {
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
    pub async fn wait(&self, timeout: Duration) -> Result<bool, StorageError> {
        match self.position {
            Some(position) => self.feed.wait_after(position, timeout).await,
            None => Ok(true),
        }
    }
}

/// Also where a thread panics that has it.
impl Drop for Follower {
    fn drop(&mut self) {
        self.progress.end();
    }
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower").field("position", &self.position).finish_non_exhaustive()
    }
}

/// What engines read.
struct Tables {
    table: Arc<ApiKeyTable<KeyRecord>>,
    revocations: Revocations,
    reclaimer: Reclaimer,
    progress: Arc<Progress>,
}

impl Tables {
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
            Change::Unreadable { table, row, digest } => {
                digest.iter().for_each(|digest| drop(self.table.remove(digest)));
                self.progress.unreadable(table, row);
            }
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

type Entry = (KeyDigest, KeyRecord);

/// What is gathered while a snapshot is read, from several threads.
struct Loading {
    tables: Arc<Tables>,
    /// Whether keys go into the table as they come; otherwise they take the place of its contents at the end.
    fills: bool,
    report: Box<dyn Fn(u64) + Send + Sync>,
    now: i64,
    keys: AtomicU64,
    revocations: Mutex<Vec<Revocation>>,
    entries: Mutex<Vec<Entry>>,
    state: RwLock<State>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum State {
    Open,
    /// The revocations, all of which come before the first key, are applied.
    HasRevocations,
    /// Whatever still comes is of a snapshot that failed or was given up.
    Closed,
}

impl Loading {
    fn new(tables: Arc<Tables>, fills: bool, report: Box<dyn Fn(u64) + Send + Sync>) -> Self {
        let (now, keys, state) = (clock::now(), AtomicU64::new(0), RwLock::new(State::Open));
        Self { tables, fills, report, now, keys, revocations: Mutex::default(), entries: Mutex::default(), state }
    }

    fn visit(&self, changes: Vec<Change>) {
        let mut keys = Vec::with_capacity(changes.len());
        for change in changes {
            match change {
                Change::Key(key) => keys.push(key),
                Change::Revocation(revocation) => self.revocations.lock().push(revocation.to_revocation()),
                Change::Unreadable { table, row, .. } => self.tables.progress.unreadable(table, row),
                _ => {}
            }
        }
        if keys.is_empty() {
            return;
        }
        self.count(keys.len() as u64);
        let entries = keys.into_iter().filter_map(|key| self.tables.new_entry(key, self.now));
        if !self.fills {
            let entries: Vec<Entry> = entries.collect();
            self.entries.lock().extend(entries);
            return;
        }
        self.before_first_key();
        let state = self.state.read();
        if *state == State::Closed {
            return;
        }
        let mut first_end = i64::MAX;
        for (digest, record) in entries {
            first_end = first_end.min(end_of(&record));
            self.tables.table.insert(digest, record);
        }
        self.tables.reclaimer.announce(first_end);
    }

    fn before_first_key(&self) {
        if *self.state.read() == State::Open {
            let mut state = self.state.write();
            if *state == State::Open {
                self.tables.revocations.revoke_all(&*self.revocations.lock());
                *state = State::HasRevocations;
            }
        }
    }

    /// Everything was visited.
    fn finish(&self) {
        (self.report)(self.keys.load(Ordering::Relaxed));
        let (tables, revocations) = (&self.tables, self.revocations.lock());
        if !self.fills {
            tables.revocations.revoke_all(&*revocations);
            let entries = std::mem::take(&mut *self.entries.lock());
            let first_end = entries.iter().map(|(_, record)| end_of(record)).min();
            tables.table.replace_all(entries);
            tables.reclaimer.announce(first_end.unwrap_or(i64::MAX));
        }
        // Those that are no more, only when the keys are as they belong to the others.
        tables.revocations.replace_all(&*revocations);
        *self.state.write() = State::Closed;
    }

    fn count(&self, more: u64) {
        let before = self.keys.fetch_add(more, Ordering::Relaxed);
        if before / KEYS_PER_REPORT < (before + more) / KEYS_PER_REPORT {
            (self.report)(before + more);
        }
    }
}

/// Closes a snapshot that was not finished. What may have been removed since must not stay in a table that was filled.
struct Closing(Arc<Loading>);

impl Drop for Closing {
    fn drop(&mut self) {
        let loading = &self.0;
        let mut state = loading.state.write();
        if *state != State::Closed {
            *state = State::Closed;
            if loading.fills {
                loading.tables.table.replace_all(Vec::<Entry>::new());
            }
        }
    }
}
