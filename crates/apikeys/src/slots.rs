//! Keys, dense in one array: open addressing with linear probing, a cache line at a time.
//!
//! A slot is written once. A key that comes goes into the first slot behind its place that never had one; a key that goes
//! leaves its tag marked; a record that is replaced goes into a later slot before the earlier one is marked. So a reader
//! needs no lock, and whatever writers do it meets every key that is there throughout its search: none ever moves. What was
//! marked is left behind when the array is made anew.

use crate::digest::Digest;
use crate::entry::{KeyDigest, TableEntry};
use crate::limits::{KEYS_PER_BUCKET, LOAD_WHEN_FULL, LOAD_WHEN_SIZED};
use crate::place::{Place, Placement, is_foreign};
use crate::sync::AtomicU32;
use std::array;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

pub(crate) struct Slots<R> {
    buckets: Box<[Bucket<R>]>,
    /// Of the table, for [`Place::bucket`].
    shards: usize,
}

/// One cache line where pointers have 64 bits.
#[repr(align(64))]
struct Bucket<R> {
    /// [`VACANT`], [`REMOVED`], or that of the key's [`Place`], from when the entry is there.
    tags: [AtomicU32; KEYS_PER_BUCKET],
    /// Read only where the tag has said that there is a key. Not modelled: the tags order what happens.
    entries: [OnceLock<TableEntry<R>>; KEYS_PER_BUCKET],
}

const VACANT: u32 = 0;
const REMOVED: u32 = 1;

/// A key that was found, with its tag.
pub(crate) struct Found<'s, R> {
    tag: &'s AtomicU32,
    pub(crate) entry: &'s TableEntry<R>,
}

impl<R> Slots<R> {
    /// Room for `keys`, and some more. A product that wraps would make room for few, and lose the others in silence.
    pub(crate) fn with_room(keys: usize, shards: usize) -> Self {
        let slots = keys.saturating_mul(LOAD_WHEN_SIZED.1) / LOAD_WHEN_SIZED.0;
        let buckets = (0..slots.div_ceil(KEYS_PER_BUCKET)).map(|_| Bucket::default()).collect();
        Self { buckets, shards }
    }

    /// Whether a key more may come to as many that are or were there.
    pub(crate) fn has_room(&self, used: usize) -> bool {
        (used + 1) * LOAD_WHEN_FULL.1 <= self.buckets.len() * KEYS_PER_BUCKET * LOAD_WHEN_FULL.0
    }

    /// Where the entry of a key of this place most likely is, of which the digest is not known yet. The whole line is looked at
    /// whatever it holds, so that the processor has nothing to guess.
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

    /// Puts a key into the first vacant slot, which has to exist. For the one writer, as all that follows.
    pub(crate) fn append(&self, place: Place, entry: TableEntry<R>) {
        let mut slots = self.from(place).flat_map(Bucket::slots);
        if let Some((tag, slot)) = slots.find(|(tag, _)| tag.load(Ordering::Relaxed) == VACANT) {
            // It is vacant, so that nothing is there.
            _ = slot.set(entry);
            tag.store(place.tag(), Ordering::Release);
        }
    }

    /// The keys that are there and no others, with room for so many.
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
    /// Takes the key away: no search that begins later finds it.
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
