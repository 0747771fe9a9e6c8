use super::schema::STEPS;
use crate::error::ServerError;
use rusqlite::Transaction;
use std::path::Path;
use tollgate_sqlite::{Database, SqliteError};
use tollgate_storage::StorageError;

/// What is the service's alone, in a file beside that of the keys.
///
/// A method that changes something returns after the change is on the disk (`synchronous=FULL`); after a crash it is there.
/// Readers do not wait for the writer (WAL), and several processes may open the same folder.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use tollgate_server::storage::Storage;
///
/// let folder = tempfile::tempdir()?;
/// let storage = Storage::open(folder.path())?;
/// assert_eq!(storage.user_by_id("nobody")?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Storage(Database);

impl Storage {
    /// Opens the storage in `folder`, creating both when they are missing.
    ///
    /// # Errors
    /// [`ServerError::OldDataFolder`] when the folder holds what this release does not read, [`ServerError::Store`] when it
    /// cannot be used, a newer release wrote the file, or it is no database.
    pub fn open(folder: &Path) -> Result<Self, ServerError> {
        let old = folder.join(OLD_FILE_NAME);
        if old.exists() {
            return Err(ServerError::OldDataFolder { file: old });
        }
        Ok(Self(Database::open(&folder.join(FILE_NAME), STEPS)?))
    }

    /// The database file.
    #[must_use]
    pub fn file(&self) -> &Path {
        self.0.file()
    }

    /// Runs `work` in one write transaction: all of it is durable on return, or none of it.
    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, SqliteError>,
    ) -> Result<T, StorageError> {
        Ok(self.0.write(work)?)
    }

    /// Runs `work` on the reading connection.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, SqliteError>,
    ) -> Result<T, StorageError> {
        Ok(self.0.read(work)?)
    }
}

const FILE_NAME: &str = "tollgate-server.sqlite3";

/// Before there was a release, everything was in this one, keys and clients too.
const OLD_FILE_NAME: &str = "tollgate.sqlite3";
