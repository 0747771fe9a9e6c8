use crate::database::connect_reader;
use crate::error::SqliteError;
use crate::key_rows::{self, COLUMNS, KeyReader};
use crate::limits::{KEYS_PER_SNAPSHOT_THREAD, MAX_SNAPSHOT_THREADS};
use crate::{change_rows, client_rows, revocation_rows};
use rusqlite::Connection;
use std::mem;
use std::ops::Range;
use std::path::Path;
use std::thread;
use tollgate_storage::limits::CHANGES_PER_VISIT;
use tollgate_storage::{Change, Position, StorageError};

/// Receives batches of changes. Returns whether it wants more.
pub(crate) type Visitor<'v> = dyn Fn(Vec<Change>) -> bool + Sync + 'v;

/// Visits the whole state at one position, and returns the position.
///
/// Several connections read a share of the keys each. They see the same state if their last change has the same position:
/// between two equal positions no commit is relevant to an engine.
pub(crate) fn read(file: &Path, visit: &Visitor<'_>) -> Result<Position, SqliteError> {
    let first = begin(file)?;
    let position = change_rows::latest(&first)?;
    let (start, end) = key_rows::numbers(&first)?;
    let mut connections = vec![first];
    connections.extend(beside(file, position, wanted_threads(end - start) - 1)?);

    let mut batch = Batch::new(visit);
    revocation_rows::for_each(&connections[0], |revocation| {
        batch.push(match revocation {
            Ok(revocation) => Change::Revocation(revocation),
            Err(error) => {
                Change::Unreadable { table: "revocations", row: error.to_string(), digest: None, client_id: None }
            }
        })
    })?;
    for client in client_rows::page(&connections[0], "", usize::MAX)? {
        match client {
            Ok(client) => batch.push(Change::Client(client))?,
            Err(StorageError::Corrupt { row, .. }) => batch.push(client_rows::unreadable(row))?,
            Err(error) => return Err(error.into()),
        }
    }
    batch.finish()?;
    let share = (end - start) / connections.len() as i64 + 1;
    thread::scope(|scope| {
        let shares = (0..).map(|n| start + n * share..start + (n + 1) * share);
        let threads: Vec<_> = connections
            .into_iter()
            .zip(shares)
            .map(|(connection, numbers)| scope.spawn(move || read_keys(&connection, numbers, Batch::new(visit))))
            .collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    Ok(position)
}

/// Passes changes on in batches.
struct Batch<'v> {
    changes: Vec<Change>,
    visit: &'v Visitor<'v>,
}

impl<'v> Batch<'v> {
    fn new(visit: &'v Visitor<'v>) -> Self {
        Self { changes: Vec::new(), visit }
    }

    fn push(&mut self, change: Change) -> Result<(), SqliteError> {
        if self.changes.is_empty() {
            self.changes.reserve_exact(CHANGES_PER_VISIT);
        }
        self.changes.push(change);
        if self.changes.len() == CHANGES_PER_VISIT { self.visit() } else { Ok(()) }
    }

    fn visit(&mut self) -> Result<(), SqliteError> {
        if (self.visit)(mem::take(&mut self.changes)) { Ok(()) } else { Err(StorageError::Busy.into()) }
    }

    /// Passes the remaining changes on.
    fn finish(mut self) -> Result<(), SqliteError> {
        if self.changes.is_empty() { Ok(()) } else { self.visit() }
    }
}

/// Visits the keys of these numbers.
fn read_keys(connection: &Connection, numbers: Range<i64>, mut batch: Batch<'_>) -> Result<(), SqliteError> {
    let mut reader = KeyReader::default();
    let mut select = connection
        .prepare(&format!("SELECT {COLUMNS} FROM keys WHERE number >= ?1 AND number < ?2 ORDER BY number"))?;
    let mut rows = select.query((numbers.start, numbers.end))?;
    while let Some(row) = rows.next()? {
        batch.push(reader.change(connection, row)?)?;
    }
    batch.finish()
}

/// A connection in a read transaction, which sees the present state until it is closed.
fn begin(file: &Path) -> Result<Connection, SqliteError> {
    let connection = connect_reader(file)?;
    connection.execute_batch("BEGIN")?;
    // The transaction begins with the first read.
    change_rows::latest(&connection)?;
    Ok(connection)
}

/// That many further connections in the state at that position; fewer if a commit came in between.
fn beside(file: &Path, position: Position, wanted: usize) -> Result<Vec<Connection>, SqliteError> {
    let mut connections = Vec::new();
    while connections.len() < wanted {
        let connection = begin(file)?;
        if change_rows::latest(&connection)? != position {
            break;
        }
        connections.push(connection);
    }
    Ok(connections)
}

fn wanted_threads(keys: i64) -> usize {
    let processors = thread::available_parallelism().map_or(1, usize::from).min(MAX_SNAPSHOT_THREADS);
    let worthwhile = usize::try_from(keys / KEYS_PER_SNAPSHOT_THREAD).unwrap_or(0);
    processors.min(worthwhile).max(1)
}
