use crate::error::SqliteError;
use crate::limits::{BUSY_INTERVAL, BUSY_TIMEOUT, STATEMENTS, WRITE_AHEAD_LOG_BYTES};
use crate::{new_file, schema};
use rusqlite::{Connection, ErrorCode};
use std::path::Path;
use std::time::Instant;
use tollgate_storage::StorageError;

/// Creates folder and file if they are missing, readable only by their owner, migrates the file to the newest schema, and
/// connects.
pub(crate) fn open_writer(file: &Path, steps: &[&str]) -> Result<Connection, SqliteError> {
    let folder = file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    new_file::create_for_owner_only(folder, file).map_err(|source| StorageError::Location {
        location: format!("the folder {}", folder.display()),
        source: source.into(),
    })?;
    let mut writer = connect(file)?;
    // In KiB. A bulk load writes to random pages of the index of digests.
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
    // The size to which the log is truncated after it is emptied.
    connection.pragma_update(None, "journal_size_limit", WRITE_AHEAD_LOG_BYTES.cast_signed())?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Retries, which `busy_timeout` does not do here: if several processes open a new file at once, SQLite answers all but one
/// with `SQLITE_BUSY` immediately, because each holds a read lock while it requests an exclusive one.
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

/// The largest page cache of the writer, which grows only as pages are used. Readers have SQLite's default, 2 MB.
const WRITER_CACHE_KIB: i64 = 64 * 1024;
