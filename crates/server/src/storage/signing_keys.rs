use super::Storage;
use rusqlite::OptionalExtension;
use std::fmt;
use tollgate_storage::StorageError;
use zeroize::Zeroizing;

/// The service's signing keys as the store keeps them.
#[derive(Clone, Eq, PartialEq)]
pub struct StoredSigningKeys {
    /// Grows by one with each write, from 1.
    pub version: i64,
    /// The private JWKS (RFC 7517 section 5), rotation included.
    pub private_jwks: Zeroizing<String>,
}

impl fmt::Debug for StoredSigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredSigningKeys").field("version", &self.version).finish_non_exhaustive()
    }
}

impl Storage {
    /// The signing keys, unless none were written yet.
    ///
    /// # Errors
    /// When the storage cannot be read.
    pub fn signing_keys(&self) -> Result<Option<StoredSigningKeys>, StorageError> {
        self.read(|connection| {
            Ok(connection
                .prepare_cached("SELECT version, private_jwks FROM signing_keys")?
                .query_row((), |row| {
                    Ok(StoredSigningKeys { version: row.get(0)?, private_jwks: Zeroizing::new(row.get(1)?) })
                })
                .optional()?)
        })
    }

    /// Writes the signing keys, when those in the store still have `version` (0: there are none), and returns whether it
    /// did. So two processes that start on one empty store end up with one key, and no rotation undoes another.
    ///
    /// # Errors
    /// When the storage cannot be written.
    pub fn replace_signing_keys(&self, version: i64, private_jwks: &str) -> Result<bool, StorageError> {
        self.write(|transaction| {
            let current: Option<i64> =
                transaction.query_row("SELECT version FROM signing_keys", (), |row| row.get(0)).optional()?;
            if current.unwrap_or(0) != version {
                return Ok(false);
            }
            transaction
                .prepare_cached(
                    "INSERT INTO signing_keys (id, version, private_jwks) VALUES (1, ?1, ?2)
                     ON CONFLICT (id) DO UPDATE SET version = ?1, private_jwks = ?2",
                )?
                .execute((version + 1, private_jwks))?;
            Ok(true)
        })
    }
}
