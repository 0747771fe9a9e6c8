use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::Stamp;
use crate::sync::{AtomicU64, Mutex, MutexGuard};
use crate::token::Token;

/// How many tokens share a set. Their slots are a cache line each, and the processor fetches them side by side.
const WAYS: usize = 8;

/// What a set is planned for: the memory of a token of about 700 bytes, its claims and all.
const PLANNED_TOKEN_BYTES: usize = 1536;

/// The table that all threads share: set-associative, bounded in bytes, in each set the clock algorithm.
///
/// It is laid out for few misses of the processor's caches, one after the other: the slots of a set; then, at the same
/// time, a token and its text, to which the slot has a pointer of its own. A look-up locks the slot alone; writers lock
/// the set beside.
pub(super) struct Back {
    sets: Box<[Set]>,
    /// The most bytes that the tokens of one set may take.
    set_bytes: usize,
}

#[derive(Default)]
struct Set {
    slots: [Slot; WAYS],
    writer: Mutex<Writer>,
}

/// One cache line.
#[derive(Default)]
#[repr(align(64))]
struct Slot {
    /// That of the entry, or 0. It is a hint, so that slots of others are not locked; only the writer changes it.
    tag: AtomicU64,
    entry: Mutex<Option<Entry>>,
}

/// The memory of a set without its tokens.
const SET_BYTES: usize = (WAYS + 1) * 64;

#[cfg(all(target_pointer_width = "64", not(tollgate_model)))]
const _: () = assert!(size_of::<Slot>() == 64 && size_of::<Set>() == SET_BYTES);

/// The fields are dropped in this order: the token wipes its text when nobody else has it.
struct Entry {
    text: Arc<str>,
    token: Arc<Token>,
    stamp: Stamp,
    /// Where in the text the token itself begins.
    jws: u32,
    /// Asked for since the hand went by.
    is_used: bool,
}

/// What those know of a set who change it.
#[derive(Default)]
struct Writer {
    /// Which slot is considered for eviction next.
    hand: usize,
    bytes: usize,
    evictions: u64,
}

impl Back {
    pub(super) fn new(bytes: usize) -> Self {
        let planned = (bytes / (WAYS * PLANNED_TOKEN_BYTES)).max(1);
        // A power of two, and not more memory than was granted.
        let sets = 1 << planned.ilog2();
        Back { sets: (0..sets).map(|_| Set::default()).collect(), set_bytes: (bytes / sets).saturating_sub(SET_BYTES) }
    }

    /// The token whose whole text is `jws`, unless it was verified before `oldest`.
    pub(super) fn find(&self, tag: u64, jws: &[u8], oldest: i64) -> Option<(Arc<Token>, Stamp)> {
        for slot in &self.set(tag).slots {
            if slot.tag.load(Ordering::Relaxed) != tag {
                continue;
            }
            let mut entry = lock(&slot.entry);
            // Whoever waits for this lock wants the same token, so that comparing it meanwhile keeps nobody else. The
            // token's age comes first for the processor to fetch it while it compares the text.
            let entry = entry.as_mut().filter(|entry| entry.token.times().verified_at >= oldest && entry.is(jws))?;
            entry.is_used = true;
            return Some((entry.token.clone(), entry.stamp));
        }
        None
    }

    pub(super) fn insert(&self, tag: u64, token: &Arc<Token>, stamp: Stamp) {
        let bytes = token.bytes();
        if bytes > self.set_bytes {
            return;
        }
        // Freed after the lock is released.
        let mut evicted: [Option<Entry>; WAYS] = Default::default();
        let set = self.set(tag);
        let mut writer = lock(&set.writer);
        if let Some(way) = set.way_of(tag) {
            evicted[way] = set.take(way, &mut writer);
        }
        while writer.bytes + bytes > self.set_bytes || set.way_of(0).is_none() {
            let way = set.next_victim(&mut writer);
            evicted[way] = set.take(way, &mut writer);
            writer.evictions += 1;
        }
        if let Some(way) = set.way_of(0) {
            let (text, jws) = token.text();
            let entry = Entry { text: text.clone(), token: token.clone(), stamp, jws: jws as u32, is_used: false };
            *lock(&set.slots[way].entry) = Some(entry);
            set.slots[way].tag.store(tag, Ordering::Relaxed);
            writer.bytes += bytes;
        }
        drop(writer);
    }

    /// Marks `token`, if it is still there.
    pub(super) fn restamp(&self, tag: u64, token: &Arc<Token>, stamp: Stamp) {
        for slot in self.set(tag).slots.iter().filter(|slot| slot.tag.load(Ordering::Relaxed) == tag) {
            if let Some(entry) = lock(&slot.entry).as_mut().filter(|entry| Arc::ptr_eq(&entry.token, token)) {
                entry.stamp = stamp;
            }
        }
    }

    pub(super) fn remove(&self, tag: u64) {
        let set = self.set(tag);
        let mut writer = lock(&set.writer);
        let removed = set.way_of(tag).and_then(|way| set.take(way, &mut writer));
        drop(writer);
        drop(removed);
    }

    /// The memory of the table and of the tokens in it.
    pub(super) fn bytes(&self) -> usize {
        self.sets.iter().map(|set| lock(&set.writer).bytes + SET_BYTES).sum()
    }

    pub(super) fn evictions(&self) -> u64 {
        self.sets.iter().map(|set| lock(&set.writer).evictions).sum()
    }

    fn set(&self, tag: u64) -> &Set {
        // Other bits than those by which the threads' tables are indexed.
        &self.sets[(tag >> 32) as usize & (self.sets.len() - 1)]
    }
}

/// For the writer alone.
impl Set {
    fn way_of(&self, tag: u64) -> Option<usize> {
        self.slots.iter().position(|slot| slot.tag.load(Ordering::Relaxed) == tag)
    }

    fn take(&self, way: usize, writer: &mut Writer) -> Option<Entry> {
        let slot = &self.slots[way];
        slot.tag.store(0, Ordering::Relaxed);
        let entry = lock(&slot.entry).take()?;
        writer.bytes -= entry.token.bytes();
        Some(entry)
    }

    /// The next way that holds a token and was not used since the hand went by it last. To be called while there is a
    /// token in the set.
    fn next_victim(&self, writer: &mut Writer) -> usize {
        loop {
            let way = writer.hand;
            writer.hand = (way + 1) % WAYS;
            if let Some(entry) = &mut *lock(&self.slots[way].entry)
                && !std::mem::take(&mut entry.is_used)
            {
                return way;
            }
        }
    }
}

impl Entry {
    fn is(&self, jws: &[u8]) -> bool {
        self.text.as_bytes()[self.jws as usize..] == *jws
    }
}

/// Nothing under the lock can panic half-way, so that a poisoned one is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
