//! The clients of login sessions, and the logout notices for them, as rows.

use crate::error::SqliteError;
use rusqlite::Connection;
use tollgate_storage::accounts::LogoutNotice;

/// Records that the client got tokens in that session, unless the session has ended.
pub(crate) fn note_client(connection: &Connection, session_id: &str, client_id: &str) -> Result<(), SqliteError> {
    connection
        .prepare_cached(
            "INSERT INTO session_clients (session_id, client_id) SELECT id, ?2 FROM login_sessions WHERE id = ?1
             ON CONFLICT DO NOTHING",
        )?
        .execute((session_id, client_id))?;
    Ok(())
}

/// Adds logout notices for the clients of that session. Call it before the session is deleted, because its clients are
/// deleted with it.
pub(crate) fn add_of_session(connection: &Connection, user_id: &str, session_id: &str) -> Result<(), SqliteError> {
    connection
        .prepare_cached(
            "INSERT INTO logout_notices (session_id, client_id, user_id)
             SELECT s.id, c.client_id, s.user_id FROM login_sessions s JOIN session_clients c ON c.session_id = s.id
             WHERE s.id = ?2 AND s.user_id = ?1 ON CONFLICT DO NOTHING",
        )?
        .execute((user_id, session_id))?;
    Ok(())
}

/// The same for every session of that user.
pub(crate) fn add_of_user(connection: &Connection, user_id: &str) -> Result<(), SqliteError> {
    connection
        .prepare_cached(
            "INSERT INTO logout_notices (session_id, client_id, user_id)
             SELECT s.id, c.client_id, s.user_id FROM login_sessions s JOIN session_clients c ON c.session_id = s.id
             WHERE s.user_id = ?1 ON CONFLICT DO NOTHING",
        )?
        .execute([user_id])?;
    Ok(())
}

pub(crate) fn is_any_due(connection: &Connection, now: i64) -> Result<bool, SqliteError> {
    let mut select = connection.prepare_cached("SELECT 1 FROM logout_notices WHERE next_attempt_at <= ?1 LIMIT 1")?;
    Ok(select.exists([now])?)
}

pub(crate) fn claim(
    connection: &Connection,
    now: i64,
    retry_after: i64,
    max_attempts: u32,
    max: u32,
) -> Result<Vec<LogoutNotice>, SqliteError> {
    connection
        .prepare_cached("DELETE FROM logout_notices WHERE next_attempt_at <= ?1 AND attempts >= ?2")?
        .execute((now, max_attempts))?;
    let mut update = connection.prepare_cached(
        "UPDATE logout_notices SET attempts = attempts + 1, next_attempt_at = ?1 + ?2 * (attempts + 1)
         WHERE (session_id, client_id) IN
             (SELECT session_id, client_id FROM logout_notices WHERE next_attempt_at <= ?1
              ORDER BY next_attempt_at, session_id, client_id LIMIT ?3)
         RETURNING session_id, user_id, client_id, attempts",
    )?;
    let notices = update.query_map((now, retry_after, max), |row| {
        Ok(LogoutNotice {
            session_id: row.get("session_id")?,
            user_id: row.get("user_id")?,
            client_id: row.get("client_id")?,
            attempt: row.get("attempts")?,
        })
    })?;
    Ok(notices.collect::<Result<_, _>>()?)
}

pub(crate) fn forget(connection: &Connection, notice: &LogoutNotice) -> Result<(), SqliteError> {
    connection
        .prepare_cached("DELETE FROM logout_notices WHERE session_id = ?1 AND client_id = ?2")?
        .execute((&notice.session_id, &notice.client_id))?;
    Ok(())
}
