//! Login sessions of users, as rows.

use crate::error::SqliteError;
use crate::{logout_rows, refresh_rows};
use rusqlite::{Connection, OptionalExtension, Row};
use tollgate_storage::Refusal;
use tollgate_storage::accounts::LoginSession;

pub(crate) fn add(connection: &Connection, session: &LoginSession, epoch: i64, max: u32) -> Result<(), SqliteError> {
    let LoginSession { id, user_id, digest, key_id, agent, address, created_at, authenticated_at, expires_at } =
        session;
    connection.prepare_cached("DELETE FROM login_sessions WHERE expires_at <= ?1")?.execute([created_at])?;
    let count: u32 = connection
        .prepare_cached("SELECT count(*) FROM login_sessions WHERE user_id = ?1")?
        .query_row([user_id], |row| row.get(0))?;
    if count >= max {
        return Err(Refusal::TooMany { max }.into());
    }
    let added = connection
        .prepare_cached(
            "INSERT INTO login_sessions (id, user_id, digest, key_id, agent, address, created_at, expires_at,
                                         authenticated_at)
             SELECT ?1, id, ?3, ?4, ?5, ?6, ?7, ?8, ?10 FROM users
             WHERE id = ?2 AND disabled_at IS NULL AND epoch = ?9",
        )?
        .execute((id, user_id, digest, key_id, agent, address, created_at, expires_at, epoch, authenticated_at))
        .map_err(|error| SqliteError::of_insert(error, "session"))?;
    if added == 0 { Err(Refusal::Changed { what: "user" }.into()) } else { Ok(()) }
}

pub(crate) fn by_digest(
    connection: &Connection,
    digest: &[u8; 32],
    now: i64,
) -> Result<Option<LoginSession>, SqliteError> {
    let mut select = connection.prepare_cached("SELECT * FROM login_sessions WHERE digest = ?1 AND expires_at > ?2")?;
    Ok(select.query_row((digest, now), session).optional()?)
}

/// The newest first.
pub(crate) fn of_user(connection: &Connection, user_id: &str, now: i64) -> Result<Vec<LoginSession>, SqliteError> {
    let mut select = connection.prepare_cached(
        "SELECT * FROM login_sessions WHERE user_id = ?1 AND expires_at > ?2 ORDER BY created_at DESC, id DESC",
    )?;
    Ok(select.query_map((user_id, now), session)?.collect::<Result<_, _>>()?)
}

pub(crate) fn renew(connection: &Connection, session: &LoginSession, epoch: i64) -> Result<bool, SqliteError> {
    let LoginSession { id, user_id, digest, agent, address, authenticated_at, expires_at, .. } = session;
    let renewed = connection
        .prepare_cached(
            "UPDATE login_sessions SET digest = ?3, agent = ?4, address = ?5, authenticated_at = ?6, expires_at = ?7
             WHERE id = ?1 AND user_id = ?2
               AND EXISTS (SELECT 1 FROM users WHERE id = ?2 AND disabled_at IS NULL AND epoch = ?8)",
        )?
        .execute((id, user_id, digest, agent, address, authenticated_at, expires_at, epoch))?;
    Ok(renewed > 0)
}

pub(crate) fn end(connection: &Connection, user_id: &str, id: &str) -> Result<bool, SqliteError> {
    logout_rows::add_of_session(connection, user_id, id)?;
    let ended = connection
        .prepare_cached("DELETE FROM login_sessions WHERE id = ?1 AND user_id = ?2")?
        .execute((id, user_id))?;
    connection
        .prepare_cached("DELETE FROM authorization_codes WHERE user_id = ?2 AND session_id = ?1 AND used_at IS NULL")?
        .execute((id, user_id))?;
    refresh_rows::remove_of_session(connection, user_id, id)?;
    Ok(ended > 0)
}

fn session(row: &Row<'_>) -> rusqlite::Result<LoginSession> {
    Ok(LoginSession {
        id: row.get("id")?,
        user_id: row.get("user_id")?,
        digest: row.get("digest")?,
        key_id: row.get("key_id")?,
        agent: row.get("agent")?,
        address: row.get("address")?,
        created_at: row.get("created_at")?,
        authenticated_at: row.get("authenticated_at")?,
        expires_at: row.get("expires_at")?,
    })
}
