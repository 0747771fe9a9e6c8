//! What a thread keeps from one verify to the next.

use std::cell::Cell;

use tollgate_jwt::{HeaderCache, json};

use crate::cache::Fronts;
use crate::sync::thread_local;
use crate::token::TokenText;

/// Memory for the token at hand, so that a verify allocates only what its `Principal` keeps, and the thread's part of the
/// caches.
#[derive(Default)]
pub(crate) struct Thread {
    pub(crate) fronts: Fronts,
    pub(crate) headers: HeaderCache,
    pub(crate) claims: json::Buffer,
    pub(crate) signature: Vec<u8>,
    pub(crate) text: TokenText,
}

thread_local! {
    /// Absent before the first verify, and taken out while one uses it.
    static KEPT: Cell<Option<Box<Thread>>> = Cell::default();
}

impl Thread {
    /// Gives `work` what this thread has kept. A verify inside another one, or in a destructor that runs after that of the
    /// thread's own state, works with a state that is new.
    pub(crate) fn with<R>(work: impl FnOnce(&mut Thread) -> R) -> R {
        let mut thread = KEPT.try_with(Cell::take).ok().flatten().unwrap_or_default();
        let result = work(&mut thread);
        // Where the thread ends there is nothing to keep it for.
        let _ = KEPT.try_with(|kept| kept.set(Some(thread)));
        result
    }
}
