use super::{StorageError, Store};
use zeroize::Zeroizing;

/// A private signing key as the store keeps it.
#[derive(Clone)]
pub struct StoredSigningKey {
    /// The key id, as in the published set.
    pub kid: String,
    /// The private JWK (RFC 7517).
    pub private_jwk: Zeroizing<String>,
    /// When it was made. The newest one that does not retire signs.
    pub created_at: i64,
    /// From when on it is not published any more; `None` while it signs.
    pub retire_at: Option<i64>,
}

impl std::fmt::Debug for StoredSigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("StoredSigningKey")
            .field("kid", &self.kid)
            .field("created_at", &self.created_at)
            .field("retire_at", &self.retire_at)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Adds a signing key that does not retire, unless there is one: then nothing is changed.
    /// Returns whether `key` was added.
    ///
    /// So two processes that open an empty store at once end up with the same key.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn add_first_signing_key(&self, key: &StoredSigningKey) -> Result<bool, StorageError> {
        self.write(|transaction| {
            let added = transaction
                .prepare_cached(
                    "INSERT INTO signing_keys (kid, private_jwk, created_at, retire_at)
                     SELECT ?1, ?2, ?3, NULL
                     WHERE NOT EXISTS (SELECT 1 FROM signing_keys WHERE retire_at IS NULL)",
                )?
                .execute((&key.kid, key.private_jwk.as_str(), key.created_at))?;
            Ok(added == 1)
        })
    }

    /// Adds `key` as the one that signs; those that signed before stay published until `retire_at`.
    ///
    /// # Errors
    /// [`StorageError::AlreadyExists`] when the `kid` is taken.
    pub fn rotate_signing_key(&self, key: &StoredSigningKey, retire_at: i64) -> Result<(), StorageError> {
        self.write(|transaction| {
            transaction.execute("UPDATE signing_keys SET retire_at = ?1 WHERE retire_at IS NULL", [retire_at])?;
            transaction
                .execute(
                    "INSERT INTO signing_keys (kid, private_jwk, created_at, retire_at)
                     VALUES (?1, ?2, ?3, NULL)",
                    (&key.kid, key.private_jwk.as_str(), key.created_at),
                )
                .map_err(|error| StorageError::of_insert(error, "signing key"))?;
            Ok(())
        })
    }

    /// The keys that are published at `now`, oldest first: the last one signs.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn signing_keys(&self, now: i64) -> Result<Vec<StoredSigningKey>, StorageError> {
        self.read(|connection| {
            let keys = connection
                .prepare_cached(
                    "SELECT kid, private_jwk, created_at, retire_at FROM signing_keys
                     WHERE retire_at IS NULL OR retire_at > ?1
                     ORDER BY retire_at IS NULL, created_at, kid",
                )?
                .query_map([now], |row| {
                    Ok(StoredSigningKey {
                        kid: row.get(0)?,
                        private_jwk: Zeroizing::new(row.get(1)?),
                        created_at: row.get(2)?,
                        retire_at: row.get(3)?,
                    })
                })?
                .collect::<Result<_, _>>()?;
            Ok(keys)
        })
    }
}
