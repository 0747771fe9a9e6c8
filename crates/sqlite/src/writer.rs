use crate::error::{SqliteError, gone, of_sqlite};
use crate::joined::Joined;
use crate::limits::{MAX_WAITING_WRITES, WRITE_AHEAD_LOG_BYTES, WRITE_TIMEOUT, WRITES_PER_COMMIT};
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tollgate_storage::{StorageError, WriteGate};

/// The writing connection on its own thread, which ends when this is dropped.
///
/// Writes that wait during a commit are committed together, with one sync of the disk. Each has a savepoint, so that its
/// failure does not affect the others, and a deadline counted from its request, so that a queue does not lengthen the wait.
#[derive(Debug)]
pub(crate) struct Writer {
    writes: mpsc::Sender<Write>,
    /// Dropped after the sender, whose end stops the thread.
    _thread: Joined,
}

struct Write {
    deadline: Instant,
    work: Work,
}

/// Executes the write and keeps its outcome for the commit; with an error, only keeps the error.
type Work = Box<dyn FnOnce(Result<&mut Connection, StorageError>) -> Finish + Send>;

/// Answers with the result of the commit.
type Finish = Box<dyn FnOnce(Result<(), StorageError>)>;

impl Writer {
    /// `before` is called in each transaction before the commit, and `after` once it is committed, if `before` returned true.
    pub(crate) fn spawn(
        connection: Connection,
        before: impl Fn(&Connection) -> Result<bool, SqliteError> + Send + 'static,
        after: impl Fn() + Send + 'static,
    ) -> Result<Self, SqliteError> {
        let (sender, writes) = mpsc::channel(MAX_WAITING_WRITES);
        let thread = Joined::spawn("tollgate-writer", move || serve(connection, writes, &before, &after))?;
        Ok(Self { writes: sender, _thread: thread })
    }

    /// Runs `work` in a write transaction: on return all of it is durable, or none. None if the caller's [`WriteGate`] is
    /// closed before the commit.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let (answer, answered) = oneshot::channel();
        let gate = WriteGate::current();
        let work: Work = Box::new(move |connection| {
            let passed = connection.and_then(|connection| Ok((connection, WriteGate::pass(gate)?)));
            let (outcome, passage) = match passed {
                Ok((connection, passage)) => {
                    (in_savepoint(connection, work).map_err(StorageError::from), Some(passage))
                }
                Err(error) => (Err(error), None),
            };
            Box::new(move |committed| {
                let outcome = outcome.and_then(|value| committed.map(|()| value));
                match passage {
                    Some(passage) if outcome.is_err() => passage.undone(),
                    passage => drop(passage),
                }
                // The caller may be gone.
                let _ = answer.send(outcome);
            })
        });
        let write = Write { deadline: Instant::now() + WRITE_TIMEOUT, work };
        self.writes.try_send(write).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StorageError::Busy,
            mpsc::error::TrySendError::Closed(_) => gone(),
        })?;
        answered.await.map_err(|_| gone())?
    }
}

fn serve(
    mut connection: Connection,
    mut writes: mpsc::Receiver<Write>,
    before: &dyn Fn(&Connection) -> Result<bool, SqliteError>,
    after: &dyn Fn(),
) {
    let log = connection.path().map(|file| PathBuf::from(format!("{file}-wal")));
    while let Some(first) = writes.blocking_recv() {
        let mut group = vec![first];
        while group.len() < WRITES_PER_COMMIT
            && let Ok(next) = writes.try_recv()
        {
            group.push(next);
        }
        let earliest = group.iter().map(|write| write.deadline).min().unwrap_or_else(Instant::now);
        match begin(&connection, earliest) {
            Ok(()) => {
                if commit(&mut connection, group, before) {
                    after();
                }
                log.iter().for_each(|log| bound(&connection, log));
            }
            Err(error) => {
                for write in group {
                    (write.work)(Err(copy(&error)))(Ok(()));
                }
            }
        }
    }
}

/// Begins a write transaction, waiting for the writers of other processes until the deadline.
///
/// Immediate, because a transaction that reads first and writes later cannot wait for another process's writer: SQLite
/// answers with SQLITE_BUSY immediately.
fn begin(connection: &Connection, deadline: Instant) -> Result<(), StorageError> {
    let patience = deadline.saturating_duration_since(Instant::now());
    if patience.is_zero() {
        return Err(StorageError::Busy);
    }
    connection.busy_timeout(patience).and_then(|()| connection.execute_batch("BEGIN IMMEDIATE")).map_err(of_sqlite)
}

/// Returns whether it is committed and `before` returned true.
fn commit(
    connection: &mut Connection,
    group: Vec<Write>,
    before: &dyn Fn(&Connection) -> Result<bool, SqliteError>,
) -> bool {
    let finishes: Vec<Finish> = group
        .into_iter()
        .map(|write| {
            // Some errors, such as a full disk, end the whole transaction: later statements would be committed on
            // their own.
            let is_open = !connection.is_autocommit();
            (write.work)(if is_open { Ok(&mut *connection) } else { Err(gone()) })
        })
        .collect();
    let committed = before(connection).and_then(|told| Ok(connection.execute_batch("COMMIT").map(|()| told)?));
    if committed.is_err() {
        // Has no effect if SQLite has rolled back already.
        let _ = connection.execute_batch("ROLLBACK");
    }
    let committed = committed.map_err(StorageError::from);
    for finish in finishes {
        finish(committed.as_ref().map(drop).map_err(copy));
    }
    committed.unwrap_or(false)
}

/// Runs `work`, and undoes it if it fails.
fn in_savepoint<T>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, SqliteError>,
) -> Result<T, SqliteError> {
    connection.execute_batch("SAVEPOINT work")?;
    let outcome = catch_unwind(AssertUnwindSafe(|| work(connection))).unwrap_or_else(|_| Err(gone().into()));
    match &outcome {
        Ok(_) => connection.execute_batch("RELEASE work")?,
        // Fails if the whole transaction was rolled back, which the commit reports.
        Err(_) => drop(connection.execute_batch("ROLLBACK TO work; RELEASE work")),
    }
    outcome
}

/// Empties the write-ahead log if a large transaction or a slow reader has made it grow. Waits for nobody.
fn bound(connection: &Connection, log: &Path) {
    if log.metadata().is_ok_and(|log| log.len() > WRITE_AHEAD_LOG_BYTES) {
        // If a reader prevents it, the next commit tries again.
        let _ = connection.busy_timeout(Duration::ZERO);
        let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()));
    }
}

/// An error for each of the affected writes.
fn copy(error: &StorageError) -> StorageError {
    match error {
        StorageError::Busy => StorageError::Busy,
        other => StorageError::failed(other.to_string()),
    }
}
