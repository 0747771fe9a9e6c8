//! The sealed signing keys, in one row.

use crate::error::SqliteError;
use rusqlite::{Connection, OptionalExtension};
use tollgate_storage::accounts::StoredSigningKeys;

pub(crate) fn find(connection: &Connection) -> Result<Option<StoredSigningKeys>, SqliteError> {
    let mut select = connection.prepare_cached("SELECT version, private_jwks FROM signing_keys")?;
    let keys = select.query_row((), |row| {
        Ok(StoredSigningKeys { version: row.get(0)?, private_jwks: row.get::<_, String>(1)?.into() })
    });
    Ok(keys.optional()?)
}

/// Returns whether `version` was the current one; 0 is that of no keys.
pub(crate) fn replace(connection: &Connection, version: i64, private_jwks: &str) -> Result<bool, SqliteError> {
    let current: Option<i64> =
        connection.prepare_cached("SELECT version FROM signing_keys")?.query_row((), |row| row.get(0)).optional()?;
    if current.unwrap_or(0) != version {
        return Ok(false);
    }
    connection
        .prepare_cached(
            "INSERT INTO signing_keys (id, version, private_jwks) VALUES (1, ?1, ?2)
             ON CONFLICT (id) DO UPDATE SET version = ?1, private_jwks = ?2",
        )?
        .execute((version + 1, private_jwks))?;
    Ok(true)
}
