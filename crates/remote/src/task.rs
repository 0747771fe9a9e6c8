use std::sync::{Arc, OnceLock};

use tokio::task::AbortHandle;
use tollgate_keys::{KeyRefresher, Refreshed};

use crate::waiting::Waiting;

/// The task that refreshes one ring, which owns this: the task ends when nobody reads the ring any more.
pub(crate) struct Task {
    waiting: Arc<Waiting>,
    /// Set as soon as the task runs.
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
