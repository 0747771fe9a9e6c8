//! Which store a name means: the one place where stores of one kind or another are opened.

use crate::error::ServerError;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tollgate_sqlite::{SqliteAccountStore, SqliteKeyStore};
use tollgate_storage::{AccountStore, KeyStore, StorageError};

/// A store: a folder, as a path or as `sqlite:DIR`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StoreUrl {
    /// SQLite files in that folder; of a store of keys alone also its file.
    Sqlite(PathBuf),
}

impl StoreUrl {
    /// The store that a user means by `name`.
    ///
    /// # Errors
    /// [`StorageError::Location`] when it is the URL of something else.
    pub fn parse(name: &Path) -> Result<Self, StorageError> {
        let Some(text) = name.to_str() else { return Ok(Self::Sqlite(name.to_owned())) };
        match text.split_once(':') {
            Some(("sqlite", folder)) => Ok(Self::Sqlite(folder.into())),
            Some((scheme, rest)) if rest.starts_with("//") => Err(StorageError::Location {
                // What follows may hold a password.
                location: format!("{scheme}://..."),
                source: "a store is a folder or sqlite:DIR".into(),
            }),
            _ => Ok(Self::Sqlite(name.to_owned())),
        }
    }

    /// Whether there is a store of keys.
    #[must_use]
    pub fn exists(&self) -> bool {
        let Self::Sqlite(path) = self;
        file_of(path).is_file()
    }

    /// Opens the store of keys, and makes it when it is missing.
    ///
    /// # Errors
    /// When it cannot be used, or a newer release wrote it.
    pub async fn open_keys(&self) -> Result<Arc<dyn KeyStore>, StorageError> {
        let Self::Sqlite(path) = self;
        Ok(Arc::new(SqliteKeyStore::open_file(&file_of(path))?))
    }

    /// Opens the store of accounts, and makes it when it is missing.
    ///
    /// # Errors
    /// [`ServerError::OldDataFolder`] when the folder holds what this release does not read, [`ServerError::Store`] when it
    /// cannot be used or a newer release wrote it.
    pub async fn open_accounts(&self) -> Result<Arc<dyn AccountStore>, ServerError> {
        let Self::Sqlite(folder) = self;
        let old = folder.join(OLD_FILE_NAME);
        if old.exists() {
            return Err(ServerError::OldDataFolder { file: old });
        }
        Ok(Arc::new(SqliteAccountStore::open(folder)?))
    }
}

impl From<&Path> for StoreUrl {
    fn from(folder: &Path) -> Self {
        Self::Sqlite(folder.to_owned())
    }
}

/// As people know it: of SQLite the file of keys.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Sqlite(path) = self;
        file_of(path).display().fmt(f)
    }
}

/// The file of the store of keys: the path itself, or the store's own file in that folder. What is not there yet is a folder, unless its
/// name has an extension.
fn file_of(path: &Path) -> PathBuf {
    let is_folder = path.is_dir() || !path.exists() && path.extension().is_none();
    if is_folder { SqliteKeyStore::file_in(path) } else { path.to_owned() }
}

/// Before there was a release, everything was in this one, keys and clients too.
const OLD_FILE_NAME: &str = "tollgate.sqlite3";
