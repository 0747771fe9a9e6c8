//! Keeps a table of keys, a table of revocations and a table of clients in sync with a log.

mod ended;
mod progress;
mod reclaimer;
mod run;

pub use progress::{Lag, Progress};
pub use reclaimer::Reclaimer;
pub use run::FollowerThread;

use crate::client::Client;
use crate::clock;
use crate::error::StorageError;
use crate::feed::{Change, KeyFeed, Position, Since, Visit};
use crate::key::StoredKey;
use crate::limits::{CHANGES_PER_READ, KEYS_PER_REPORT, RECLAIM_INTERVAL};
use crate::registered_clients::{Clients, RegisteredClients};
use crate::revocation::revocation;
use ended::{end_of, entry};
use parking_lot::{Mutex, RwLock};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tollgate::apikeys::KeyDigest;
use tollgate::{ApiKeyTable, KeyRecord, Revocation, Revocations};

/// Applies a [`KeyFeed`] to the tables that engines read.
///
/// A follower begins with a snapshot, continues with the changes after it, and begins again when the log no longer holds its
/// position. Applying a change twice has no effect. Once a change is applied, no verify that starts later accepts a
/// credential that it removed, disabled or revoked.
///
/// The tables belong to the follower: entries from other sources are lost when it begins again. It has no thread:
/// [`run`](Self::run) is a future for programs with a runtime, [`spawn`](Self::spawn) starts a thread for others.
///
/// The revocations are [fresh](Revocations::are_fresh) while the newest applied change or heartbeat is younger than
/// [`max_staleness`](Self::max_staleness). A read without news proves nothing: a replica whose replication has stopped never
/// has any. So a follower commits a heartbeat when it has applied nothing for
/// [`HEARTBEAT_INTERVAL`](crate::limits::HEARTBEAT_INTERVAL). When the follower is dropped, the revocations are stale.
///
/// A disabled key stays in the table, so that its rejection has a reason. A revoked or expired key stays for
/// [`TOMBSTONE_SECONDS`](crate::limits::TOMBSTONE_SECONDS), and a [sweep](Reclaimer::reclaim) leaves at most
/// [`max_tombstones`](Self::max_tombstones) of them. A removed key does not stay.
pub struct Follower {
    feed: Arc<dyn KeyFeed>,
    tables: Arc<Tables>,
    progress: Arc<Progress>,
    /// The position of both tables; `None` before the first snapshot, and after a failed one.
    position: Option<Position>,
    reclaim_interval: Duration,
}

impl Follower {
    /// A follower that has not applied anything. A table with room for the expected keys loads faster.
    #[must_use]
    pub fn new(feed: Arc<dyn KeyFeed>, table: Arc<ApiKeyTable<KeyRecord>>, revocations: Revocations) -> Self {
        let progress = Arc::new(Progress::new(revocations.clone()));
        let reclaimer = Reclaimer::new(Arc::clone(&table), revocations.clone());
        let tables = Tables { table, revocations, clients: None, reclaimer, progress: Arc::clone(&progress) };
        let tables = Arc::new(tables);
        Self { feed, tables, progress, position: None, reclaim_interval: RECLAIM_INTERVAL }
    }

    /// Also keeps the registered clients in that table, which belongs to the follower. Default: none, since engines use only
    /// the clients' secrets. When a secret is in the table of keys, its client is in this one.
    #[must_use]
    pub fn clients(mut self, clients: RegisteredClients) -> Self {
        self.tables = Arc::new(Tables { clients: Some(clients), ..Tables::clone(&self.tables) });
        self.position = None;
        self
    }

    /// The interval at which [`spawn`](Self::spawn) frees tombstones and ended revocations. Default:
    /// [`RECLAIM_INTERVAL`].
    #[must_use]
    pub fn reclaim_every(mut self, interval: Duration) -> Self {
        self.reclaim_interval = interval;
        self
    }

    /// The most revoked and expired keys in the table, kept so that their rejections have a reason. Default:
    /// [`MAX_TOMBSTONES`](crate::limits::MAX_TOMBSTONES). Those that ended first are freed first.
    #[must_use]
    pub fn max_tombstones(self, max: usize) -> Self {
        self.tables.reclaimer.set_max_tombstones(max);
        self
    }

    /// The age of the newest applied change or heartbeat at which the revocations become
    /// [stale](Revocations::mark_stale). Default: [`DEFAULT_MAX_STALENESS`](crate::limits::DEFAULT_MAX_STALENESS).
    /// Issuers that [require fresh revocations](tollgate::Issuer::require_fresh_revocations) are then answered with 503.
    #[must_use]
    pub fn max_staleness(self, max: Duration) -> Self {
        self.progress.set_max_staleness(max);
        self
    }

    /// Frees tombstones and ended revocations; works while a thread owns this follower.
    #[must_use]
    pub fn reclaimer(&self) -> &Reclaimer {
        &self.tables.reclaimer
    }

    /// The progress of this follower; works while a thread owns it.
    #[must_use]
    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Begins with a snapshot. `report` is called periodically with the number of keys read so far. Returns the position
    /// of the tables.
    ///
    /// An empty table is filled in place, from several threads. A table in use is replaced at once, and needs memory for
    /// both states meanwhile.
    ///
    /// # Errors
    /// When the log cannot be read. A table that was empty is empty again; a table in use has not changed.
    pub async fn load(&mut self, report: impl Fn(u64) + Send + Sync + 'static) -> Result<Position, StorageError> {
        let as_of = Instant::now();
        // Also when this future is dropped before its end.
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

    /// Applies all pending changes, and returns the position of the last. Begins with a snapshot if necessary.
    ///
    /// # Errors
    /// When the log cannot be read. Applied changes stay; the next call continues.
    pub async fn catch_up(&mut self) -> Result<Position, StorageError> {
        loop {
            let Some(position) = self.position else {
                self.load(|_| {}).await?;
                continue;
            };
            let as_of = Instant::now();
            match self.feed.changes_after(position, CHANGES_PER_READ).await? {
                Since::Compacted => self.position = None,
                // A read without news says nothing about freshness.
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

    /// Waits, at most `timeout`, until there is a change to apply. Returns whether there is one.
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

/// Also when the owning thread panics.
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

/// The tables of the engines, and of an authorization server.
#[derive(Clone)]
struct Tables {
    table: Arc<ApiKeyTable<KeyRecord>>,
    revocations: Revocations,
    clients: Option<RegisteredClients>,
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
            Change::Client(client) => self.put_clients([entry_of(client)].into()),
            Change::ClientRemoved { id } => self.clients.iter().for_each(|clients| clients.remove(&id)),
            Change::Unreadable { table, row, digest, client_id } => {
                digest.iter().for_each(|digest| drop(self.table.remove(digest)));
                self.put_clients(client_id.into_iter().map(|id| (id.into(), None)).collect());
                self.progress.unreadable(table, row);
            }
        }
    }

    fn put_clients(&self, changed: Clients) {
        if let Some(clients) = &self.clients {
            clients.put_all(changed);
        }
    }

    fn put(&self, key: StoredKey, now: i64) {
        let digest = key.digest;
        // A key that ends needs no more memory than before.
        let entry = if self.table.get(&digest).is_some() { entry(key, now) } else { self.new_entry(key, now) };
        let Some((key_digest, record)) = entry else {
            self.table.remove(&digest);
            return;
        };
        let end = end_of(&record);
        self.table.insert(key_digest, record);
        self.reclaimer.announce(end);
    }

    /// The table's entry for a key that is not in it, if any.
    fn new_entry(&self, key: StoredKey, now: i64) -> Option<Entry> {
        entry(key, now).filter(|(_, record)| end_of(record) > now || self.reclaimer.admits_tombstone())
    }
}

/// The entry of a client among the registered ones.
fn entry_of(client: Client) -> (Box<str>, Option<Arc<Client>>) {
    (client.id().into(), Some(Arc::new(client)))
}

type Entry = (KeyDigest, KeyRecord);

/// The state of reading a snapshot from several threads.
struct Loading {
    tables: Arc<Tables>,
    /// Whether keys are put into the table as they arrive. Otherwise they replace its contents at the end.
    fills: bool,
    report: Box<dyn Fn(u64) + Send + Sync>,
    now: i64,
    keys: AtomicU64,
    revocations: Mutex<Vec<Revocation>>,
    clients: Mutex<Clients>,
    entries: Mutex<Vec<Entry>>,
    state: RwLock<State>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum State {
    Open,
    /// The revocations are applied and the clients added, which all come before the first key.
    AcceptsKeys,
    /// Later changes are of a snapshot that failed or was abandoned.
    Closed,
}

impl Loading {
    fn new(tables: Arc<Tables>, fills: bool, report: Box<dyn Fn(u64) + Send + Sync>) -> Self {
        let (now, keys, state) = (clock::now(), AtomicU64::new(0), RwLock::new(State::Open));
        let (revocations, clients, entries) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { tables, fills, report, now, keys, revocations, clients, entries, state }
    }

    fn visit(&self, changes: Vec<Change>) {
        let mut keys = Vec::with_capacity(changes.len());
        for change in changes {
            match change {
                Change::Key(key) => keys.push(key),
                Change::Revocation(revocation) => self.revocations.lock().push(revocation.to_revocation()),
                Change::Client(client) => self.clients.lock().extend([entry_of(client)]),
                Change::Unreadable { table, row, client_id, .. } => {
                    self.clients.lock().extend(client_id.map(|id| (id.into(), None)));
                    self.tables.progress.unreadable(table, row);
                }
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
                self.tables.put_clients(self.clients.lock().clone());
                *state = State::AcceptsKeys;
            }
        }
    }

    /// Finishes the snapshot.
    fn finish(&self) {
        (self.report)(self.keys.load(Ordering::Relaxed));
        let (tables, revocations) = (&self.tables, self.revocations.lock());
        if !self.fills {
            tables.revocations.revoke_all(&*revocations);
            tables.put_clients(self.clients.lock().clone());
            let entries = std::mem::take(&mut *self.entries.lock());
            let first_end = entries.iter().map(|(_, record)| end_of(record)).min();
            tables.table.replace_all(entries);
            tables.reclaimer.announce(first_end.unwrap_or(i64::MAX));
        }
        // Old revocations and clients are dropped only after the keys are replaced.
        tables.revocations.replace_all(&*revocations);
        if let Some(clients) = &tables.clients {
            clients.replace_all(std::mem::take(&mut *self.clients.lock()));
        }
        *self.state.write() = State::Closed;
    }

    fn count(&self, more: u64) {
        let before = self.keys.fetch_add(more, Ordering::Relaxed);
        if before / KEYS_PER_REPORT < (before + more) / KEYS_PER_REPORT {
            (self.report)(before + more);
        }
    }
}

/// Closes an unfinished snapshot. Keys that may have been removed since must not stay in a table that was filled.
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
