//! Sessions that were made with API keys, as rows.

use crate::error::SqliteError;
use rusqlite::{Connection, Row};
use tollgate_storage::KeySession;

pub(crate) fn insert(connection: &Connection, session: &KeySession) -> Result<(), SqliteError> {
    let KeySession { id, issuer, key_id, ends_at } = session;
    connection
        .prepare_cached("INSERT INTO key_sessions (id, issuer, key_id, ends_at) VALUES (?1, ?2, ?3, ?4)")?
        .execute((id, issuer, key_id, ends_at))
        .map_err(|error| SqliteError::of_insert(error, "session"))?;
    Ok(())
}

pub(crate) fn remove(connection: &Connection, id: &str) -> Result<(), SqliteError> {
    connection.prepare_cached("DELETE FROM key_sessions WHERE id = ?1")?.execute([id])?;
    Ok(())
}

pub(crate) fn of_key(connection: &Connection, key_id: &str) -> Result<Vec<KeySession>, SqliteError> {
    let mut select = connection.prepare_cached("SELECT * FROM key_sessions WHERE key_id = ?1 ORDER BY id")?;
    Ok(select.query_map([key_id], session)?.collect::<Result<_, _>>()?)
}

/// The sessions of keys that ended by `now`.
pub(crate) fn of_ended_keys(connection: &Connection, now: i64) -> Result<Vec<KeySession>, SqliteError> {
    let mut select = connection.prepare_cached(
        "SELECT s.* FROM key_sessions s JOIN keys k ON k.id = s.key_id
         WHERE k.overlap_ends_at <= ?1 OR k.expires_at <= ?1 ORDER BY s.id",
    )?;
    Ok(select.query_map([now], session)?.collect::<Result<_, _>>()?)
}

fn session(row: &Row<'_>) -> rusqlite::Result<KeySession> {
    let (id, issuer, key_id) = (row.get("id")?, row.get("issuer")?, row.get("key_id")?);
    Ok(KeySession { id, issuer, key_id, ends_at: row.get("ends_at")? })
}
