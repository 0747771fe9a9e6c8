use super::database::Database;
use super::{change_rows, schema};
use crate::error::StoreError;
use crate::limits::CHANGES_KEPT;
use parking_lot::{Condvar, Mutex};
use rusqlite::{Connection, Transaction};
use std::path::{Path, PathBuf};

/// Keys, clients and revocations in one SQLite file, and the feed of their changes.
///
/// A method that changes something returns, with the number of the change, after all of it is on the disk
/// (`synchronous=FULL`); after a crash it is there, and never a part of it. Readers do not wait for the writer (WAL), and
/// several processes of a host may open the same folder. A method may wait for the disk and for another process's writer:
/// call it where blocking is allowed.
#[derive(Debug)]
pub struct Store {
    database: Database,
    /// For waiting alone: `PRAGMA data_version` counts what others than its own connection have committed.
    pub(super) watcher: Mutex<Connection>,
    /// How often this store has committed, so that who waits for it need not wait for the next look.
    pub(super) commits: Mutex<u64>,
    pub(super) has_committed: Condvar,
}

impl Store {
    /// Opens the store in `folder`, creating both when they are missing. On Unix both are for their owner alone.
    ///
    /// # Errors
    /// [`StoreError::Folder`] when the folder cannot be used, [`StoreError::NewerSchema`] when a newer release wrote the
    /// file, [`StoreError::Sqlite`] when it is no database.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::open_file(&Self::file_in(folder))
    }

    /// The file of the store in `folder`, whether or not it is there.
    #[must_use]
    pub fn file_in(folder: &Path) -> PathBuf {
        folder.join(FILE_NAME)
    }

    /// [`open`](Self::open) for a file of any name. SQLite puts two more beside it, whose names start as the file's does.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_file(file: &Path) -> Result<Self, StoreError> {
        let database = Database::open(file, schema::STEPS)?;
        let watcher = Mutex::new(database.connect_reader()?);
        Ok(Self { database, watcher, commits: Mutex::new(0), has_committed: Condvar::new() })
    }

    /// The database file.
    #[must_use]
    pub fn file(&self) -> &Path {
        self.database.file()
    }

    /// The number of the last change.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn latest(&self) -> Result<u64, StoreError> {
        self.read(|transaction| change_rows::latest(transaction))
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
        let (value, latest) = self.database.write(|transaction| {
            let value = work(transaction)?;
            change_rows::compact(transaction, CHANGES_KEPT)?;
            Ok::<_, StoreError>((value, change_rows::latest(transaction)?))
        })?;
        *self.commits.lock() += 1;
        self.has_committed.notify_all();
        Ok((value, latest))
    }

    /// Runs `work` on the reading connection, in one transaction: it sees one state.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.database.read(work)
    }

    /// One more connection, for reading that takes long.
    pub(super) fn connect_reader(&self) -> Result<Connection, StoreError> {
        self.database.connect_reader()
    }
}

const FILE_NAME: &str = "tollgate-keys.sqlite3";
