//! The sharded maps behind the table: native keys and foreign keys apart.

use crate::changes::Change;
use crate::digest::Digest;
use crate::hasher::PlacementKey;
use crate::limits::{KEYS_PER_SHARD, SHARDS_MAX, SHARDS_MIN};
use dashmap::DashMap;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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

type Shards<R> = DashMap<Digest, Arc<R>, PlacementKey>;

pub(crate) struct Contents<R> {
    native: Shards<R>,
    foreign: Shards<R>,
    /// Never below the number of foreign keys: raised before one is inserted, lowered after one was removed. So that
    /// garbage is rejected by one load.
    foreign_keys: AtomicUsize,
}

impl<R> Contents<R> {
    pub(crate) fn with_capacity(native_keys: usize) -> Self {
        let shards = (native_keys / KEYS_PER_SHARD).next_power_of_two().clamp(SHARDS_MIN, SHARDS_MAX);
        Self {
            native: sized(native_keys, shards, PlacementKey::random()),
            foreign: sized(0, SHARDS_MIN, PlacementKey::random()),
            foreign_keys: AtomicUsize::new(0),
        }
    }

    #[inline]
    pub(crate) fn get(&self, origin: Origin, digest: &Digest) -> Option<Arc<R>> {
        self.shards(origin).get(digest).map(|found| found.value().clone())
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
            Change::Remove(digest) => {
                let native = self.native.remove(&digest);
                let foreign = self.foreign.remove(&digest);
                self.forget_foreign(foreign.is_some());
                native.or(foreign).map(|(_, record)| record)
            }
            Change::RemoveRecord(digest, record) => {
                let same = |_: &Digest, found: &Arc<R>| Arc::ptr_eq(found, &record);
                let native = self.native.remove_if(&digest, same);
                let foreign = self.foreign.remove_if(&digest, same);
                self.forget_foreign(foreign.is_some());
                native.or(foreign).map(|(_, record)| record)
            }
        }
    }

    /// New contents of these entries, with as many shards and the same placement, so that shard can be swapped for shard.
    pub(crate) fn built_aside(&self, entries: impl Iterator<Item = TableEntry<R>>) -> Self {
        let (expected, _) = entries.size_hint();
        let fresh = Self {
            native: sized(expected, self.native.shards().len(), self.native.hasher().clone()),
            foreign: sized(0, self.foreign.shards().len(), self.foreign.hasher().clone()),
            foreign_keys: AtomicUsize::new(0),
        };
        for entry in entries {
            fresh.apply(Change::Insert(entry.origin, entry.digest, entry.record));
        }
        fresh
    }

    /// Exchanges all that is in both. Every shard of `self` is locked before the first is exchanged and until the last
    /// is, so that no reader sees old and new side by side. No other writer may be at work, and `other` is nobody else's.
    pub(crate) fn swap(&self, other: &Self) {
        let pairs = |origin| self.shards(origin).shards().iter().zip(other.shards(origin).shards());
        let mut locked: Vec<_> = pairs(Origin::Native)
            .chain(pairs(Origin::Foreign))
            .map(|(mine, others)| (mine.write(), others.write()))
            .collect();
        for (mine, others) in &mut locked {
            mem::swap(&mut **mine, &mut **others);
        }
        let foreign_keys = other.foreign_keys.load(Ordering::Acquire);
        let foreign_keys = self.foreign_keys.swap(foreign_keys, Ordering::AcqRel);
        other.foreign_keys.store(foreign_keys, Ordering::Release);
    }

    pub(crate) fn page_count(&self) -> usize {
        self.native.shards().len() + self.foreign.shards().len()
    }

    /// A copy of one shard.
    pub(crate) fn page(&self, number: usize) -> Vec<TableEntry<R>> {
        let native = self.native.shards().len();
        let (origin, number) = match number.checked_sub(native) {
            None => (Origin::Native, number),
            Some(number) => (Origin::Foreign, number),
        };
        let copy = self.shards(origin).shards()[number].read().clone();
        copy.into_iter().map(|(digest, record)| TableEntry { digest, record: record.into_inner(), origin }).collect()
    }

    #[inline]
    fn shards(&self, origin: Origin) -> &Shards<R> {
        match origin {
            Origin::Native => &self.native,
            Origin::Foreign => &self.foreign,
        }
    }

    fn forget_foreign(&self, one: bool) {
        if one {
            self.foreign_keys.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// An empty map with room for `keys` whatever shard each falls into.
fn sized<R>(keys: usize, shards: usize, placement: PlacementKey) -> Shards<R> {
    // Shards fill unevenly, with the square root of their mean as deviation; four of it are exceeded by one in 30,000.
    let mean = keys.div_ceil(shards);
    let room = if keys == 0 { 0 } else { mean + 4 * mean.isqrt() };
    DashMap::with_capacity_and_hasher_and_shard_amount(room * shards, placement, shards)
}
