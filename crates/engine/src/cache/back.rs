use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;

use super::Tag;
use crate::sync::{AtomicU64, AtomicUsize, Mutex, MutexGuard};
use crate::token::Token;

/// Slots per set.
const WAYS: usize = if cfg!(tollgate_model) { 2 } else { 16 };

/// The memory planned per slot: that of a token of 400 bytes, with its claims. Larger tokens leave slots empty, so the
/// memory fills up before the sets do.
const PLANNED_TOKEN_BYTES: usize = if cfg!(tollgate_model) { 8192 } else { 720 };

/// The most shares of equal size that the memory is divided into, and the smallest size of one.
const MAX_SHARES: usize = 16;
const MIN_SHARE_BYTES: usize = 1 << 20;

/// The most used tokens that one eviction spares.
const SPARED: usize = 16;

/// The table that all threads share: set-associative, and bounded in bytes per share of many sets, so a set with many
/// or large tokens uses memory that others leave free. The clock algorithm evicts tokens.
///
/// A look-up costs two successive misses of the processor's caches: a slot, and the token that it points to. A look-up
/// begins at the slot of the set where the token usually is, and locks only the token's slot. So do insertion and
/// removal: no thread holds two locks.
pub(super) struct Back {
    slots: Box<[Slot]>,
    shares: Box<[Share]>,
    /// The most bytes that the tokens of one share may take.
    share_bytes: usize,
}

/// Half a cache line.
#[derive(Default)]
#[repr(align(32))]
struct Slot {
    /// The token's tag, or [`VACANT`], with the bit [`USED`]. A hint that avoids locking the slots of other tokens. It
    /// changes only under the lock, except for [`USED`], which may be cleared at any time.
    tag: AtomicU64,
    token: Mutex<Option<Token>>,
}

#[cfg(all(target_pointer_width = "64", not(tollgate_model)))]
const _: () = assert!(size_of::<Slot>() == 32);

/// Stored instead of a tag in an empty slot. No tag equals it, since each has [`OCCUPIED`] set.
const VACANT: u64 = 0;

/// The bit of a slot with a token.
const OCCUPIED: u64 = 0b01;

/// The bit of a token that was found since the hand last passed it.
const USED: u64 = 0b10;

/// A part of the memory, with the sets that divide it among themselves. On cache lines of its own.
#[derive(Default)]
#[repr(align(128))]
struct Share {
    /// The memory of its tokens, including those that are about to be inserted.
    bytes: AtomicUsize,
    /// The slot that is considered next for eviction.
    hand: AtomicUsize,
    evictions: AtomicU64,
}

impl Back {
    pub(super) fn new(bytes: usize) -> Self {
        let shares = (bytes / MIN_SHARE_BYTES).clamp(1, MAX_SHARES);
        let sets = shares * (bytes / PLANNED_TOKEN_BYTES / WAYS / shares).max(1);
        let slots = sets * WAYS;
        Back {
            slots: (0..slots).map(|_| Slot::default()).collect(),
            shares: (0..shares).map(|_| Share::default()).collect(),
            share_bytes: bytes.saturating_sub(table_bytes(slots, shares)) / shares,
        }
    }

    /// Finds the token with this tag for which `is` holds.
    pub(super) fn find(&self, tag: Tag, is: impl Fn(&Token) -> bool) -> Option<Token> {
        let slot = self.set(tag).find(|slot| slot.has(tag))?;
        let token = slot.lock();
        // A thread that waits for this lock wants the same token, so comparing under the lock delays no other.
        let token = token.as_ref().filter(|token| is(token))?;
        slot.mark_used();
        Some(token.clone())
    }

    /// Inserts a token in place of an earlier one with its tag, and evicts others until there is room.
    pub(super) fn insert(&self, tag: Tag, token: &Token) {
        let bytes = token.bytes();
        if bytes > self.share_bytes {
            return;
        }
        self.remove(tag);
        let (share, slots) = self.share(tag);
        // Counted before the insertion, so that the memory never exceeds the limit.
        share.bytes.fetch_add(bytes, Relaxed);
        while share.bytes.load(Relaxed) > self.share_bytes {
            if !share.evict(slots) {
                // All counted tokens are about to be inserted by other threads.
                share.bytes.fetch_sub(bytes, Relaxed);
                return;
            }
        }
        let before = self.place_for(tag).replace(occupied(tag), Some(token.clone()));
        share.forget(before, true);
    }

    pub(super) fn remove(&self, tag: Tag) {
        // Two slots have the tag if two threads inserted the same token at once.
        for slot in self.set(tag).filter(|slot| slot.has(tag)) {
            self.share(tag).0.forget(slot.replace(VACANT, None), false);
        }
    }

    /// The memory of the table and of the tokens in it.
    pub(super) fn bytes(&self) -> usize {
        let tokens: usize = self.shares.iter().map(|share| share.bytes.load(Relaxed)).sum();
        table_bytes(self.slots.len(), self.shares.len()) + tokens
    }

    pub(super) fn evictions(&self) -> u64 {
        self.shares.iter().map(|share| share.evictions.load(Relaxed)).sum()
    }

    /// The slots that may hold a token with this tag, beginning with the one that usually does.
    fn set(&self, tag: Tag) -> impl Iterator<Item = &Slot> {
        let first = tag.index(self.slots.len() / WAYS) * WAYS;
        let (before, from) = self.slots[first..first + WAYS].split_at(tag.0 as usize / 4 % WAYS);
        from.iter().chain(before)
    }

    /// The share of the tag's set, and the share's slots.
    fn share(&self, tag: Tag) -> (&Share, &[Slot]) {
        // All shares have the same number of sets, so the tag's set is among these slots.
        let (index, length) = (tag.index(self.shares.len()), self.slots.len() / self.shares.len());
        (&self.shares[index], &self.slots[index * length..][..length])
    }

    /// A vacant slot of the set, or else one whose token was not used lately, or else any.
    fn place_for(&self, tag: Tag) -> &Slot {
        let vacant = self.set(tag).find(|slot| slot.tag.load(Relaxed) == VACANT);
        let unused = || self.set(tag).find(|slot| !slot.take_used());
        vacant.or_else(unused).unwrap_or_else(|| self.set(tag).next().expect("a set has slots"))
    }
}

impl Share {
    /// Evicts the next token that was not used since the hand last passed it, or any token after [`SPARED`] used ones.
    /// Returns whether a token was evicted.
    fn evict(&self, slots: &[Slot]) -> bool {
        let mut spared = 0;
        // Two rounds: in a share with few tokens the first may spare them all.
        for _ in 0..2 * slots.len() {
            let slot = &slots[self.hand.fetch_add(1, Relaxed) % slots.len()];
            if slot.tag.load(Relaxed) == VACANT {
                continue;
            }
            if spared < SPARED && slot.take_used() {
                spared += 1;
            } else if let Some(token) = slot.replace(VACANT, None) {
                self.forget(Some(token), true);
                return true;
            }
        }
        false
    }

    /// Releases the memory of a token that was taken out.
    fn forget(&self, token: Option<Token>, is_evicted: bool) {
        if let Some(token) = token {
            self.bytes.fetch_sub(token.bytes(), Relaxed);
            self.evictions.fetch_add(u64::from(is_evicted), Relaxed);
        }
    }
}

impl Slot {
    fn has(&self, tag: Tag) -> bool {
        self.tag.load(Relaxed) & !USED == occupied(tag)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Token>> {
        // Nothing under the lock can panic half-way, so the content of a poisoned lock is consistent.
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Call it with the lock held, under which the tag does not change.
    fn mark_used(&self) {
        let tag = self.tag.load(Relaxed);
        if tag & USED == 0 {
            self.tag.store(tag | USED, Relaxed);
        }
    }

    fn take_used(&self) -> bool {
        self.tag.fetch_and(!USED, Relaxed) & USED != 0
    }

    /// Returns the previous token, to be dropped after the lock is released.
    fn replace(&self, tag: u64, token: Option<Token>) -> Option<Token> {
        let mut place = self.lock();
        self.tag.store(tag, Relaxed);
        std::mem::replace(&mut *place, token)
    }
}

/// Two bits of the tag are replaced by flags.
fn occupied(tag: Tag) -> u64 {
    tag.0 & !USED | OCCUPIED
}

fn table_bytes(slots: usize, shares: usize) -> usize {
    slots * size_of::<Slot>() + shares * size_of::<Share>()
}
