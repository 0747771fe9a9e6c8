use crate::error::SqliteError;
use std::thread::{self, JoinHandle};
use tollgate_storage::StorageError;

/// A thread that is joined on drop; its connection is then closed.
#[derive(Debug)]
pub(crate) struct Joined(Option<JoinHandle<()>>);

impl Joined {
    pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<Self, SqliteError> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(work).map_err(StorageError::failed)?;
        Ok(Self(Some(thread)))
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            thread.thread().unpark();
            if thread.thread().id() != thread::current().id() {
                // A thread that panicked has ended, and has reported the panic on standard error.
                let _ = thread.join();
            }
        }
    }
}
