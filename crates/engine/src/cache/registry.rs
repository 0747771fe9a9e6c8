//! The registry of living caches. Threads find their tables by a cache's index, and drop the tables of dropped caches.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The living caches.
static LIVING: Mutex<Living> = Mutex::new(Living { serials: Vec::new(), latest: 0 });

static DROPPED: AtomicU64 = AtomicU64::new(0);

/// The number of caches dropped so far. A thread that has tables of caches reads it at every verify, which is cheap:
/// the memory is hardly ever written.
pub(crate) fn dropped() -> u64 {
    DROPPED.load(Ordering::Acquire)
}

/// Locks the registry: no cache is created or dropped meanwhile.
pub(super) fn living() -> MutexGuard<'static, Living> {
    // Nothing under the lock can panic half-way.
    LIVING.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) struct Living {
    /// The serial numbers by index; 0 for a free index.
    serials: Vec<u64>,
    latest: u64,
}

impl Living {
    pub(super) fn has(&self, index: usize, serial: u64) -> bool {
        self.serials.get(index) == Some(&serial)
    }
}

/// A cache's entry in the registry, until the cache is dropped.
pub(super) struct Registration {
    /// Small, since each thread has an array by index. Reused after the cache is dropped.
    index: usize,
    /// Never reused, and not 0.
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
        // Counted after the removal, so that a thread that sees the count finds the cache gone.
        DROPPED.fetch_add(1, Ordering::Release);
    }
}
