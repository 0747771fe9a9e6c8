use crate::error::StorageError;
use parking_lot::Mutex;
use std::sync::Arc;

tokio::task_local! {
    static CURRENT: WriteGate;
}

/// Whether the work for a request may still write, and whether it has written.
///
/// A service that abandons a request closes its gate. If that succeeds, nothing was written and nothing will be.
/// Otherwise something was written, or may have been, and the response must say so. Each write of a store within
/// [`scope`](Self::scope) passes the gate right before its commit; other writes are not held back. A clone is the
/// same gate.
///
/// ```
/// use tollgate_storage::WriteGate;
///
/// let gate = WriteGate::default();
/// assert!(gate.close(), "nothing was written");
/// gate.sync_scope(|| assert!(WriteGate::pass(WriteGate::current()).is_err()));
/// ```
#[derive(Clone, Debug, Default)]
pub struct WriteGate(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    is_closed: bool,
    under_way: usize,
    has_written: bool,
}

/// A write that has passed the gate. It counts as written unless it is known to be [undone](Self::undone).
#[derive(Debug)]
#[must_use]
pub struct Passage {
    gate: Option<WriteGate>,
    is_undone: bool,
}

impl WriteGate {
    /// Makes every write in `future` pass this gate. Tasks that `future` spawns need the gate passed on.
    pub async fn scope<F: Future>(&self, future: F) -> F::Output {
        CURRENT.scope(self.clone(), future).await
    }

    /// Makes every write in `work` pass this gate.
    pub fn sync_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self.clone(), work)
    }

    /// The gate of the caller's writes, if any.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// Closes the gate to further writes, unless a write has passed that is not undone. Returns whether it is
    /// closed. Work that has begun to write may continue: half a change is worse than all of it.
    #[must_use]
    pub fn close(&self) -> bool {
        let mut state = self.0.lock();
        state.is_closed |= !state.may_have_written();
        state.is_closed
    }

    /// Whether something was written, or may have been.
    #[must_use]
    pub fn may_have_written(&self) -> bool {
        self.0.lock().may_have_written()
    }

    /// For stores: lets a write pass right before its commit.
    ///
    /// # Errors
    /// [`StorageError::Busy`] if the gate is closed; the store must not write then.
    pub fn pass(gate: Option<Self>) -> Result<Passage, StorageError> {
        if let Some(gate) = &gate {
            let mut state = gate.0.lock();
            if state.is_closed {
                return Err(StorageError::Busy);
            }
            state.under_way += 1;
        }
        Ok(Passage { gate, is_undone: false })
    }
}

impl State {
    fn may_have_written(&self) -> bool {
        self.has_written || self.under_way > 0
    }
}

impl Passage {
    /// The store has rolled the write back completely.
    pub fn undone(mut self) {
        self.is_undone = true;
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        if let Some(gate) = &self.gate {
            let mut state = gate.0.lock();
            state.under_way -= 1;
            state.has_written |= !self.is_undone;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(gate: &WriteGate) -> Result<Passage, StorageError> {
        WriteGate::pass(Some(gate.clone()))
    }

    #[test]
    fn a78_a_gate_that_is_closed_lets_nothing_pass_and_one_that_was_passed_is_not_closed() {
        let gate = WriteGate::default();
        pass(&gate).unwrap().undone();
        assert!(!gate.may_have_written());
        let under_way = pass(&gate).unwrap();
        assert!(!gate.close(), "it may be written");
        under_way.undone();
        assert!(gate.close());
        assert!(matches!(pass(&gate), Err(StorageError::Busy)));
        assert!(gate.close() && !gate.may_have_written());

        let gate = WriteGate::default();
        drop(pass(&gate).unwrap());
        assert!(!gate.close() && gate.may_have_written());
        assert!(pass(&gate).is_ok(), "what was begun goes on");
    }
}
