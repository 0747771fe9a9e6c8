use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;

use super::Tag;
use crate::sync::{AtomicU64, AtomicUsize, Mutex, MutexGuard};
use crate::token::Token;

/// How many tokens share a set.
const WAYS: usize = if cfg!(tollgate_model) { 2 } else { 16 };

/// The memory for which a slot is planned: that of a token of 400 bytes, its claims and all. Larger tokens leave slots empty,
/// which keeps sets from filling up before the memory does.
const PLANNED_TOKEN_BYTES: usize = if cfg!(tollgate_model) { 8192 } else { 720 };

/// Into how many shares of equal size the memory is divided at most, and the least that makes one.
const MAX_SHARES: usize = 16;
const MIN_SHARE_BYTES: usize = 1 << 20;

/// How many tokens are spared at most for having been used, to evict one.
const SPARED: usize = 16;

/// The table that all threads share: set-associative, and bounded in bytes over many sets at once, so that a set of many
/// tokens, or of large ones, lives on what others leave. Tokens are evicted by the clock algorithm.
///
/// It is laid out for two misses of the processor's caches, one after the other: a slot, and the token that it points to. A
/// look-up begins in its set where the token is most of the time, and locks the token's slot alone. So does whoever puts a
/// token there or takes one out: nobody holds two locks.
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
    /// That of the token, or [`VACANT`], and [`USED`] or not. It is a hint, so that slots of others are not locked; it changes
    /// under the lock, but for [`USED`], which may be cleared at any time.
    tag: AtomicU64,
    token: Mutex<Option<Token>>,
}

#[cfg(all(target_pointer_width = "64", not(tollgate_model)))]
const _: () = assert!(size_of::<Slot>() == 32);

/// In place of a tag. It is none: a tag has [`OCCUPIED`] set.
const VACANT: u64 = 0;

/// Whether a slot has a token, ...
const OCCUPIED: u64 = 0b01;

/// ... and whether that was asked for since the hand went by.
const USED: u64 = 0b10;

/// A part of the memory, and of the sets that divide it among themselves. On cache lines of its own.
#[derive(Default)]
#[repr(align(128))]
struct Share {
    /// The memory of its tokens, and of those that are about to be put in.
    bytes: AtomicUsize,
    /// Which slot is considered for eviction next.
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

    /// The token of this tag, if it `is` the one.
    pub(super) fn find(&self, tag: Tag, is: impl Fn(&Token) -> bool) -> Option<Token> {
        let slot = self.set(tag).find(|slot| slot.has(tag))?;
        let token = slot.lock();
        // Whoever waits for this lock wants the same token, so that comparing it meanwhile keeps nobody else.
        let token = token.as_ref().filter(|token| is(token))?;
        slot.mark_used();
        Some(token.clone())
    }

    /// Puts a token in, in place of an earlier one of its tag, and of as many others as there is no room for.
    pub(super) fn insert(&self, tag: Tag, token: &Token) {
        let bytes = token.bytes();
        if bytes > self.share_bytes {
            return;
        }
        self.remove(tag);
        let (share, slots) = self.share(tag);
        // Counted before it is there, so that the memory is never more than was granted.
        share.bytes.fetch_add(bytes, Relaxed);
        while share.bytes.load(Relaxed) > self.share_bytes {
            if !share.evict(slots) {
                // All that is counted is about to be put in, by others.
                share.bytes.fetch_sub(bytes, Relaxed);
                return;
            }
        }
        let before = self.place_for(tag).replace(occupied(tag), Some(token.clone()));
        share.forget(before, true);
    }

    pub(super) fn remove(&self, tag: Tag) {
        // Two, where two threads put the same token in at once.
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

    /// The slots in which a token of this tag may be, beginning where it is most of the time.
    fn set(&self, tag: Tag) -> impl Iterator<Item = &Slot> {
        let first = tag.index(self.slots.len() / WAYS) * WAYS;
        let (before, from) = self.slots[first..first + WAYS].split_at(tag.0 as usize / 4 % WAYS);
        from.iter().chain(before)
    }

    /// The share that the tag's set belongs to, and its slots.
    fn share(&self, tag: Tag) -> (&Share, &[Slot]) {
        // The shares have equally many sets, so that the one of the tag is among these.
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
    /// Evicts the next token that was not used since the hand went by, or after some of them any. Returns whether there was
    /// one.
    fn evict(&self, slots: &[Slot]) -> bool {
        let mut spared = 0;
        // Once around where tokens are few, and on until one of those that were spared comes again.
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

    /// Gives back the memory of a token that was taken out.
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
        // Nothing under the lock can panic half-way, so that a poisoned one is as good as any.
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called under the lock, which keeps the tag as it is.
    fn mark_used(&self) {
        let tag = self.tag.load(Relaxed);
        if tag & USED == 0 {
            self.tag.store(tag | USED, Relaxed);
        }
    }

    fn take_used(&self) -> bool {
        self.tag.fetch_and(!USED, Relaxed) & USED != 0
    }

    /// Returns what was there, to be dropped when the lock is not held any more.
    fn replace(&self, tag: u64, token: Option<Token>) -> Option<Token> {
        let mut place = self.lock();
        self.tag.store(tag, Relaxed);
        std::mem::replace(&mut *place, token)
    }
}

/// Two bits of a tag do not count here.
fn occupied(tag: Tag) -> u64 {
    tag.0 & !USED | OCCUPIED
}

fn table_bytes(slots: usize, shares: usize) -> usize {
    slots * size_of::<Slot>() + shares * size_of::<Share>()
}
