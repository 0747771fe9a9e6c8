//! Which store a name means: the one place where stores of one kind or another are opened.

use crate::error::ServerError;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tollgate_postgres::{PostgresConfig, PostgresStore};
use tollgate_sqlite::{SqliteAccountStore, SqliteKeyStore};
use tollgate_storage::{AccountStore, KeyStore, StorageError};

/// A store: a folder, as a path or as `sqlite:DIR`, or a database, as `postgres://...` ([`PostgresConfig::from_url`]).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StoreUrl {
    /// SQLite files in that folder; of a store of keys alone also its file.
    Sqlite(PathBuf),
    /// A database of PostgreSQL, for many hosts.
    Postgres(Box<PostgresConfig>),
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
            Some((scheme, rest)) if rest.starts_with("//") => {
                // What follows may hold a password.
                let refused = |source| StorageError::Location { location: format!("{scheme}://..."), source };
                match scheme {
                    "postgres" | "postgresql" => match PostgresConfig::from_url(text) {
                        Ok(config) => Ok(Self::Postgres(Box::new(config))),
                        Err(error) => Err(refused(error.into())),
                    },
                    _ => Err(refused("a store is a folder, sqlite:DIR or postgres://...".into())),
                }
            }
            _ => Ok(Self::Sqlite(name.to_owned())),
        }
    }

    /// What `--store` takes to mean it, without a password.
    pub(crate) fn option(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgres(config) => config.to_string(),
        }
    }

    /// Where the sealing keys are unless a file is named: of SQLite in the folder, which no backup of the databases holds.
    pub(crate) fn sealing_key_file(&self) -> Option<PathBuf> {
        match self {
            Self::Sqlite(folder) => Some(folder.join(SEALING_KEY_FILE_NAME)),
            Self::Postgres(_) => None,
        }
    }

    /// Whether there are accounts in a database other than that of the keys.
    pub(crate) fn has_other_accounts(&self) -> bool {
        match self {
            Self::Sqlite(folder) => SqliteAccountStore::file_in(folder).is_file(),
            Self::Postgres(_) => false,
        }
    }

    /// Whether there is a store of keys, or a database in which one is made.
    #[must_use]
    pub fn exists(&self) -> bool {
        match self {
            Self::Sqlite(path) => file_of(path).is_file(),
            Self::Postgres(_) => true,
        }
    }

    /// Opens the store of keys, and makes it when it is missing.
    ///
    /// # Errors
    /// When it cannot be used, or a newer release wrote it.
    pub async fn open_keys(&self) -> Result<Arc<dyn KeyStore>, StorageError> {
        Ok(match self {
            Self::Sqlite(path) => Arc::new(SqliteKeyStore::open_file(&file_of(path))?),
            Self::Postgres(config) => Arc::new(PostgresStore::open(config).await?),
        })
    }

    /// Opens the store of accounts, and makes it when it is missing.
    ///
    /// # Errors
    /// [`ServerError::OldDataFolder`] when the folder holds what this release does not read, [`ServerError::Store`] when it
    /// cannot be used or a newer release wrote it.
    pub async fn open_accounts(&self) -> Result<Arc<dyn AccountStore>, ServerError> {
        let folder = match self {
            Self::Sqlite(folder) => folder,
            Self::Postgres(config) => return Ok(Arc::new(PostgresStore::open(config).await?)),
        };
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

/// As people know it: of SQLite the file of keys, of a database its URL without the password.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => file_of(path).display().fmt(f),
            Self::Postgres(config) => config.fmt(f),
        }
    }
}

/// The file of the store of keys: the path itself, or the store's own file in that folder. What is not there yet is a folder, unless its
/// name has an extension.
fn file_of(path: &Path) -> PathBuf {
    let is_folder = path.is_dir() || !path.exists() && path.extension().is_none();
    if is_folder { SqliteKeyStore::file_in(path) } else { path.to_owned() }
}

const SEALING_KEY_FILE_NAME: &str = "tollgate-sealing.key";

/// Before there was a release, everything was in this one, keys and clients too.
const OLD_FILE_NAME: &str = "tollgate.sqlite3";
