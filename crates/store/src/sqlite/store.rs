use super::scope_sets::ScopeSetRows;
use super::{change_rows, schema};
use crate::error::StoreError;
use crate::limits::{BUSY_TIMEOUT, CHANGES_KEPT, STATEMENTS};
use parking_lot::{Condvar, Mutex};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};

/// Keys, clients and revocations in one SQLite file, and the feed of their changes.
///
/// A method that changes something returns, with the number of the change, after all of it is on the disk
/// (`synchronous=FULL`); after a crash it is there, and never a part of it. Readers do not wait for the writer (WAL), and
/// several processes of a host may open the same folder. A method may wait for the disk and for another process's writer:
/// call it where blocking is allowed.
#[derive(Debug)]
pub struct Store {
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
    /// For waiting alone: `PRAGMA data_version` counts what others than its own connection have committed.
    pub(super) watcher: Mutex<Connection>,
    /// The last number that this process committed, so that who waits in it need not wait for the next look.
    pub(super) committed: Mutex<u64>,
    pub(super) has_committed: Condvar,
    pub(super) scope_sets: ScopeSetRows,
    file: PathBuf,
}

impl Store {
    /// Opens the store in `folder`, creating both when they are missing. On Unix both are for their owner alone.
    ///
    /// # Errors
    /// [`StoreError::Folder`] when the folder cannot be used, [`StoreError::NewerSchema`] when a newer release wrote the
    /// file, [`StoreError::Sqlite`] when it is no database.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let file = folder.join(FILE_NAME);
        prepare_for_owner_only(folder, &file)
            .map_err(|source| StoreError::Folder { path: folder.to_owned(), source })?;
        let mut writer = connect(&file)?;
        // In KiB. A bulk load writes all over the index of digests.
        writer.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        schema::migrate(&mut writer)?;
        let (reader, watcher) = (connect_reader(&file)?, connect_reader(&file)?);
        Ok(Self {
            writer: Mutex::new(writer),
            reader: Mutex::new(reader),
            watcher: Mutex::new(watcher),
            committed: Mutex::new(0),
            has_committed: Condvar::new(),
            scope_sets: ScopeSetRows::default(),
            file,
        })
    }

    /// The database file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The number of the last change.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn latest(&self) -> Result<u64, StoreError> {
        change_rows::latest(&self.reader.lock())
    }

    /// Forgets all changes but the last `kept`; a reader that is further behind has to begin with a snapshot. Returns how
    /// many were forgotten. Every write does this for [`CHANGES_KEPT`].
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn compact(&self, kept: u64) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        self.write(|transaction| {
            forgotten = change_rows::compact(transaction, kept)?;
            Ok(())
        })?;
        Ok(forgotten)
    }

    /// Runs `work` in one write transaction: all of it is durable on return, or none of it. Returns also the number of the
    /// last change.
    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<(T, u64), StoreError> {
        let mut connection = self.writer.lock();
        // Immediate, because a transaction that reads first and writes later cannot wait for another process's writer:
        // SQLite answers it with SQLITE_BUSY at once.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&transaction)?;
        change_rows::compact(&transaction, CHANGES_KEPT)?;
        let latest = change_rows::latest(&transaction)?;
        transaction.commit()?;
        drop(connection);
        let mut committed = self.committed.lock();
        *committed = latest.max(*committed);
        self.has_committed.notify_all();
        Ok((value, latest))
    }

    /// Runs `work` on the reading connection, in one transaction: it sees one state.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.reader.lock();
        let transaction = connection.transaction()?;
        work(&transaction)
    }

    /// One more connection, for reading that takes long.
    pub(super) fn connect_reader(&self) -> Result<Connection, StoreError> {
        connect_reader(&self.file)
    }
}

fn connect_reader(file: &Path) -> Result<Connection, StoreError> {
    let connection = connect(file)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn connect(file: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL also syncs the log at each commit: in WAL mode NORMAL may lose acknowledged commits when power fails.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Creates folder and file so that only their owner can read them. SQLite gives its log and its index the file's own mode.
#[cfg(unix)]
fn prepare_for_owner_only(folder: &Path, file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(file)?;
    Ok(())
}

#[cfg(not(unix))]
fn prepare_for_owner_only(folder: &Path, _file: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)
}

const FILE_NAME: &str = "tollgate-keys.sqlite3";

/// The most that the writer's page cache takes; it grows only as pages are used. Readers have SQLite's default, 2 MB.
const WRITER_CACHE_KIB: i64 = 64 * 1024;
