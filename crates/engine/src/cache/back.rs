use std::sync::{Arc, PoisonError};

use super::Stamp;
use crate::sync::{Mutex, MutexGuard};
use crate::token::Token;

/// How many tokens share a set. Eight tags fill one cache line.
const WAYS: usize = 8;

/// What a set is planned for: the memory of a token of about 700 bytes, its claims and all.
const PLANNED_TOKEN_BYTES: usize = 1536;

/// The table that all threads share: set-associative, bounded in bytes, in each set the clock algorithm.
///
/// A set is locked for the few instructions that it takes to find or replace an entry; nothing is compared, computed or
/// freed meanwhile.
pub(super) struct Back {
    sets: Box<[Mutex<Set>]>,
    /// The most bytes that the tokens of one set may take.
    set_bytes: usize,
}

#[derive(Default)]
#[repr(align(64))]
struct Set {
    tags: [u64; WAYS],
    tokens: [Option<Arc<Token>>; WAYS],
    stamps: [Stamp; WAYS],
    /// One bit a way: asked for since the hand went by.
    used: u8,
    /// Which way is considered for eviction next.
    hand: usize,
    bytes: usize,
    evictions: u64,
}

impl Back {
    pub(super) fn new(bytes: usize) -> Self {
        let planned = (bytes / (WAYS * PLANNED_TOKEN_BYTES)).max(1);
        // A power of two, and not more memory than was granted.
        let sets = 1 << planned.ilog2();
        Back {
            sets: (0..sets).map(|_| Mutex::default()).collect(),
            set_bytes: (bytes / sets).saturating_sub(size_of::<Mutex<Set>>()),
        }
    }

    pub(super) fn find(&self, tag: u64) -> Option<(Arc<Token>, Stamp)> {
        let mut set = self.set(tag);
        let way = set.tags.iter().position(|one| *one == tag)?;
        set.used |= 1 << way;
        let token = set.tokens[way].clone()?;
        Some((token, set.stamps[way]))
    }

    pub(super) fn insert(&self, tag: u64, token: &Arc<Token>, stamp: Stamp) {
        let bytes = token.bytes();
        if bytes > self.set_bytes {
            return;
        }
        // Freed after the lock is released.
        let mut evicted: [Option<Arc<Token>>; WAYS] = Default::default();
        let mut set = self.set(tag);
        if let Some(way) = set.tags.iter().position(|one| *one == tag) {
            evicted[way] = set.take(way);
        }
        while set.bytes + bytes > self.set_bytes || set.tags.iter().all(|tag| *tag != 0) {
            let way = set.next_victim();
            evicted[way] = set.take(way);
            set.evictions += 1;
        }
        if let Some(way) = set.tags.iter().position(|tag| *tag == 0) {
            set.tags[way] = tag;
            set.stamps[way] = stamp;
            set.tokens[way] = Some(token.clone());
            set.bytes += bytes;
        }
        drop(set);
    }

    /// Marks `token`, if it is still there.
    pub(super) fn restamp(&self, tag: u64, token: &Arc<Token>, stamp: Stamp) {
        let mut set = self.set(tag);
        for way in 0..WAYS {
            if set.tags[way] == tag && set.tokens[way].as_ref().is_some_and(|one| Arc::ptr_eq(one, token)) {
                set.stamps[way] = stamp;
            }
        }
    }

    pub(super) fn remove(&self, tag: u64) {
        let mut set = self.set(tag);
        let removed = set.tags.iter().position(|one| *one == tag).and_then(|way| set.take(way));
        drop(set);
        drop(removed);
    }

    /// The memory of the table and of the tokens in it.
    pub(super) fn bytes(&self) -> usize {
        self.sets.iter().map(|set| lock(set).bytes + size_of::<Mutex<Set>>()).sum()
    }

    pub(super) fn evictions(&self) -> u64 {
        self.sets.iter().map(|set| lock(set).evictions).sum()
    }

    fn set(&self, tag: u64) -> MutexGuard<'_, Set> {
        // Other bits than those by which the threads' tables are indexed.
        lock(&self.sets[(tag >> 32) as usize & (self.sets.len() - 1)])
    }
}

impl Set {
    fn take(&mut self, way: usize) -> Option<Arc<Token>> {
        self.tags[way] = 0;
        self.used &= !(1 << way);
        let token = self.tokens[way].take()?;
        self.bytes -= token.bytes();
        Some(token)
    }

    /// The next way that holds a token and was not used since the hand went by it last. To be called while there is a
    /// token in the set.
    fn next_victim(&mut self) -> usize {
        loop {
            let way = self.hand;
            self.hand = (way + 1) % WAYS;
            let was_used = self.used & (1 << way) != 0;
            self.used &= !(1 << way);
            if self.tags[way] != 0 && !was_used {
                return way;
            }
        }
    }
}

/// Nothing under the lock can panic half-way, so that a poisoned one is as good as any.
fn lock(set: &Mutex<Set>) -> MutexGuard<'_, Set> {
    set.lock().unwrap_or_else(PoisonError::into_inner)
}
