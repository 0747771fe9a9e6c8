//! Consents of users, as rows.

use crate::error::SqliteError;
use crate::refresh_rows;
use rusqlite::{Connection, OptionalExtension, Row};
use tollgate_storage::Refusal;
use tollgate_storage::accounts::Consent;

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

fn consent(row: &Row<'_>) -> rusqlite::Result<Consent> {
    let (user_id, client_id, scopes) = (row.get("user_id")?, row.get("client_id")?, row.get("scopes")?);
    Ok(Consent { user_id, client_id, scopes, granted_at: row.get("granted_at")? })
}
