//! What threads share, and with it the order of what they do: from the standard library and arc-swap, or from loom where
//! `tests/removal_model` of the engine tries every order.

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
