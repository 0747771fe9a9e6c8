use std::sync::{Arc, OnceLock};

use tokio::task::AbortHandle;
use tollgate_keys::{KeyRefresher, Refreshed};

use crate::waiting::Waiting;

/// A handle of the task that refreshes one ring. The ring owns the handle, so the task ends when the ring has no
/// reader.
pub(crate) struct Task {
    waiting: Arc<Waiting>,
    /// Set when the task has been spawned.
    handle: OnceLock<AbortHandle>,
}

impl Task {
    pub(crate) fn new(waiting: Arc<Waiting>) -> Self {
        Task { waiting, handle: OnceLock::new() }
    }

    pub(crate) fn set(&self, handle: AbortHandle) {
        self.handle.get_or_init(|| handle);
    }

    pub(crate) fn stop(&self) {
        if let Some(handle) = self.handle.get() {
            handle.abort();
        }
    }
}

impl KeyRefresher for Task {
    fn unknown_key(&self, kid: Option<&str>) {
        self.waiting.unknown_key(kid);
    }

    fn refreshed<'r>(&'r self, kid: Option<&'r str>) -> Option<Refreshed<'r>> {
        self.waiting.refreshed(kid)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.stop();
    }
}
