//! Many keys in many shards, each behind its own lock.

use crate::digest::Digest;
use crate::hasher::PlacementKey;
use crate::slots::Slots;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};

pub(crate) struct Shards<R> {
    shards: Box<[Shard<R>]>,
    placement: PlacementKey,
}

/// Readers wait for nothing but the moving of a few slots. What takes longer (growing, copying) is done under `turn`
/// with the slots locked for reading: it keeps the other writers away, which would otherwise queue at the slots' lock,
/// where new readers would queue behind them.
///
/// Two cache lines each: the processor fetches lines in pairs, and a lock word is written by every reader.
#[repr(align(128))]
struct Shard<R> {
    slots: RwLock<Slots<R>>,
    turn: Mutex<()>,
}

impl<R> Shards<R> {
    /// Room for `keys` in `shards`, a power of two, wherever each of them falls.
    pub(crate) fn with_room(keys: usize, shards: usize, placement: PlacementKey) -> Self {
        // Shards fill unevenly, with the square root of their mean as deviation; four of it are exceeded by one in 30,000.
        let mean = keys.div_ceil(shards);
        let room = if keys == 0 { 0 } else { mean + 4 * mean.isqrt() };
        let shard = || Shard { slots: RwLock::new(Slots::with_room(room)), turn: Mutex::new(()) };
        Self { shards: (0..shards).map(|_| shard()).collect(), placement }
    }

    /// As many shards with the same placement: shard for shard the same keys belong into both.
    pub(crate) fn twin_with_room(&self, keys: usize) -> Self {
        Self::with_room(keys, self.shards.len(), self.placement.clone())
    }

    #[inline]
    pub(crate) fn get(&self, digest: &Digest) -> Option<Arc<R>> {
        let shard = self.shard(digest);
        // A lock poisoned by a panic amid a change fails closed: nothing is found there any more.
        let slots = shard.slots.read().ok()?;
        slots.find(&self.placement, digest).cloned()
    }

    pub(crate) fn insert(&self, digest: Digest, record: Arc<R>) -> Option<Arc<R>> {
        let shard = self.shard(&digest);
        let _turn = shard.turn();
        let outgrown = shard.make_room(&self.placement);
        let displaced = shard.write().insert(&self.placement, digest, record);
        drop(outgrown);
        displaced
    }

    pub(crate) fn remove_if(&self, digest: &Digest, condition: impl FnOnce(&Arc<R>) -> bool) -> Option<Arc<R>> {
        let shard = self.shard(digest);
        let _turn = shard.turn();
        shard.write().remove_if(&self.placement, digest, condition)
    }

    pub(crate) fn count(&self) -> usize {
        self.shards.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.slots.read().map_or(0, |slots| slots.len())).sum()
    }

    /// A copy of what is in one shard.
    pub(crate) fn copy(&self, shard: usize) -> Vec<(Digest, Arc<R>)> {
        let shard = &self.shards[shard];
        let _turn = shard.turn();
        shard.slots.read().map_or_else(|_| Vec::new(), |slots| slots.iter().cloned().collect())
    }

    /// Every shard's turn, when whoever is growing or copying one has ended.
    pub(crate) fn turns(&self) -> impl Iterator<Item = MutexGuard<'_, ()>> {
        self.shards.iter().map(Shard::turn)
    }

    /// Every shard, locked for writing.
    pub(crate) fn write_all(&self) -> impl Iterator<Item = RwLockWriteGuard<'_, Slots<R>>> {
        self.shards.iter().map(Shard::write)
    }

    #[inline]
    fn shard(&self, digest: &Digest) -> &Shard<R> {
        &self.shards[self.placement.place(digest).shard(self.shards.len())]
    }
}

impl<R> Shard<R> {
    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Slots<R>> {
        // Stays poisoned, and thereby closed to readers.
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes room for one more key; returns the slots that were outgrown, to be freed later. By who has the turn.
    fn make_room(&self, placement: &PlacementKey) -> Option<Slots<R>> {
        let grown = {
            let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
            if slots.has_room() {
                return None;
            }
            slots.grown(placement)
        };
        Some(mem::replace(&mut *self.write(), grown))
    }
}
