use crate::database::connect_reader;
use crate::error::{SqliteError, gone};
use crate::joined::Joined;
use crate::limits::MAX_WAITING_READS;
use rusqlite::{Connection, Transaction};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use tokio::sync::{mpsc, oneshot};
use tollgate_storage::StorageError;

/// A reading connection on its own thread, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Reader {
    work: mpsc::Sender<Work>,
    /// Dropped after the sender, whose end stops the thread.
    _thread: Joined,
}

type Work = Box<dyn FnOnce(&mut Connection) + Send>;

impl Reader {
    pub(crate) fn open(file: &Path) -> Result<Self, SqliteError> {
        let mut connection = connect_reader(file)?;
        let (sender, mut works) = mpsc::channel::<Work>(MAX_WAITING_READS);
        let thread = Joined::spawn("tollgate-reader", move || {
            while let Some(work) = works.blocking_recv() {
                // Unwinding rolls the transaction back and drops the sender of the answer.
                let _ = catch_unwind(AssertUnwindSafe(|| work(&mut connection)));
            }
        })?;
        Ok(Self { work: sender, _thread: thread })
    }

    /// Runs `work` in one transaction, which sees one state.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let (answer, answered) = oneshot::channel();
        let work = move |connection: &mut Connection| {
            let read = connection.transaction().map_err(SqliteError::from).and_then(|transaction| work(&transaction));
            // The caller may be gone.
            let _ = answer.send(read.map_err(StorageError::from));
        };
        self.work.send(Box::new(work)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}
