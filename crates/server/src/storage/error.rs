use std::path::PathBuf;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The data folder could not be created or opened.
    #[error("cannot use the data folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file was written by a newer release.
    #[error("the store has schema version {found}, this release knows up to {known}: use a newer release")]
    NewerSchema {
        /// The version in the file.
        found: i64,
        /// The newest version that this release reads.
        known: i64,
    },
    /// What should be added is there already.
    #[error("{what} already exists")]
    AlreadyExists {
        /// The kind of thing: `user`, `client`, ...
        what: &'static str,
    },
    /// A row does not have the shape that this release writes.
    #[error("table {table} holds a row that this release did not write")]
    Corrupt {
        /// The table.
        table: &'static str,
    },
    /// SQLite failed.
    #[error("the store failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

impl StorageError {
    /// The stable kebab-case name of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Folder { .. } => "storage-folder",
            Self::NewerSchema { .. } => "storage-newer-schema",
            Self::AlreadyExists { .. } => "already-exists",
            Self::Corrupt { .. } => "storage-corrupt",
            Self::Sqlite(_) => "storage-failed",
        }
    }

    /// Turns a broken uniqueness rule into [`AlreadyExists`](Self::AlreadyExists).
    pub(super) fn of_insert(error: rusqlite::Error, what: &'static str) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::ConstraintViolation) => Self::AlreadyExists { what },
            _ => Self::Sqlite(error),
        }
    }
}
