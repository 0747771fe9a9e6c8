//! Known devices of users, as rows.

use crate::error::SqliteError;
use rusqlite::Connection;
use tollgate_storage::Refusal;
use tollgate_storage::accounts::KnownDevice;

/// Returns whether the device is new.
pub(crate) fn add(connection: &Connection, device: &KnownDevice, max: u32) -> Result<bool, SqliteError> {
    let KnownDevice { digest, user_id, last_login_at, expires_at } = device;
    let is_known = connection
        .prepare_cached("SELECT 1 FROM known_devices WHERE user_id = ?1 AND digest = ?2")?
        .exists((user_id, digest))?;
    let added = connection
        .prepare_cached(
            "INSERT INTO known_devices (user_id, digest, last_login_at, expires_at) SELECT id, ?2, ?3, ?4 FROM users WHERE id = ?1
             ON CONFLICT (user_id, digest) DO UPDATE SET last_login_at = ?3, expires_at = ?4",
        )?
        .execute((user_id, digest, last_login_at, expires_at))?;
    if added == 0 {
        return Err(Refusal::Changed { what: "user" }.into());
    }
    connection
        .prepare_cached(
            "DELETE FROM known_devices WHERE user_id = ?1 AND (expires_at <= ?2 OR digest NOT IN
                 (SELECT digest FROM known_devices WHERE user_id = ?1 ORDER BY last_login_at DESC, digest LIMIT ?3))",
        )?
        .execute((user_id, last_login_at, max))?;
    Ok(!is_known)
}

pub(crate) fn is_known(
    connection: &Connection,
    user_id: &str,
    digest: &[u8; 32],
    now: i64,
) -> Result<bool, SqliteError> {
    let mut select = connection
        .prepare_cached("SELECT 1 FROM known_devices WHERE user_id = ?1 AND digest = ?2 AND expires_at > ?3")?;
    Ok(select.exists((user_id, digest, now))?)
}
