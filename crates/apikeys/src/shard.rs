//! One shard: readers that take no lock beside one writer at a time.

use crate::slots::Slots;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::{hint, thread};

/// A sequence lock. A writer makes the version odd, changes the slots, and makes it even again; a reader looks, and
/// looks once more when the version was odd or is another one afterwards. So readers write nothing.
///
/// The fences pair as in H.-J. Boehm, "Can seqlocks get along with programming language memory models?" (2012).
#[repr(align(64))]
pub(crate) struct Shard {
    version: AtomicU64,
    slots: Slots,
}

/// A writer is at work for less time than this many looks at the version take, unless its processor was taken from it.
const LOOKS_BEFORE_YIELDING: u32 = 128;

impl Shard {
    pub(crate) fn new(slots: Slots) -> Self {
        Self { version: AtomicU64::new(0), slots }
    }

    /// What `look` says of the slots between two changes. It may be called several times, and its outcome thrown away.
    #[inline]
    pub(crate) fn read<T>(&self, look: impl Fn(&Slots) -> T) -> T {
        let mut looks = 0;
        loop {
            let before = self.version.load(Ordering::Acquire);
            if before.is_multiple_of(2) {
                let seen = look(&self.slots);
                fence(Ordering::Acquire);
                if self.version.load(Ordering::Relaxed) == before {
                    return seen;
                }
            }
            looks += 1;
            if looks < LOOKS_BEFORE_YIELDING { hint::spin_loop() } else { thread::yield_now() }
        }
    }

    /// Changes the slots. Only the one writer whose turn it is may call this.
    pub(crate) fn write(&self, change: impl FnOnce(&Slots)) {
        let before = self.version.load(Ordering::Relaxed);
        self.version.store(before + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        change(&self.slots);
        self.version.store(before + 2, Ordering::Release);
    }

    /// The slots as the one writer whose turn it is sees them.
    pub(crate) fn slots(&self) -> &Slots {
        &self.slots
    }
}
