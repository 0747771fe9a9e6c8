//! One shard's keys, dense in one array: open addressing with linear probing, ordered by home ("Robin Hood").
//!
//! Each key has a home, the slot where its search begins. Keys lie at their home or behind it, without a free slot
//! between, and in the order of their homes. So a look-up reads one short run of neighbouring memory, with no second
//! array to ask first, and ends at a free slot or at a key that lies nearer to its home than the wanted one would.

use crate::digest::Digest;
use crate::hasher::PlacementKey;
use std::mem;
use std::sync::Arc;

/// 40 bytes, an empty one too.
type Slot<R> = Option<(Digest, Arc<R>)>;

pub(crate) struct Slots<R> {
    slots: Box<[Slot<R>]>,
    keys: usize,
}

impl<R> Slots<R> {
    /// Room for `keys`.
    pub(crate) fn with_room(keys: usize) -> Self {
        // At most three slots in four are in use: above that the runs grow long.
        let slots = if keys == 0 { 0 } else { keys + keys.div_ceil(3) + 1 };
        Self { slots: (0..slots).map(|_| None).collect(), keys: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.keys
    }

    /// Whether one more key fits.
    pub(crate) fn has_room(&self) -> bool {
        (self.keys + 1) * 4 <= self.slots.len() * 3
    }

    /// The same keys with room for half as many again: at least half of the slots stay in use, 80 bytes a key.
    pub(crate) fn grown(&self, placement: &PlacementKey) -> Self {
        let mut grown = Self::with_room((self.keys + self.keys / 2).max(SMALLEST_ROOM));
        for (digest, record) in self.iter() {
            grown.insert(placement, *digest, record.clone());
        }
        grown
    }

    #[inline]
    pub(crate) fn find(&self, placement: &PlacementKey, digest: &Digest) -> Option<&Arc<R>> {
        let home = placement.place(digest).home(self.slots.len());
        let (before, from_home) = self.slots.split_at_checked(home)?;
        let run = from_home.iter().chain(before);
        for (distance, slot) in run.enumerate() {
            let (found, record) = slot.as_ref()?;
            // Compares all 32 bytes of each key it meets. How many it meets says nothing about any of them.
            if found == digest {
                return Some(record);
            }
            // Most keys are found before this: to ask for each slot would cost more than it spares.
            if distance >= SURE_TO_LOOK_AT && distance > self.distance_from_home(placement, found, home + distance) {
                return None;
            }
        }
        None
    }

    /// Inserts a key, for which there must be room; returns the record it replaces.
    pub(crate) fn insert(&mut self, placement: &PlacementKey, digest: Digest, record: Arc<R>) -> Option<Arc<R>> {
        let home = placement.place(&digest).home(self.slots.len());
        let mut at = home;
        let mut distance = 0;
        while let Some((found, old)) = &mut self.slots[at] {
            if *found == digest {
                return Some(mem::replace(old, record));
            }
            let found = *found;
            if distance > self.distance_from_home(placement, &found, at) {
                break;
            }
            at = self.next(at);
            distance += 1;
        }
        // Those from here to the next free slot move on by one.
        let mut moving = Some((digest, record));
        while moving.is_some() {
            mem::swap(&mut self.slots[at], &mut moving);
            at = self.next(at);
        }
        self.keys += 1;
        None
    }

    /// Removes a key whose record fulfils the condition, and closes the gap.
    pub(crate) fn remove_if(
        &mut self,
        placement: &PlacementKey,
        digest: &Digest,
        condition: impl FnOnce(&Arc<R>) -> bool,
    ) -> Option<Arc<R>> {
        if self.slots.is_empty() {
            return None;
        }
        let mut gap = placement.place(digest).home(self.slots.len());
        loop {
            match &self.slots[gap] {
                Some((found, record)) if found == digest => {
                    if !condition(record) {
                        return None;
                    }
                    break;
                }
                Some(_) => gap = self.next(gap),
                None => return None,
            }
        }
        let (_, removed) = self.slots[gap].take()?;
        self.keys -= 1;
        // Those behind it that are not at home move back by one.
        loop {
            let behind = self.next(gap);
            match &self.slots[behind] {
                Some((follower, _)) if self.distance_from_home(placement, follower, behind) > 0 => {
                    self.slots.swap(gap, behind);
                    gap = behind;
                }
                _ => return Some(removed),
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(Digest, Arc<R>)> {
        self.slots.iter().flatten()
    }

    fn next(&self, at: usize) -> usize {
        if at + 1 == self.slots.len() { 0 } else { at + 1 }
    }

    /// How far behind its home a key lies. `at` may count on past the end of the array.
    #[inline]
    fn distance_from_home(&self, placement: &PlacementKey, digest: &Digest, at: usize) -> usize {
        let home = placement.place(digest).home(self.slots.len());
        let distance = if home <= at { at - home } else { at + self.slots.len() - home };
        if distance >= self.slots.len() { distance - self.slots.len() } else { distance }
    }
}

/// Keys for which the first slots of a shard are made.
const SMALLEST_ROOM: usize = 4;

/// Slots behind the first that a look-up passes before it asks whether it may end: the mean for a key that is found.
const SURE_TO_LOOK_AT: usize = 2;
