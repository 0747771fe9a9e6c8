//! Which caches there are, so that threads find their part of one by its number, and let go of it when it is gone.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The living caches.
static LIVING: Mutex<Living> = Mutex::new(Living { serials: Vec::new(), latest: 0 });

/// How many caches were dropped so far.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// How many caches were dropped so far. A thread that keeps something of a cache looks here at every verify: it is one load of
/// memory that is hardly ever written.
pub(crate) fn dropped() -> u64 {
    DROPPED.load(Ordering::Acquire)
}

/// Those that are there now. Caches are neither made nor dropped while this is looked at.
pub(super) fn living() -> MutexGuard<'static, Living> {
    // Nothing under the lock can panic half-way.
    LIVING.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) struct Living {
    /// By index; 0 where there is none.
    serials: Vec<u64>,
    latest: u64,
}

impl Living {
    pub(super) fn has(&self, index: usize, serial: u64) -> bool {
        self.serials.get(index) == Some(&serial)
    }
}

/// A cache's place among the living, until it is dropped.
pub(super) struct Registration {
    /// Small: threads have arrays of what they keep of each cache. Used again when the cache is gone.
    index: usize,
    /// Never used again, and not 0.
    serial: u64,
}

impl Registration {
    pub(super) fn new() -> Self {
        let living = &mut *living();
        living.latest += 1;
        let index = living.serials.iter().position(|serial| *serial == 0).unwrap_or_else(|| {
            living.serials.push(0);
            living.serials.len() - 1
        });
        living.serials[index] = living.latest;
        Registration { index, serial: living.latest }
    }

    pub(super) fn index(&self) -> usize {
        self.index
    }

    pub(super) fn serial(&self) -> u64 {
        self.serial
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        living().serials[self.index] = 0;
        // Once it is not there any more, so that who sees this finds it gone.
        DROPPED.fetch_add(1, Ordering::Release);
    }
}
