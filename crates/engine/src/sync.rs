//! The types that threads synchronise with: from the standard library and arc-swap, or from loom where
//! `tests/removal_model` tries every order of operations.

#[cfg(not(tollgate_model))]
pub(crate) use {
    arc_swap::{ArcSwap, ArcSwapOption, Guard},
    std::hash::RandomState,
    std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize},
    std::sync::{Mutex, MutexGuard},
    std::thread_local,
};

#[cfg(tollgate_model)]
pub(crate) use {
    loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize},
    loom::sync::{Mutex, MutexGuard},
    loom::thread_local,
    tollgate_keys::sync::{ArcSwap, ArcSwapOption, Guard},
};

/// Each run of a model must be the same, hash tables included.
#[cfg(tollgate_model)]
pub(crate) type RandomState = std::hash::BuildHasherDefault<std::hash::DefaultHasher>;
