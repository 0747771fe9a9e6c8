//! The types that threads share: from the standard library and arc-swap, or from loom where `tests/removal_model` tries
//! every order of the threads.

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

/// The model of arc-swap is shared with `tollgate-keys`.
#[cfg(tollgate_model)]
#[path = "../../keys/src/sync/model.rs"]
#[expect(dead_code, unreachable_pub, reason = "written for another crate, of which this one uses a part")]
mod model;

/// loom needs every run of a model to be deterministic.
#[cfg(tollgate_model)]
pub(crate) type RandomState = std::hash::BuildHasherDefault<std::hash::DefaultHasher>;

/// Takes a lock and ignores poisoning: no lock of this crate protects a half-made change while a caller's code can
/// panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Drops a retired value, if possible not on a reader's thread. A reader that still uses it does so for less than a
/// microsecond, unless the operating system has suspended the reader.
pub(crate) fn retire<T>(old: Arc<T>) {
    const LOOKS: u32 = if cfg!(tollgate_model) { 0 } else { 1_000 };
    for _ in 0..LOOKS {
        if Arc::strong_count(&old) == 1 {
            break;
        }
        std::thread::yield_now();
    }
}
