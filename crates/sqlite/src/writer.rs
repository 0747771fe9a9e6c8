use crate::error::{SqliteError, gone, of_sqlite};
use crate::joined::Joined;
use crate::limits::{MAX_WAITING_WRITES, WRITE_AHEAD_LOG_BYTES, WRITE_TIMEOUT, WRITES_PER_COMMIT};
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tollgate_storage::{StorageError, WriteGate};

/// The connection that writes, on a thread of its own. It ends when this is dropped.
///
/// What waits while a commit is under way is committed together with one sync of the disk. Each has a savepoint, so that what fails
/// leaves the others alone, and a deadline from when it was asked for, so that many in a queue wait no longer than one.
#[derive(Debug)]
pub(crate) struct Writer {
    writes: mpsc::Sender<Write>,
    /// Dropped after the sender, at whose end it ends.
    _thread: Joined,
}

struct Write {
    deadline: Instant,
    work: Work,
}

/// Does it and keeps the outcome for the commit, or is told why nothing is done.
type Work = Box<dyn FnOnce(Result<&mut Connection, StorageError>) -> Finish + Send>;

/// Answers, told what became of the commit.
type Finish = Box<dyn FnOnce(Result<(), StorageError>)>;

impl Writer {
    /// `before` is called in each transaction before it is committed, `after` once it is.
    pub(crate) fn spawn(
        connection: Connection,
        before: impl Fn(&Connection) -> Result<(), SqliteError> + Send + 'static,
        after: impl Fn() + Send + 'static,
    ) -> Result<Self, SqliteError> {
        let (sender, writes) = mpsc::channel(MAX_WAITING_WRITES);
        let thread = Joined::spawn("tollgate-writer", move || serve(connection, writes, &before, &after))?;
        Ok(Self { writes: sender, _thread: thread })
    }

    /// Runs `work` in a write transaction: all of it is durable on return, or none of it. None of it when the caller's [`WriteGate`] is
    /// closed by then.
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
                // Whoever asked may be gone.
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
    before: &dyn Fn(&Connection) -> Result<(), SqliteError>,
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
                commit(&mut connection, group, before);
                after();
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

/// Begins a write transaction, which waits for other processes' writers until the deadline.
///
/// Immediate, because a transaction that reads first and writes later cannot wait for another process's writer: SQLite answers it
/// with SQLITE_BUSY at once.
fn begin(connection: &Connection, deadline: Instant) -> Result<(), StorageError> {
    let patience = deadline.saturating_duration_since(Instant::now());
    if patience.is_zero() {
        return Err(StorageError::Busy);
    }
    connection.busy_timeout(patience).and_then(|()| connection.execute_batch("BEGIN IMMEDIATE")).map_err(of_sqlite)
}

fn commit(connection: &mut Connection, group: Vec<Write>, before: &dyn Fn(&Connection) -> Result<(), SqliteError>) {
    let finishes: Vec<Finish> = group
        .into_iter()
        .map(|write| {
            // A disk that is full, say, ends the whole transaction: what came after would be committed by itself.
            let is_open = !connection.is_autocommit();
            (write.work)(if is_open { Ok(&mut *connection) } else { Err(gone()) })
        })
        .collect();
    let committed = before(connection).and_then(|()| Ok(connection.execute_batch("COMMIT")?));
    if committed.is_err() {
        // Nothing is left of it by now if SQLite has rolled back already.
        let _ = connection.execute_batch("ROLLBACK");
    }
    let committed = committed.map_err(StorageError::from);
    for finish in finishes {
        finish(committed.as_ref().copied().map_err(copy));
    }
}

/// Runs `work` so that it leaves nothing behind when it fails.
fn in_savepoint<T>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, SqliteError>,
) -> Result<T, SqliteError> {
    connection.execute_batch("SAVEPOINT work")?;
    let outcome = catch_unwind(AssertUnwindSafe(|| work(connection))).unwrap_or_else(|_| Err(gone().into()));
    match &outcome {
        Ok(_) => connection.execute_batch("RELEASE work")?,
        // Fails where the whole transaction was rolled back, of which the commit tells.
        Err(_) => drop(connection.execute_batch("ROLLBACK TO work; RELEASE work")),
    }
    outcome
}

/// Empties the write-ahead log where a large transaction, or a reader that took long, has made it grow. Waits for nobody.
fn bound(connection: &Connection, log: &Path) {
    if log.metadata().is_ok_and(|log| log.len() > WRITE_AHEAD_LOG_BYTES) {
        // Where a reader is in the way, the next commit tries again.
        let _ = connection.busy_timeout(Duration::ZERO);
        let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()));
    }
}

/// One error for each of those that it concerns.
fn copy(error: &StorageError) -> StorageError {
    match error {
        StorageError::Busy => StorageError::Busy,
        other => StorageError::failed(other.to_string()),
    }
}
