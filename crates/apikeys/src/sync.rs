//! What threads share, and with it the order of what they do: from the standard library and arc-swap, or from loom where
//! `tests/removal_model` tries every order.

use std::sync::{Arc, PoisonError};

#[cfg(not(tollgate_model))]
pub(crate) use {
    arc_swap::ArcSwap,
    std::hash::RandomState,
    std::sync::atomic::{AtomicU32, AtomicUsize},
    std::sync::{Mutex, MutexGuard},
};

#[cfg(tollgate_model)]
pub(crate) use {
    loom::sync::atomic::{AtomicU32, AtomicUsize},
    loom::sync::{Mutex, MutexGuard},
    model::ArcSwap,
};

/// The stand-in for arc-swap is that of `tollgate-keys`.
#[cfg(tollgate_model)]
#[path = "../../keys/src/sync/model.rs"]
#[expect(dead_code, unreachable_pub, reason = "written for another crate, of which this one uses a part")]
mod model;

/// Each run of a model has to take the same way through hash tables.
#[cfg(tollgate_model)]
pub(crate) type RandomState = std::hash::BuildHasherDefault<std::hash::DefaultHasher>;

/// What a lock of this crate protects is whole whenever a caller's code can panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Drops what no new reader sees, but not on a reader's time: whoever still reads in it does so for less than a
/// microsecond, unless its processor was taken from it.
pub(crate) fn retire<T>(old: Arc<T>) {
    const LOOKS: u32 = if cfg!(tollgate_model) { 0 } else { 1_000 };
    for _ in 0..LOOKS {
        if Arc::strong_count(&old) == 1 {
            break;
        }
        std::thread::yield_now();
    }
}
