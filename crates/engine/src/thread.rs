//! The state that a thread keeps from one verify to the next.

use std::cell::Cell;

use tollgate_jwt::{HeaderCache, json};
use zeroize::optimization_barrier;

use crate::cache::{self, Fronts};
use crate::sync::thread_local;
use crate::token::FieldsBuffer;

/// Memory for the current token, so that a verify allocates only what its `Principal` keeps, and the thread's tables of
/// the caches.
#[derive(Default)]
pub(crate) struct Thread {
    pub(crate) fronts: Fronts,
    pub(crate) headers: HeaderCache,
    pub(crate) claims: json::Buffer,
    pub(crate) signature: Signature,
    pub(crate) fields: FieldsBuffer,
}

thread_local! {
    /// Absent before the first verify, and while a verify uses it.
    static STATE: Cell<Option<Box<Thread>>> = Cell::default();
}

std::thread_local! {
    /// The number of dropped caches when this thread last released its tables of them.
    static RELEASED: Cell<u64> = const { Cell::new(0) };
}

impl Thread {
    /// Passes this thread's state to `work`. A verify inside another one, or in a destructor that runs after the
    /// state's own, gets a new state.
    pub(crate) fn with<R>(work: impl FnOnce(&mut Thread) -> R) -> R {
        let mut thread = STATE.try_with(Cell::take).ok().flatten().unwrap_or_default();
        let released = RELEASED.get();
        let result = work(&mut thread);
        // An ending thread keeps no state.
        let _ = STATE.try_with(|state| state.set(Some(thread)));
        if RELEASED.get() != released {
            // A verify inside this one has seen the dropped caches, but could not wipe the tables in use here.
            Self::release_tables();
        }
        result
    }

    /// Wipes this thread's tables of engines that have been dropped. Every verify, of any engine, calls it.
    pub(crate) fn release_dropped() {
        let dropped = cache::dropped();
        if RELEASED.replace(dropped) != dropped {
            Self::release_tables();
        }
    }

    #[cold]
    fn release_tables() {
        if let Ok(Some(mut thread)) = STATE.try_with(Cell::take) {
            thread.fronts.release_dropped();
            STATE.with(|state| state.set(Some(thread)));
        }
    }
}

/// Memory for the decoded signature of the current token. It has one only while it is checked.
#[derive(Default)]
pub(crate) struct Signature(Vec<u8>);

impl Signature {
    /// Lends the memory to `check`, and then wipes it.
    pub(crate) fn with<R>(&mut self, check: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let result = check(&mut self.0);
        self.wipe();
        result
    }

    fn wipe(&mut self) {
        if self.0.is_empty() {
            // The part that could be decoded of a malformed signature may lie beyond the end.
            self.0.resize(self.0.capacity(), 0);
        }
        // At once, while `Zeroize` writes one byte after the other.
        self.0.fill(0);
        optimization_barrier(&*self.0);
        self.0.clear();
    }
}

impl Drop for Signature {
    fn drop(&mut self) {
        // A check that panicked has left the signature.
        self.wipe();
    }
}
