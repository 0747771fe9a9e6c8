use rusqlite::ErrorCode;
use tollgate_storage::{Refusal, StorageError};

/// The failure of an operation on a SQLite file. Outside this crate it is a [`StorageError`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum SqliteError {
    /// SQLite failed.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// Anything else.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl SqliteError {
    /// The error of a failed insertion: a violated constraint becomes [`Refusal::AlreadyExists`].
    pub(crate) fn of_insert(error: rusqlite::Error, what: &'static str) -> Self {
        use rusqlite::ffi::{SQLITE_CONSTRAINT_FOREIGNKEY, SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};
        match error.sqlite_extended_error_code() {
            Some(SQLITE_CONSTRAINT_FOREIGNKEY | SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_UNIQUE) => {
                Refusal::AlreadyExists { what }.into()
            }
            _ => Self::Sqlite(error),
        }
    }

    /// A row that this release did not write.
    pub(crate) fn corrupt(table: &'static str, row: impl ToString) -> Self {
        Self::Storage(StorageError::Corrupt { table, row: row.to_string() })
    }

    /// Whether only this row cannot be decoded.
    pub(crate) fn is_of_one_row(&self) -> bool {
        use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
        match self {
            Self::Storage(error) => matches!(error, StorageError::Corrupt { .. }),
            Self::Sqlite(error) => matches!(
                error,
                FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) | Utf8Error(..)
            ),
        }
    }
}

impl From<Refusal> for SqliteError {
    fn from(refusal: Refusal) -> Self {
        Self::Storage(refusal.into())
    }
}

impl From<SqliteError> for StorageError {
    fn from(error: SqliteError) -> Self {
        match error {
            SqliteError::Storage(error) => error,
            SqliteError::Sqlite(error) => of_sqlite(error),
        }
    }
}

pub(crate) fn of_sqlite(error: rusqlite::Error) -> StorageError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StorageError::Busy,
        _ => StorageError::failed(error),
    }
}

/// A thread of the store has panicked, or the store was dropped.
pub(crate) fn gone() -> StorageError {
    StorageError::failed("a thread of the store has ended")
}
