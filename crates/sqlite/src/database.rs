use crate::error::SqliteError;
use crate::limits::{BUSY_INTERVAL, BUSY_TIMEOUT, STATEMENTS, WRITE_AHEAD_LOG_BYTES};
use crate::{new_file, schema};
use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::time::Instant;
use tollgate_storage::StorageError;

/// A SQLite file that several processes of a host share: one connection that writes, and one that reads.
///
/// [`write`](Self::write) returns after everything is on the disk (`synchronous=FULL`); after a crash all of it is there or
/// nothing. Readers do not wait for the writer (WAL).
///
/// ```
/// use tollgate_sqlite::{Database, SqliteError};
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let steps = ["CREATE TABLE notes (text TEXT NOT NULL) STRICT"];
/// let database = Database::open(&folder.join("notes.sqlite3"), &steps)?;
/// database.write::<_, SqliteError>(|transaction| {
///     transaction.execute("INSERT INTO notes VALUES ('kept')", ())?;
///     Ok(())
/// })?;
/// let count: i64 = database.read::<_, SqliteError>(|transaction| {
///     Ok(transaction.query_row("SELECT count(*) FROM notes", (), |row| row.get(0))?)
/// })?;
/// assert_eq!(count, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Database {
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
    file: PathBuf,
}

impl Database {
    /// Opens the file, creating it and its folder when they are missing; on Unix both are for their owner alone. Brings it to
    /// the newest schema: step N of `steps` turns version N into N + 1.
    ///
    /// # Errors
    /// [`StorageError::Location`] when the folder cannot be used, [`StorageError::NewerSchema`] when a newer release wrote the
    /// file, [`StorageError::Failed`] when it is no database.
    pub fn open(file: &Path, steps: &[&str]) -> Result<Self, StorageError> {
        let (writer, reader) = (open_writer(file, steps)?, connect_reader(file)?);
        Ok(Self { writer: Mutex::new(writer), reader: Mutex::new(reader), file: file.to_owned() })
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Runs `work` in one write transaction: all of it is durable on return, or none of it.
    ///
    /// # Errors
    /// When `work` fails, or SQLite.
    pub fn write<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.writer.lock();
        // Immediate, because a transaction that reads first and writes later cannot wait for another process's writer:
        // SQLite answers it with SQLITE_BUSY at once.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }

    /// Runs `work` on the reading connection, in one transaction: it sees one state.
    ///
    /// # Errors
    /// When `work` fails, or SQLite.
    pub fn read<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.reader.lock();
        let transaction = connection.transaction()?;
        work(&transaction)
    }
}

/// Creates folder and file when they are missing, for their owner alone, brings the file to the newest schema, and connects.
pub(crate) fn open_writer(file: &Path, steps: &[&str]) -> Result<Connection, SqliteError> {
    let folder = file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    new_file::create_for_owner_only(folder, file).map_err(|source| StorageError::Location {
        location: format!("the folder {}", folder.display()),
        source: source.into(),
    })?;
    let mut writer = connect(file)?;
    // In KiB. A bulk load writes all over the index of digests.
    writer.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    schema::migrate(&mut writer, steps)?;
    Ok(writer)
}

pub(crate) fn connect_reader(file: &Path) -> Result<Connection, SqliteError> {
    let connection = connect(file)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn connect(file: &Path) -> Result<Connection, SqliteError> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    use_write_ahead_log(&connection)?;
    // FULL also syncs the log at each commit: in WAL mode NORMAL may lose acknowledged commits when power fails.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // So large it stays when it was emptied.
    connection.pragma_update(None, "journal_size_limit", WRITE_AHEAD_LOG_BYTES.cast_signed())?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Waits by itself, which `busy_timeout` does not: of several that open a new file at once, SQLite answers all but one with
/// `SQLITE_BUSY` at once, because each reads the file while it asks to be alone with it.
fn use_write_ahead_log(connection: &Connection) -> rusqlite::Result<()> {
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < deadline => {
                std::thread::sleep(BUSY_INTERVAL);
            }
            done => return done,
        }
    }
}

/// The most that the writer's page cache takes; it grows only as pages are used. Readers have SQLite's default, 2 MB.
const WRITER_CACHE_KIB: i64 = 64 * 1024;
