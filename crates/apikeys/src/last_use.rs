use crate::digest::Digest;
use crate::limits::LAST_USES_PER_SEAT;
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// When keys were last used, as far as some uses of all are noted.
///
/// Each thread notes at a seat of its own, so that no two wait for each other or write to the same memory. What is noted
/// is bounded: until the owner [drains](Self::drain) it, a seat takes in [`LAST_USES_PER_SEAT`] keys, and further ones
/// are not noted. It says that a key was used, and not that one was not.
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
    seats: Box<[Seat]>,
    one_in: NonZeroU32,
}

/// Two cache lines: the processor fetches them in pairs.
#[repr(align(128))]
struct Seat(Mutex<HashMap<Digest, i64>>);

impl LastUse {
    /// Notes one of so many uses, by each thread.
    #[must_use]
    pub fn one_in(uses: NonZeroU32) -> Self {
        // All memory that a note may need is there from the beginning.
        let seat = || HashMap::with_capacity(LAST_USES_PER_SEAT);
        Self { seats: (0..seat_count()).map(|_| Seat(Mutex::new(seat()))).collect(), one_in: uses }
    }

    /// Notes that the key of this digest was used at `now`, in seconds since the Unix epoch, if it is this use's turn. Waits
    /// for nobody: while its seat is being drained, a use is not noted.
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
        if let Ok(mut seat) = self.seats[thread_number() & (self.seats.len() - 1)].0.try_lock() {
            if let Some(last) = seat.get_mut(digest) {
                *last = now.max(*last);
            } else if seat.len() < LAST_USES_PER_SEAT {
                seat.insert(*digest, now);
            }
        }
    }

    /// What was noted since the last time: each key once, with the latest time. For the owner's background work.
    #[must_use]
    pub fn drain(&self) -> Vec<(Digest, i64)> {
        let mut latest = HashMap::new();
        for seat in &self.seats {
            // A note is made whole or not at all.
            for (digest, time) in seat.0.lock().unwrap_or_else(PoisonError::into_inner).drain() {
                let last = latest.entry(digest).or_insert(time);
                *last = time.max(*last);
            }
        }
        latest.into_iter().collect()
    }
}

/// Four times as many as threads can run: two seldom meet. A power of two.
fn seat_count() -> usize {
    4 * thread::available_parallelism().map_or(1, usize::from).next_power_of_two()
}

/// Threads are numbered as they come.
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
