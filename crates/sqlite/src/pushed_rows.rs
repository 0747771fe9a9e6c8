//! Authorization requests that clients have pushed.

use crate::error::SqliteError;
use rusqlite::{Connection, OptionalExtension};
use tollgate_storage::Refusal;
use tollgate_storage::accounts::PushedRequest;

pub(crate) fn add(connection: &Connection, request: &PushedRequest, now: i64, max: u32) -> Result<(), SqliteError> {
    let PushedRequest { digest, client_id, parameters, expires_at } = request;
    connection.prepare_cached("DELETE FROM pushed_requests WHERE expires_at <= ?1")?.execute([now])?;
    let count: u32 = connection
        .prepare_cached("SELECT count(*) FROM pushed_requests WHERE client_id = ?1")?
        .query_row([client_id], |row| row.get(0))?;
    if count >= max {
        return Err(Refusal::TooMany { max }.into());
    }
    connection
        .prepare_cached(
            "INSERT INTO pushed_requests (digest, client_id, parameters, expires_at) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((digest, client_id, parameters, expires_at))
        .map_err(|error| SqliteError::of_insert(error, "request"))?;
    Ok(())
}

/// Gives the request another digest and another end. Returns its parameters.
pub(crate) fn begin(
    connection: &Connection,
    digest: &[u8; 32],
    client_id: &str,
    next: (&[u8; 32], i64),
    now: i64,
) -> Result<Option<String>, SqliteError> {
    let (next, expires_at) = next;
    let parameters = connection
        .prepare_cached(
            "UPDATE pushed_requests SET digest = ?3, expires_at = ?4, is_begun = 1
             WHERE digest = ?1 AND client_id = ?2 AND is_begun = 0 AND expires_at > ?5 RETURNING parameters",
        )?
        .query_row((digest, client_id, next, expires_at, now), |row| row.get(0));
    Ok(parameters.optional()?)
}

pub(crate) fn begun(
    connection: &Connection,
    digest: &[u8; 32],
    client_id: &str,
    now: i64,
) -> Result<Option<String>, SqliteError> {
    let parameters = connection
        .prepare_cached(
            "SELECT parameters FROM pushed_requests
             WHERE digest = ?1 AND client_id = ?2 AND is_begun = 1 AND expires_at > ?3",
        )?
        .query_row((digest, client_id, now), |row| row.get(0));
    Ok(parameters.optional()?)
}

/// Returns whether the request existed and was begun.
pub(crate) fn end(connection: &Connection, digest: &[u8; 32], client_id: &str, now: i64) -> Result<bool, SqliteError> {
    let ended = connection
        .prepare_cached(
            "DELETE FROM pushed_requests WHERE digest = ?1 AND client_id = ?2 AND is_begun = 1 AND expires_at > ?3",
        )?
        .execute((digest, client_id, now))?;
    Ok(ended > 0)
}

/// A step of the schema.
pub(crate) const TABLE: &str = "
    -- Authorization requests that clients have pushed, by the SHA-256 of their `request_uri`. One that a browser has begun has another.
    CREATE TABLE pushed_requests (
        digest        BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
        client_id     TEXT NOT NULL,
        parameters    TEXT NOT NULL,
        expires_at    INTEGER NOT NULL,
        is_begun      INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX pushed_requests_by_client ON pushed_requests (client_id);
    CREATE INDEX pushed_requests_by_expiry ON pushed_requests (expires_at);
";
