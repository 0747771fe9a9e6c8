use super::key_rows::{COLUMNS, KeyReader};
use super::store::Store;
use super::{change_rows, client_rows, keys, revocation_rows};
use crate::change_log::Change;
use crate::error::StoreError;
use crate::key::StoredKey;
use crate::limits::{CHANGES_PER_VISIT, KEYS_PER_SNAPSHOT_THREAD, MAX_SNAPSHOT_THREADS};
use rusqlite::Connection;
use std::mem;
use std::ops::Range;
use std::thread;

/// Visits everything as of one number, and returns it.
///
/// Several connections read a share of the keys each. That all of them see one state is known from the number of the last
/// change: there is no commit between two equal ones that an engine could tell.
pub(super) fn read(store: &Store, visit: &(dyn Fn(Vec<Change>) + Sync)) -> Result<u64, StoreError> {
    let first = begin(store)?;
    let sequence = change_rows::latest(&first)?;
    let (start, end) = keys::numbers(&first)?;
    let mut connections = vec![first];
    connections.extend(beside(store, sequence, wanted_threads(end - start) - 1)?);

    let mut batch = Batch::new(visit);
    revocation_rows::for_each(&connections[0], |revocation| batch.push(Change::Revocation(revocation)))?;
    for client in client_rows::page(&connections[0], "", usize::MAX)? {
        batch.push(Change::Client(client));
    }
    batch.finish();
    let share = (end - start) / connections.len() as i64 + 1;
    thread::scope(|scope| {
        let shares = (0..).map(|n| start + n * share..start + (n + 1) * share);
        let threads: Vec<_> = connections
            .into_iter()
            .zip(shares)
            .map(|(connection, numbers)| {
                scope.spawn(move || {
                    let mut batch = Batch::new(visit);
                    let mut push = |key| {
                        batch.push(Change::Key(key));
                        Ok(())
                    };
                    for_each_key(&connection, numbers, &mut push).map(|()| batch.finish())
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    Ok(sequence)
}

/// Hands changes on some at a time.
struct Batch<'v> {
    changes: Vec<Change>,
    visit: &'v dyn Fn(Vec<Change>),
}

impl<'v> Batch<'v> {
    fn new(visit: &'v dyn Fn(Vec<Change>)) -> Self {
        Self { changes: Vec::new(), visit }
    }

    fn push(&mut self, change: Change) {
        if self.changes.is_empty() {
            self.changes.reserve_exact(CHANGES_PER_VISIT);
        }
        self.changes.push(change);
        if self.changes.len() == CHANGES_PER_VISIT {
            (self.visit)(mem::take(&mut self.changes));
        }
    }

    /// What is left.
    fn finish(self) {
        if !self.changes.is_empty() {
            (self.visit)(self.changes);
        }
    }
}

impl Store {
    /// Calls `visit` with every key, in one state, until it fails.
    pub(crate) fn for_each_key(
        &self,
        visit: &mut dyn FnMut(StoredKey) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let connection = begin(self)?;
        let (start, end) = keys::numbers(&connection)?;
        for_each_key(&connection, start..end, visit)
    }
}

/// Visits the keys of these numbers.
fn for_each_key(
    connection: &Connection,
    numbers: Range<i64>,
    visit: &mut dyn FnMut(StoredKey) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut reader = KeyReader::default();
    let mut select = connection
        .prepare(&format!("SELECT {COLUMNS} FROM keys WHERE number >= ?1 AND number < ?2 ORDER BY number"))?;
    let mut rows = select.query((numbers.start, numbers.end))?;
    while let Some(row) = rows.next()? {
        visit(reader.read(connection, row)?)?;
    }
    Ok(())
}

/// A connection in a read transaction, which sees the state of now until it is closed.
fn begin(store: &Store) -> Result<Connection, StoreError> {
    let connection = store.connect_reader()?;
    connection.execute_batch("BEGIN")?;
    // The transaction begins with the first read.
    change_rows::latest(&connection)?;
    Ok(connection)
}

/// As many more connections, in the state as of that number; fewer when somebody has written meanwhile.
fn beside(store: &Store, sequence: u64, wanted: usize) -> Result<Vec<Connection>, StoreError> {
    let mut connections = Vec::new();
    while connections.len() < wanted {
        let connection = begin(store)?;
        if change_rows::latest(&connection)? != sequence {
            // Numbers only go up: no later one will fit either.
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
