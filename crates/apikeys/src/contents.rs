//! What is in the table: native keys and foreign keys apart.

use crate::changes::Change;
use crate::digest::Digest;
use crate::hasher::PlacementKey;
use crate::limits::{KEYS_FETCHED_AT_ONCE, KEYS_PER_SHARD, SHARDS_MAX, SHARDS_MIN, SHARDS_WHEN_UNKNOWN};
use crate::record::{Found, Record};
use crate::seats::Seats;
use crate::shards::{Held, Shards};
use arc_swap::ArcSwap;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Who made a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This operator, in the table's format.
    Native,
    /// Another system.
    Foreign,
}

/// A key in the table.
#[derive(Debug)]
pub struct TableEntry<R> {
    /// What is kept of the key.
    pub digest: Digest,
    /// What it stands for.
    pub record: Arc<R>,
    /// Who made it.
    pub origin: Origin,
}

impl<R> From<(Digest, Arc<R>)> for TableEntry<R> {
    /// A native key.
    fn from((digest, record): (Digest, Arc<R>)) -> Self {
        Self { digest, record, origin: Origin::Native }
    }
}

/// Readers take what is there now and wait for nobody. Writers take turns at a shard; who moves a shard to a larger one,
/// or replaces everything, puts a new snapshot in the place of the old.
pub(crate) struct Contents<R: Record> {
    now: ArcSwap<Snapshot<R>>,
    native_turns: Turns,
    foreign_turns: Turns,
    one_growth: Mutex<()>,
}

type Turns = Box<[Mutex<()>]>;

struct Snapshot<R: Record> {
    native: Shards<R>,
    foreign: Shards<R>,
    beside: Arc<Beside<R>>,
}

/// What all snapshots have in common until everything is replaced.
struct Beside<R: Record> {
    names: Seats<R::Names>,
    /// Never below the number of foreign keys: raised before one is inserted, lowered after one was removed. So that
    /// garbage is rejected by one load.
    foreign_keys: AtomicUsize,
}

impl<R: Record> Contents<R> {
    pub(crate) fn with_capacity(native_keys: usize) -> Self {
        let shards = match native_keys {
            0 => SHARDS_WHEN_UNKNOWN,
            keys => (keys / KEYS_PER_SHARD).next_power_of_two().clamp(SHARDS_MIN, SHARDS_MAX),
        };
        Self::new(
            Shards::with_room(native_keys, shards, PlacementKey::random()),
            Shards::with_room(0, SHARDS_MIN, PlacementKey::random()),
        )
    }

    fn new(native: Shards<R>, foreign: Shards<R>) -> Self {
        let turns = |shards: &Shards<R>| (0..shards.count()).map(|_| Mutex::default()).collect();
        let (native_turns, foreign_turns) = (turns(&native), turns(&foreign));
        let names = Seats::new(R::Names::default());
        let beside = Arc::new(Beside { names, foreign_keys: AtomicUsize::new(0) });
        let now = ArcSwap::from_pointee(Snapshot { native, foreign, beside });
        Self { now, native_turns, foreign_turns, one_growth: Mutex::new(()) }
    }

    #[inline]
    pub(crate) fn find(&self, origin: Origin, digest: &Digest) -> Option<Found<R>> {
        let now = self.now.load();
        match now.shards(origin).find(digest)? {
            Held::Packed(packed) => Some(Found::Packed(packed, now.beside.names.mine().clone())),
            Held::Whole(record) => Some(Found::Whole(record)),
        }
    }

    #[inline]
    pub(crate) fn has_foreign(&self) -> bool {
        self.now.load().beside.foreign_keys.load(Ordering::Acquire) != 0
    }

    pub(crate) fn len(&self) -> usize {
        let now = self.now.load();
        now.native.len() + now.foreign.len()
    }

    /// Makes a change; returns the record that it displaced. Not while another has all replaced.
    pub(crate) fn apply(&self, change: &Change<R>) -> Option<Arc<R>> {
        match change {
            Change::Insert(Origin::Native, digest, record) => self.insert(Origin::Native, digest, record),
            Change::Insert(Origin::Foreign, digest, record) => {
                self.now.load().beside.foreign_keys.fetch_add(1, Ordering::AcqRel);
                let displaced = self.insert(Origin::Foreign, digest, record);
                self.forget_foreign(displaced.is_some());
                displaced
            }
            Change::Remove(digest) => self.remove_if(digest, |_| true),
            Change::RemoveRecord(digest, record) => {
                let packed = record.pack(self.now.load().names());
                self.remove_if(digest, |held| match held {
                    Held::Packed(found) => packed == Some(*found),
                    Held::Whole(found) => Arc::ptr_eq(found, record),
                })
            }
        }
    }

    fn insert(&self, origin: Origin, digest: &Digest, record: &Arc<R>) -> Option<Arc<R>> {
        let packed = record.pack(self.now.load().names());
        let number = self.now.load().shards(origin).number(digest);
        let _turn = lock(&self.turns(origin)[number]);
        loop {
            let now = self.now.load();
            if let Ok(displaced) = now.shards(origin).insert(digest, packed, record) {
                return displaced.map(|held| now.record(held));
            }
            drop(now);
            self.grow(origin, number);
        }
    }

    fn remove_if(&self, digest: &Digest, condition: impl Fn(&Held<R>) -> bool) -> Option<Arc<R>> {
        let remove = |origin| {
            let number = self.now.load().shards(origin).number(digest);
            let _turn = lock(&self.turns(origin)[number]);
            let now = self.now.load();
            now.shards(origin).remove_if(digest, &condition).map(|held| now.record(held))
        };
        let (native, foreign) = (remove(Origin::Native), remove(Origin::Foreign));
        self.forget_foreign(foreign.is_some());
        native.or(foreign)
    }

    /// Makes room in a shard, by the writer whose turn it is there. Readers go on in the old one until the new one is full.
    fn grow(&self, origin: Origin, number: usize) {
        let _one = lock(&self.one_growth);
        let now = self.now.load();
        let (native, foreign) = match origin {
            Origin::Native => (now.native.with_grown(number), now.foreign.clone()),
            Origin::Foreign => (now.native.clone(), now.foreign.with_grown(number)),
        };
        let grown = Snapshot { native, foreign, beside: now.beside.clone() };
        drop(now);
        drop(Retired(self.now.swap(Arc::new(grown))));
    }

    /// New contents of these entries, with as many shards and the same placement.
    pub(crate) fn built_aside(&self, entries: impl Iterator<Item = TableEntry<R>>) -> Self {
        let (expected, _) = entries.size_hint();
        let fresh = {
            let now = self.now.load();
            Self::new(now.native.twin_with_room(expected), now.foreign.twin_with_room(0))
        };
        fresh.insert_all(entries, |change| drop(fresh.apply(&change)));
        fresh
    }

    /// Has `insert` put in the entries. While it does so with the first of some, the memory that the others go to arrives.
    pub(crate) fn insert_all(&self, entries: impl Iterator<Item = TableEntry<R>>, insert: impl Fn(Change<R>)) {
        let (mut entries, mut some) = (entries.fuse(), Vec::with_capacity(KEYS_FETCHED_AT_ONCE));
        loop {
            some.extend(entries.by_ref().take(KEYS_FETCHED_AT_ONCE));
            if some.is_empty() {
                break;
            }
            self.fetch(&some);
            for TableEntry { digest, record, origin } in some.drain(..) {
                insert(Change::Insert(origin, digest, record));
            }
        }
    }

    /// Looks at where each search begins. The processor goes on to the next while it waits for memory.
    fn fetch(&self, entries: &[TableEntry<R>]) {
        let now = self.now.load();
        for entry in entries {
            black_box(now.shards(entry.origin).is_home_vacant(&entry.digest));
        }
    }

    /// Puts what is in `other` in the place of everything, at once: a reader sees all of the one or all of the other. No
    /// other writer may be at work. Returns what was there.
    pub(crate) fn swap(&self, other: Self) -> Retired<R> {
        Retired(self.now.swap(other.now.into_inner()))
    }

    pub(crate) fn page_count(&self) -> usize {
        self.native_turns.len() + self.foreign_turns.len()
    }

    /// A copy of one shard.
    pub(crate) fn page(&self, number: usize) -> Vec<TableEntry<R>> {
        let (origin, number) = match number.checked_sub(self.native_turns.len()) {
            None => (Origin::Native, number),
            Some(number) => (Origin::Foreign, number),
        };
        let (held, beside) = {
            let _turn = lock(&self.turns(origin)[number]);
            let now = self.now.load();
            (now.shards(origin).copy(number), now.beside.clone())
        };
        let names: &R::Names = beside.names.mine();
        let entry = |(digest, held)| TableEntry { digest, record: record(held, names), origin };
        held.into_iter().map(entry).collect()
    }

    fn turns(&self, origin: Origin) -> &Turns {
        match origin {
            Origin::Native => &self.native_turns,
            Origin::Foreign => &self.foreign_turns,
        }
    }

    fn forget_foreign(&self, one: bool) {
        if one {
            self.now.load().beside.foreign_keys.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl<R: Record> Snapshot<R> {
    #[inline]
    fn shards(&self, origin: Origin) -> &Shards<R> {
        match origin {
            Origin::Native => &self.native,
            Origin::Foreign => &self.foreign,
        }
    }

    fn names(&self) -> &R::Names {
        self.beside.names.mine()
    }

    fn record(&self, held: Held<R>) -> Arc<R> {
        record(held, self.names())
    }
}

fn record<R: Record>(held: Held<R>, names: &R::Names) -> Arc<R> {
    match held {
        Held::Packed(packed) => Arc::new(R::unpack(packed, names)),
        Held::Whole(record) => record,
    }
}

/// A snapshot that no new reader sees. It is freed by who drops this, and not on a reader's time: whoever still reads in
/// it does so for less than a microsecond, unless its processor was taken from it.
pub(crate) struct Retired<R: Record>(Arc<Snapshot<R>>);

impl<R: Record> Drop for Retired<R> {
    fn drop(&mut self) {
        const LOOKS: u32 = 1_000;
        for _ in 0..LOOKS {
            if Arc::strong_count(&self.0) == 1 {
                break;
            }
            thread::yield_now();
        }
    }
}

fn lock(turn: &Mutex<()>) -> MutexGuard<'_, ()> {
    // What a turn protects is whole whenever the caller's code can panic.
    turn.lock().unwrap_or_else(PoisonError::into_inner)
}
