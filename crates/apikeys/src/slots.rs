//! Keys, dense in one array: open addressing with linear probing, in the order of their places ("Robin Hood").
//!
//! Each key has a home, the slot where its search begins. Keys lie at their home or behind it, without a vacant slot
//! between, in the order of their places. So a look-up reads one short run of neighbouring cache lines, one of them more
//! often than not, and ends at a vacant slot or at a key whose place is behind the wanted one.
//!
//! Slots are atomics so that a reader may look while a writer writes: what it read then makes no sense and is thrown away
//! by its caller, who sees that there was a writer.

use crate::digest::Digest;
use crate::hasher::{Place, PlacementKey};
use crate::limits::{LOAD_WHEN_FULL, LOAD_WHEN_SIZED, SLOTS_BEHIND, SLOTS_READ_AT_ONCE};
use crate::record::Packed;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

pub(crate) struct Slots {
    /// As many as there are homes, behind them some for the runs of the last ones, and at the end some that stay vacant, so
    /// that a reader may always read as many as it does at once.
    slots: Box<[Slot]>,
    homes: usize,
    keys: AtomicUsize,
}

/// A digest and a packed record, of which the first number is 0 in a vacant slot. One cache line.
#[repr(align(64))]
struct Slot {
    digest: [AtomicU64; 4],
    packed: [AtomicU64; 4],
}

impl Slots {
    pub(crate) fn empty() -> Self {
        Self { slots: Box::default(), homes: 0, keys: AtomicUsize::new(0) }
    }

    /// Room for `keys`, and some more.
    pub(crate) fn with_room(keys: usize) -> Self {
        if keys == 0 {
            return Self::empty();
        }
        let homes = keys * LOAD_WHEN_SIZED.1 / LOAD_WHEN_SIZED.0 + 1;
        let slots = (0..homes + SLOTS_BEHIND + SLOTS_READ_AT_ONCE).map(|_| Slot::vacant()).collect();
        Self { slots, homes, keys: AtomicUsize::new(0) }
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn find(&self, placement: &PlacementKey, place: Place, lanes: &[u64; 4]) -> Option<Packed> {
        // What is left over at the end is vacant.
        let (groups, _) =
            self.slots.get(place.home(self.homes)..).unwrap_or_default().as_chunks::<SLOTS_READ_AT_ONCE>();
        for slots in groups {
            // All of them, whatever they hold: their cache lines then arrive together, and the time does not tell which.
            let (mut found, mut is_vacant) = (SLOTS_READ_AT_ONCE, false);
            for (n, slot) in slots.iter().enumerate() {
                found = if slot.is_equal(lanes) { n } else { found };
                is_vacant |= slot.is_vacant();
            }
            if let Some(slot) = slots.get(found) {
                return Some(slot.packed());
            }
            if is_vacant || slots[SLOTS_READ_AT_ONCE - 1].place(placement) > place {
                return None;
            }
        }
        None
    }

    pub(crate) fn is_home_vacant(&self, place: Place) -> bool {
        self.slots.get(place.home(self.homes)).is_none_or(Slot::is_vacant)
    }

    /// Where the key lies. For writers, as all that follows.
    pub(crate) fn position(&self, placement: &PlacementKey, place: Place, lanes: &[u64; 4]) -> Position {
        let home = place.home(self.homes);
        for (at, slot) in (home..self.end()).zip(self.slots.iter().skip(home)) {
            if slot.is_vacant() {
                return Position::Vacant(at);
            }
            if slot.is_equal(lanes) {
                return Position::Found(at);
            }
            if slot.place(placement) > place {
                return Position::Behind(at);
            }
        }
        Position::NoRoom
    }

    /// Whether another key may come in there.
    pub(crate) fn has_room(&self, at: Position) -> bool {
        let is_full = (self.len() + 1) * LOAD_WHEN_FULL.1 > self.homes * LOAD_WHEN_FULL.0;
        match at {
            Position::Found(_) => true,
            Position::NoRoom => false,
            Position::Vacant(_) => !is_full,
            Position::Behind(at) => !is_full && self.vacant_from(at).is_some(),
        }
    }

    pub(crate) fn packed(&self, at: usize) -> Packed {
        self.slots[at].packed()
    }

    pub(crate) fn replace(&self, at: usize, packed: Packed) {
        self.slots[at].set_packed(packed);
    }

    /// Puts a new key at its position, where there has to be room. Those in its way move on by one.
    pub(crate) fn insert(&self, at: usize, digest: &Digest, packed: Packed) {
        if let Some(vacant) = self.vacant_from(at) {
            for n in (at..vacant).rev() {
                self.slots[n + 1].copy(&self.slots[n]);
            }
            self.slots[at].set(digest, packed);
            self.keys.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Removes the key there. Those behind it that are not at home move back by one.
    pub(crate) fn remove(&self, placement: &PlacementKey, at: usize) {
        let is_away = |&n: &usize| {
            let slot = &self.slots[n];
            !slot.is_vacant() && slot.place(placement).home(self.homes) < n
        };
        let mut gap = at;
        while let Some(next) = Some(gap + 1).filter(|next| *next < self.end()).filter(is_away) {
            self.slots[gap].copy(&self.slots[next]);
            gap = next;
        }
        self.slots[gap].vacate();
        self.keys.fetch_sub(1, Ordering::Relaxed);
    }

    /// The same keys with room for so many.
    pub(crate) fn moved(&self, placement: &PlacementKey, room: usize) -> Self {
        let mut room = room.max(self.len());
        loop {
            let moved = Self::with_room(room);
            if moved.append_all(self, placement) {
                return moved;
            }
            // A run that reaches behind the last slot: so unlikely that there is nothing better to do.
            room += room / 4 + 1;
        }
    }

    /// Takes over keys in the order of their places, into slots that are vacant. False when they do not fit.
    fn append_all(&self, others: &Self, placement: &PlacementKey) -> bool {
        let mut next = 0;
        for other in others.occupied() {
            let at = other.place(placement).home(self.homes).max(next);
            if at >= self.end() {
                return false;
            }
            self.slots[at].copy(other);
            next = at + 1;
        }
        self.keys.store(others.len(), Ordering::Relaxed);
        true
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Digest, Packed)> {
        self.occupied().map(|slot| (slot.digest(), slot.packed()))
    }

    fn occupied(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(|slot| !slot.is_vacant())
    }

    /// Behind the last slot where a key may lie.
    fn end(&self) -> usize {
        self.slots.len().saturating_sub(SLOTS_READ_AT_ONCE)
    }

    fn vacant_from(&self, at: usize) -> Option<usize> {
        (at..self.end()).find(|&n| self.slots[n].is_vacant())
    }
}

/// Where a key lies, or has to be inserted.
#[derive(Clone, Copy)]
pub(crate) enum Position {
    Found(usize),
    /// It is not there and would come into this vacant slot.
    Vacant(usize),
    /// It is not there and would come before the key in this slot.
    Behind(usize),
    /// It is not there and would come behind the last slot.
    NoRoom,
}

impl Slot {
    fn vacant() -> Self {
        Self { digest: Default::default(), packed: Default::default() }
    }

    /// Compares all 32 bytes before it looks at the outcome.
    #[inline]
    fn is_equal(&self, lanes: &[u64; 4]) -> bool {
        Digest::are_equal(&load(&self.digest), lanes)
    }

    #[inline]
    fn is_vacant(&self) -> bool {
        self.packed[0].load(Ordering::Relaxed) == 0
    }

    #[inline]
    fn place(&self, placement: &PlacementKey) -> Place {
        placement.place(&load(&self.digest))
    }

    #[inline]
    fn packed(&self) -> Packed {
        Packed(load(&self.packed))
    }

    fn digest(&self) -> Digest {
        Digest::from_lanes(load(&self.digest))
    }

    fn set(&self, digest: &Digest, packed: Packed) {
        store(&self.digest, digest.lanes());
        self.set_packed(packed);
    }

    fn set_packed(&self, packed: Packed) {
        store(&self.packed, packed.0);
    }

    fn copy(&self, other: &Self) {
        store(&self.digest, load(&other.digest));
        store(&self.packed, load(&other.packed));
    }

    fn vacate(&self) {
        store(&self.digest, [0; 4]);
        store(&self.packed, [0; 4]);
    }
}

/// One by one, as the optimiser does best with.
#[inline]
fn load([a, b, c, d]: &[AtomicU64; 4]) -> [u64; 4] {
    [a.load(Ordering::Relaxed), b.load(Ordering::Relaxed), c.load(Ordering::Relaxed), d.load(Ordering::Relaxed)]
}

fn store(to: &[AtomicU64; 4], numbers: [u64; 4]) {
    for (to, number) in to.iter().zip(numbers) {
        to.store(number, Ordering::Relaxed);
    }
}
