//! The types that threads share: from the standard library and arc-swap, or from loom where the engine's
//! `tests/removal_model` tries every order of the threads.

#[cfg(tollgate_model)]
mod model;

#[cfg(not(tollgate_model))]
pub(crate) use {
    arc_swap::{ArcSwap, Guard},
    std::sync::Mutex,
    std::sync::atomic::AtomicU64,
};

#[cfg(tollgate_model)]
pub use model::{ArcSwap, ArcSwapAny, ArcSwapOption, Guard};
#[cfg(tollgate_model)]
pub(crate) use {loom::sync::Mutex, loom::sync::atomic::AtomicU64};
