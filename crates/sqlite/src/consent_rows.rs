//! Consents and known devices of users, as rows.

use crate::error::SqliteError;
use crate::refresh_rows;
use rusqlite::{Connection, OptionalExtension, Row};
use tollgate_storage::Refusal;
use tollgate_storage::accounts::{Consent, KnownDevice};

pub(crate) fn add(connection: &Connection, consent: Consent) -> Result<(), SqliteError> {
    let earlier = of_client(connection, &consent.user_id, &consent.client_id)?;
    let Consent { user_id, client_id, scopes, granted_at } = match &earlier {
        Some(earlier) => consent.and_earlier(earlier),
        None => consent,
    };
    let added = connection
        .prepare_cached(
            "INSERT INTO consents (user_id, client_id, scopes, granted_at) SELECT id, ?2, ?3, ?4 FROM users WHERE id = ?1
             ON CONFLICT (user_id, client_id) DO UPDATE SET scopes = ?3, granted_at = ?4",
        )?
        .execute((user_id, client_id, scopes, granted_at))?;
    if added == 0 { Err(Refusal::Changed { what: "user" }.into()) } else { Ok(()) }
}

pub(crate) fn of_client(
    connection: &Connection,
    user_id: &str,
    client_id: &str,
) -> Result<Option<Consent>, SqliteError> {
    let mut select = connection.prepare_cached("SELECT * FROM consents WHERE user_id = ?1 AND client_id = ?2")?;
    Ok(select.query_row((user_id, client_id), consent).optional()?)
}

pub(crate) fn of_user(connection: &Connection, user_id: &str) -> Result<Vec<Consent>, SqliteError> {
    let mut select = connection.prepare_cached("SELECT * FROM consents WHERE user_id = ?1 ORDER BY client_id")?;
    Ok(select.query_map([user_id], consent)?.collect::<Result<_, _>>()?)
}

pub(crate) fn revoke(connection: &Connection, user_id: &str, client_id: &str) -> Result<bool, SqliteError> {
    let revoked = connection
        .prepare_cached("DELETE FROM consents WHERE user_id = ?1 AND client_id = ?2")?
        .execute((user_id, client_id))?;
    connection
        .prepare_cached("DELETE FROM authorization_codes WHERE user_id = ?1 AND client_id = ?2 AND used_at IS NULL")?
        .execute((user_id, client_id))?;
    connection
        .prepare_cached("DELETE FROM device_authorizations WHERE user_id = ?1 AND client_id = ?2 AND used_at IS NULL")?
        .execute((user_id, client_id))?;
    refresh_rows::end_of_client(connection, user_id, client_id)?;
    Ok(revoked > 0)
}

/// Returns whether the device is new.
pub(crate) fn add_device(connection: &Connection, device: &KnownDevice, max: u32) -> Result<bool, SqliteError> {
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

pub(crate) fn is_known_device(
    connection: &Connection,
    user_id: &str,
    digest: &[u8; 32],
    now: i64,
) -> Result<bool, SqliteError> {
    let mut select = connection
        .prepare_cached("SELECT 1 FROM known_devices WHERE user_id = ?1 AND digest = ?2 AND expires_at > ?3")?;
    Ok(select.exists((user_id, digest, now))?)
}

fn consent(row: &Row<'_>) -> rusqlite::Result<Consent> {
    let (user_id, client_id, scopes) = (row.get("user_id")?, row.get("client_id")?, row.get("scopes")?);
    Ok(Consent { user_id, client_id, scopes, granted_at: row.get("granted_at")? })
}
