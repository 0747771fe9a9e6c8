use crate::digest::Digest;
use crate::limits::LAST_USES_PER_SEAT;
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// The last use of keys, sampled.
///
/// Each thread writes to a slot of its own, so that threads neither wait for each other nor share memory. Memory is
/// bounded: a slot notes at most [`LAST_USES_PER_SEAT`] keys until the owner [drains](Self::drain) it, and ignores
/// further keys. A noted key was used; a key that is not noted may have been used too.
///
/// ```
/// use std::num::NonZeroU32;
/// use tollgate_apikeys::{Digest, LastUse};
///
/// let (last_use, digest) = (LastUse::one_in(NonZeroU32::MIN), Digest::from_bytes([7; 32]));
/// last_use.note(&digest, 1_763_800_000);
/// last_use.note(&digest, 1_763_800_007);
/// assert_eq!(last_use.drain(), [(digest, 1_763_800_007)]);
/// assert_eq!(last_use.drain(), []);
/// ```
pub struct LastUse {
    slots: Box<[UseSlot]>,
    one_in: NonZeroU32,
}

/// Aligned to two cache lines: the processor fetches them in pairs.
#[repr(align(128))]
struct UseSlot(Mutex<HashMap<Digest, i64>>);

impl LastUse {
    /// Notes one of `uses` uses on each thread.
    #[must_use]
    pub fn one_in(uses: NonZeroU32) -> Self {
        // Allocates all memory that `note` may need.
        let slot = || HashMap::with_capacity(LAST_USES_PER_SEAT);
        Self { slots: (0..slot_count()).map(|_| UseSlot(Mutex::new(slot()))).collect(), one_in: uses }
    }

    /// Notes that the key with this digest was used at `now`, in seconds since the Unix epoch, if this use is one to be
    /// sampled. Never waits: a use is not noted while the thread's slot is being drained.
    #[inline]
    pub fn note(&self, digest: &Digest, now: i64) {
        thread_local! {
            static USES: Cell<u32> = const { Cell::new(0) };
        }
        let uses = USES.get().wrapping_add(1);
        USES.set(uses);
        if uses.is_multiple_of(self.one_in.get()) {
            self.note_now(digest, now);
        }
    }

    fn note_now(&self, digest: &Digest, now: i64) {
        if let Ok(mut slot) = self.slots[thread_number() & (self.slots.len() - 1)].0.try_lock() {
            if let Some(last) = slot.get_mut(digest) {
                *last = now.max(*last);
            } else if slot.len() < LAST_USES_PER_SEAT {
                slot.insert(*digest, now);
            }
        }
    }

    /// Returns the uses noted since the last call: each key once, with the latest time. For the owner's background
    /// work.
    #[must_use]
    pub fn drain(&self) -> Vec<(Digest, i64)> {
        let mut latest = HashMap::new();
        for slot in &self.slots {
            // A note is complete or absent, so a poisoned lock is safe to use.
            for (digest, time) in slot.0.lock().unwrap_or_else(PoisonError::into_inner).drain() {
                let last = latest.entry(digest).or_insert(time);
                *last = time.max(*last);
            }
        }
        latest.into_iter().collect()
    }
}

/// Four times as many as threads can run at once, so that two threads seldom share one. A power of two.
fn slot_count() -> usize {
    4 * thread::available_parallelism().map_or(1, usize::from).next_power_of_two()
}

/// Numbers threads in the order of their first note.
fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| *number)
}

impl fmt::Debug for LastUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastUse").field("one_in", &self.one_in).finish_non_exhaustive()
    }
}
