//! What is in the table: native keys and foreign keys apart.

use crate::changes::Change;
use crate::digest::Digest;
use crate::hasher::PlacementKey;
use crate::limits::{SHARDS_MAX, SHARDS_MIN, SHARDS_PER_PROCESSOR};
use crate::shards::Shards;
use crate::slots::Slots;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLockWriteGuard};

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

pub(crate) struct Contents<R> {
    native: Shards<R>,
    foreign: Shards<R>,
    /// Never below the number of foreign keys: raised before one is inserted, lowered after one was removed. So that
    /// garbage is rejected by one load.
    foreign_keys: AtomicUsize,
}

impl<R> Contents<R> {
    pub(crate) fn with_capacity(native_keys: usize) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let shards = (processors * SHARDS_PER_PROCESSOR).next_power_of_two();
        let shards = shards.clamp(SHARDS_MIN, SHARDS_MAX);
        Self {
            native: Shards::with_room(native_keys, shards, PlacementKey::random()),
            foreign: Shards::with_room(0, shards, PlacementKey::random()),
            foreign_keys: AtomicUsize::new(0),
        }
    }

    #[inline]
    pub(crate) fn get(&self, origin: Origin, digest: &Digest) -> Option<Arc<R>> {
        self.shards(origin).get(digest)
    }

    #[inline]
    pub(crate) fn has_foreign(&self) -> bool {
        self.foreign_keys.load(Ordering::Acquire) != 0
    }

    pub(crate) fn len(&self) -> usize {
        self.native.len() + self.foreign.len()
    }

    /// Makes a change; returns the record that it displaced.
    pub(crate) fn apply(&self, change: Change<R>) -> Option<Arc<R>> {
        match change {
            Change::Insert(Origin::Native, digest, record) => self.native.insert(digest, record),
            Change::Insert(Origin::Foreign, digest, record) => {
                self.foreign_keys.fetch_add(1, Ordering::AcqRel);
                let displaced = self.foreign.insert(digest, record);
                self.forget_foreign(displaced.is_some());
                displaced
            }
            Change::Remove(digest) => self.remove_if(&digest, |_| true),
            Change::RemoveRecord(digest, record) => self.remove_if(&digest, |found| Arc::ptr_eq(found, &record)),
        }
    }

    /// New contents of these entries, with as many shards and the same placement, so that shard can be swapped for shard.
    pub(crate) fn built_aside(&self, entries: impl Iterator<Item = TableEntry<R>>) -> Self {
        let (expected, _) = entries.size_hint();
        let fresh = Self {
            native: self.native.twin_with_room(expected),
            foreign: self.foreign.twin_with_room(0),
            foreign_keys: AtomicUsize::new(0),
        };
        for entry in entries {
            fresh.apply(Change::Insert(entry.origin, entry.digest, entry.record));
        }
        fresh
    }

    /// Exchanges all that is in both. Every shard of `self` is locked before the first is exchanged and until the last
    /// is, so that no reader sees old and new side by side. `other` is nobody else's.
    pub(crate) fn swap(&self, other: &Self) {
        // First to keep away who holds a shard for long, then to lock: readers wait for the exchange alone.
        let _turns: Vec<_> = self.native.turns().chain(self.foreign.turns()).collect();
        let (mut mine, mut others) = (self.write_all(), other.write_all());
        for (mine, others) in mine.iter_mut().zip(&mut others) {
            mem::swap(&mut **mine, &mut **others);
        }
        let foreign_keys = other.foreign_keys.load(Ordering::Acquire);
        let foreign_keys = self.foreign_keys.swap(foreign_keys, Ordering::AcqRel);
        other.foreign_keys.store(foreign_keys, Ordering::Release);
    }

    pub(crate) fn page_count(&self) -> usize {
        self.native.count() + self.foreign.count()
    }

    /// A copy of one shard.
    pub(crate) fn page(&self, number: usize) -> Vec<TableEntry<R>> {
        let (origin, number) = match number.checked_sub(self.native.count()) {
            None => (Origin::Native, number),
            Some(number) => (Origin::Foreign, number),
        };
        let entry = |(digest, record)| TableEntry { digest, record, origin };
        self.shards(origin).copy(number).into_iter().map(entry).collect()
    }

    #[inline]
    fn shards(&self, origin: Origin) -> &Shards<R> {
        match origin {
            Origin::Native => &self.native,
            Origin::Foreign => &self.foreign,
        }
    }

    fn write_all(&self) -> Vec<RwLockWriteGuard<'_, Slots<R>>> {
        self.native.write_all().chain(self.foreign.write_all()).collect()
    }

    fn remove_if(&self, digest: &Digest, condition: impl Fn(&Arc<R>) -> bool) -> Option<Arc<R>> {
        let native = self.native.remove_if(digest, &condition);
        let foreign = self.foreign.remove_if(digest, &condition);
        self.forget_foreign(foreign.is_some());
        native.or(foreign)
    }

    fn forget_foreign(&self, one: bool) {
        if one {
            self.foreign_keys.fetch_sub(1, Ordering::AcqRel);
        }
    }
}
