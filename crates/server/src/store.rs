//! Which store a name means.

use std::path::Path;
use std::sync::Arc;
use tollgate_sqlite::SqliteKeyStore;
use tollgate_storage::{KeyStore, StorageError};

/// The store in a folder; made when it is missing.
pub(crate) fn open(folder: &Path) -> Result<Arc<dyn KeyStore>, StorageError> {
    Ok(Arc::new(SqliteKeyStore::open(folder)?))
}
