use super::{StorageError, schema};
use parking_lot::Mutex;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The embedded database: one connection that writes and one that reads.
///
/// A method that changes something returns after the change is on the disk (`synchronous=FULL`);
/// after a crash it is there. Readers do not wait for the writer (WAL), and several processes may
/// open the same folder.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use tollgate_server::storage::Store;
///
/// let folder = tempfile::tempdir()?;
/// let store = Store::open(folder.path())?;
/// assert_eq!(store.user_by_id("nobody")?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Store {
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
    file: PathBuf,
}

impl Store {
    /// Opens the store in `folder`, creating both when they are missing.
    ///
    /// # Errors
    /// [`StorageError::Folder`] when the folder cannot be used, [`StorageError::NewerSchema`] when
    /// a newer release wrote the file, [`StorageError::Sqlite`] when it is no database.
    pub fn open(folder: &Path) -> Result<Self, StorageError> {
        let file = folder.join(FILE_NAME);
        prepare_for_owner_only(folder, &file)
            .map_err(|source| StorageError::Folder { path: folder.to_owned(), source })?;
        let mut writer = connect(&file)?;
        schema::migrate(&mut writer)?;
        let reader = connect(&file)?;
        reader.pragma_update(None, "query_only", true)?;
        Ok(Self { writer: Mutex::new(writer), reader: Mutex::new(reader), file })
    }

    /// The database file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Runs `work` in one write transaction: all of it is durable on return, or none of it.
    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let mut connection = self.writer.lock();
        // Immediate, because a transaction that reads first and writes later cannot wait for
        // another process's writer: SQLite answers it with SQLITE_BUSY at once.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }

    /// Runs `work` on the reading connection.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StorageError>) -> Result<T, StorageError> {
        work(&self.reader.lock())
    }
}

fn connect(file: &Path) -> Result<Connection, StorageError> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL also syncs the log at each commit: in WAL mode NORMAL may lose acknowledged commits
    // when power fails.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Creates folder and file so that only their owner can read them: the file holds private signing
/// keys. SQLite gives its log and its index the file's own mode.
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

const FILE_NAME: &str = "tollgate.sqlite3";

/// How long a writer waits for another process's writer before it gives up. A commit takes
/// milliseconds, so this is reached only when a process hangs with the lock held.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Prepared statements kept a connection: more than the store has.
const STATEMENTS: usize = 64;
