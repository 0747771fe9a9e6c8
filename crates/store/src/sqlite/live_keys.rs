use super::key_rows::{COLUMNS, KeyReader};
use super::store::Store;
use crate::error::StoreError;
use crate::key::StoredKey;
use rusqlite::params;
use tollgate::KeyKind;

impl Store {
    /// The keys of that subject and kind that are neither revoked nor at their end by `now`, in seconds since the Unix
    /// epoch: the newest first. Disabled ones are among them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn live_keys_of(&self, subject: &str, kind: KeyKind, now: i64) -> Result<Vec<StoredKey>, StoreError> {
        self.read(|transaction| {
            let mut reader = KeyReader::default();
            let mut select = transaction.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM keys WHERE subject = ?1 AND kind = ?2 AND state <> 'revoked'
                 AND (expires_at IS NULL OR expires_at > ?3) AND (overlap_ends_at IS NULL OR overlap_ends_at > ?3)
                 ORDER BY created_at DESC, id DESC"
            ))?;
            let mut rows = select.query(params![subject, kind.as_str(), now])?;
            let mut keys = Vec::new();
            while let Some(row) = rows.next()? {
                keys.push(reader.read(transaction, row)?);
            }
            Ok(keys)
        })
    }
}
