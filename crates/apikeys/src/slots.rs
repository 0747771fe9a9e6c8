//! A shard's slots in one dense array: open addressing with linear probing, one cache line at a time.
//!
//! Each slot is written once. A new key goes into the first vacant slot at or behind its position. Removing a key marks
//! its tag. Replacing a record appends a new slot before the old slot is marked. Keys never move, so a reader needs no
//! lock and finds every key that is present throughout its search, whatever writers do. Rebuilding the array leaves the
//! marked slots behind.

use crate::digest::Digest;
use crate::entry::{KeyDigest, TableEntry};
use crate::limits::{KEYS_PER_BUCKET, LOAD_WHEN_FULL, LOAD_WHEN_SIZED};
use crate::place::{LIVE, Place, Placement, is_foreign};
use crate::sync::AtomicU32;
use std::array;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

pub(crate) struct Slots<R> {
    buckets: Box<[Bucket<R>]>,
    /// The table's number of shards, for [`Place::bucket`].
    shards: usize,
}

/// One cache line on targets with 64-bit pointers.
#[repr(align(64))]
struct Bucket<R> {
    /// [`VACANT`], [`REMOVED`], or the tag of the key's [`Place`]. Set after the entry.
    tags: [AtomicU32; KEYS_PER_BUCKET],
    /// Read only when the tag says that the slot holds a key. Not modelled under loom: the tags order all accesses.
    entries: [OnceLock<TableEntry<R>>; KEYS_PER_BUCKET],
}

const VACANT: u32 = 0;
const REMOVED: u32 = 1;
const _: () = assert!(LIVE > VACANT && LIVE > REMOVED, "a key's tag is neither");

/// An entry that was found, with its slot's tag.
pub(crate) struct Found<'s, R> {
    tag: &'s AtomicU32,
    pub(crate) entry: &'s TableEntry<R>,
}

impl<R> Slots<R> {
    /// Allocates room for `keys` and some spare slots. Saturates: a product that wraps would allocate too few slots,
    /// and further keys would be lost without an error.
    pub(crate) fn with_room(keys: usize, shards: usize) -> Self {
        let slots = keys.saturating_mul(LOAD_WHEN_SIZED.1) / LOAD_WHEN_SIZED.0;
        let buckets = (0..slots.div_ceil(KEYS_PER_BUCKET)).map(|_| Bucket::default()).collect();
        Self { buckets, shards }
    }

    /// Whether one more key fits when `used` slots hold or held a key.
    pub(crate) fn has_room(&self, used: usize) -> bool {
        (used + 1) * LOAD_WHEN_FULL.1 <= self.buckets.len() * KEYS_PER_BUCKET * LOAD_WHEN_FULL.0
    }

    /// The most likely slot of a key whose digest is not known yet. Looks at every tag of the cache line, so that no
    /// branch can be mispredicted.
    #[inline]
    pub(crate) fn likely(&self, place: Place) -> Option<&OnceLock<TableEntry<R>>> {
        let bucket = self.buckets.get(place.bucket(self.shards, self.buckets.len()))?;
        let (tag, mut at) = (place.tag(), KEYS_PER_BUCKET);
        for (n, seen) in bucket.tags.iter().enumerate() {
            at = if seen.load(Ordering::Acquire) == tag { n } else { at };
        }
        bucket.entries.get(at)
    }

    #[inline]
    pub(crate) fn find(&self, place: Place, digest: &Digest) -> Option<Found<'_, R>> {
        for bucket in self.from(place) {
            let mut is_last = false;
            for (tag, entry) in bucket.slots() {
                let seen = tag.load(Ordering::Acquire);
                if seen == place.tag()
                    && let Some(entry) = entry.get()
                    && entry.digest() == digest
                {
                    return Some(Found { tag, entry });
                }
                is_last |= seen == VACANT;
            }
            if is_last {
                break;
            }
        }
        None
    }

    /// Puts a key into the first vacant slot, which must exist. Call under the shard's lock only, like all that
    /// follows.
    pub(crate) fn append(&self, place: Place, entry: TableEntry<R>) {
        let mut slots = self.from(place).flat_map(Bucket::slots);
        if let Some((tag, slot)) = slots.find(|(tag, _)| tag.load(Ordering::Relaxed) == VACANT) {
            // Cannot fail: the slot is vacant.
            _ = slot.set(entry);
            tag.store(place.tag(), Ordering::Release);
        }
    }

    /// Copies the present keys into new slots with room for `room` keys.
    pub(crate) fn rebuilt(&self, placement: &Placement, room: usize) -> Self {
        let rebuilt = Self::with_room(room, self.shards);
        for (key, entry) in self.iter() {
            rebuilt.append(placement.of(&key), entry.clone());
        }
        rebuilt
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (KeyDigest, &TableEntry<R>)> {
        self.buckets.iter().flat_map(Bucket::slots).filter_map(|(tag, entry)| {
            let tag = tag.load(Ordering::Acquire);
            let entry = entry.get().filter(|_| tag != VACANT && tag != REMOVED)?;
            let origin = if is_foreign(tag) { KeyDigest::Foreign } else { KeyDigest::Native };
            Some((origin(*entry.digest()), entry))
        })
    }

    #[inline]
    fn from(&self, place: Place) -> impl Iterator<Item = &Bucket<R>> {
        let (before, from) = self.buckets.split_at(place.bucket(self.shards, self.buckets.len()));
        from.iter().chain(before)
    }
}

impl<R> Found<'_, R> {
    /// Removes the key: no search that begins later finds it.
    pub(crate) fn remove(&self) {
        self.tag.store(REMOVED, Ordering::Release);
    }
}

impl<R> Bucket<R> {
    #[inline]
    fn slots(&self) -> impl Iterator<Item = (&AtomicU32, &OnceLock<TableEntry<R>>)> {
        self.tags.iter().zip(&self.entries)
    }
}

impl<R> Default for Bucket<R> {
    fn default() -> Self {
        Self { tags: array::from_fn(|_| AtomicU32::new(VACANT)), entries: array::from_fn(|_| OnceLock::new()) }
    }
}
