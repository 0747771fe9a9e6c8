//! What a thread keeps from one verify to the next.

use std::cell::Cell;

use tollgate_jwt::{HeaderCache, json};
use zeroize::optimization_barrier;

use crate::cache::{self, Fronts};
use crate::sync::thread_local;
use crate::token::FieldsBuffer;

/// Memory for the token at hand, so that a verify allocates only what its `Principal` keeps, and the thread's part of the
/// caches.
#[derive(Default)]
pub(crate) struct Thread {
    pub(crate) fronts: Fronts,
    pub(crate) headers: HeaderCache,
    pub(crate) claims: json::Buffer,
    pub(crate) signature: Signature,
    pub(crate) fields: FieldsBuffer,
}

thread_local! {
    /// Absent before the first verify, and taken out while one uses it.
    static STATE: Cell<Option<Box<Thread>>> = Cell::default();
}

std::thread_local! {
    /// How many caches had been dropped when this thread last let go of what it kept of them.
    static RELEASED: Cell<u64> = const { Cell::new(0) };
}

impl Thread {
    /// Gives `work` what this thread has kept. A verify inside another one, or in a destructor that runs after that of the
    /// thread's own state, works with a state that is new.
    pub(crate) fn with<R>(work: impl FnOnce(&mut Thread) -> R) -> R {
        let mut thread = STATE.try_with(Cell::take).ok().flatten().unwrap_or_default();
        let released = RELEASED.get();
        let result = work(&mut thread);
        // Where the thread ends there is nothing to keep it for.
        let _ = STATE.try_with(|state| state.set(Some(thread)));
        if RELEASED.get() != released {
            // A verify inside of this one has noticed what was dropped, but found nothing here to wipe.
            Self::release_tables();
        }
        result
    }

    /// Wipes what this thread kept of engines that have been dropped. To be called by every verify, of any engine.
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

/// Memory for the decoded signature of the token at hand. It holds one for as long as it is checked.
#[derive(Default)]
pub(crate) struct Signature(Vec<u8>);

impl Signature {
    /// Lends the memory to `check`, and wipes it.
    pub(crate) fn with<R>(&mut self, check: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let result = check(&mut self.0);
        self.wipe();
        result
    }

    fn wipe(&mut self) {
        if self.0.is_empty() {
            // What could be decoded of a malformed one may lie beyond the end.
            self.0.resize(self.0.capacity(), 0);
        }
        // At once, where `Zeroize` writes one byte after the other.
        self.0.fill(0);
        optimization_barrier(&*self.0);
        self.0.clear();
    }
}

impl Drop for Signature {
    fn drop(&mut self) {
        // There is something to wipe where a check has panicked.
        self.wipe();
    }
}
