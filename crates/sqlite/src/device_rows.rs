//! Device authorizations, as rows.

use crate::consent_rows;
use crate::error::SqliteError;
use crate::logout_rows;
use rusqlite::{Connection, OptionalExtension, Row};
use tollgate_storage::Refusal;
use tollgate_storage::accounts::{Consent, DeviceApproval, DeviceAuthorization, DeviceDecision, DevicePoll};

pub(crate) fn add(
    connection: &Connection,
    authorization: &DeviceAuthorization,
    max_of_client: u32,
    max: u32,
    keep_for: i64,
) -> Result<(), SqliteError> {
    let DeviceAuthorization { device_digest, user_digest, client_id, scope, created_at, expires_at, interval, .. } =
        authorization;
    connection
        .prepare_cached(
            "DELETE FROM device_authorizations WHERE expires_at <= ?1
               AND (used_at IS NULL AND 2 * expires_at - created_at <= ?1 OR expires_at <= ?2)",
        )?
        .execute((created_at, created_at.saturating_sub(keep_for)))?;
    let (all, of_client): (u32, u32) = connection
        .prepare_cached(
            "SELECT count(*), count(*) FILTER (WHERE client_id = ?2) FROM device_authorizations WHERE expires_at > ?1",
        )?
        .query_row((created_at, client_id), |row| Ok((row.get(0)?, row.get(1)?)))?;
    if all >= max || of_client >= max_of_client {
        return Err(Refusal::TooMany { max: if all >= max { max } else { max_of_client } }.into());
    }
    connection
        .prepare_cached(
            "INSERT INTO device_authorizations (device_digest, user_digest, client_id, scope, created_at, expires_at,
                                                poll_interval)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((device_digest, user_digest, client_id, scope, created_at, expires_at, interval))
        .map_err(|error| SqliteError::of_insert(error, "device authorization"))?;
    Ok(())
}

pub(crate) fn undecided(
    connection: &Connection,
    user_digest: &[u8; 32],
    now: i64,
) -> Result<Option<DeviceAuthorization>, SqliteError> {
    let mut select = connection.prepare_cached(
        "SELECT * FROM device_authorizations
         WHERE user_digest = ?1 AND expires_at > ?2 AND is_denied = 0 AND user_id IS NULL",
    )?;
    Ok(select.query_row((user_digest, now), authorization).optional()?)
}

pub(crate) fn decide(
    connection: &Connection,
    user_digest: &[u8; 32],
    decision: &DeviceDecision,
    scope: &str,
    now: i64,
) -> Result<bool, SqliteError> {
    match decision {
        DeviceDecision::Denied => {
            let denied = connection
                .prepare_cached(
                    "UPDATE device_authorizations SET is_denied = 1
                     WHERE user_digest = ?1 AND expires_at > ?2 AND is_denied = 0 AND user_id IS NULL",
                )?
                .execute((user_digest, now))?;
            Ok(denied > 0)
        }
        DeviceDecision::Approved(DeviceApproval { user_id, session_id, token_id }) => {
            let client_id = connection
                .prepare_cached(
                    "UPDATE device_authorizations SET scope = ?3, user_id = ?4, session_id = ?5, token_id = ?6
                     WHERE user_digest = ?1 AND expires_at > ?2 AND is_denied = 0 AND user_id IS NULL
                       AND EXISTS (SELECT 1 FROM login_sessions WHERE id = ?5 AND user_id = ?4 AND expires_at > ?2)
                     RETURNING client_id",
                )?
                .query_row((user_digest, now, scope, user_id, session_id, token_id), |row| row.get(0))
                .optional()?;
            let Some(client_id) = client_id else { return Ok(false) };
            let (user_id, scopes) = (user_id.clone(), scope.to_owned());
            consent_rows::add(connection, Consent { user_id, client_id, scopes, granted_at: now })?;
            Ok(true)
        }
    }
}

pub(crate) fn poll(
    connection: &Connection,
    device_digest: &[u8; 32],
    client_id: &str,
    now: i64,
) -> Result<DevicePoll, SqliteError> {
    let found = connection
        .prepare_cached(
            "SELECT d.*, EXISTS (SELECT 1 FROM login_sessions s WHERE s.id = d.session_id AND s.expires_at > ?2)
                 AS has_session
             FROM device_authorizations d WHERE d.device_digest = ?1",
        )?
        .query_row((device_digest, now), |row| {
            let is_used = row.get::<_, Option<i64>>("used_at")?.is_some();
            Ok((authorization(row)?, is_used, row.get::<_, bool>("has_session")?))
        })
        .optional()?;
    let Some((mut known, is_used, has_session)) = found else { return Ok(DevicePoll::Unknown) };
    let before = (known.interval, known.polled_at);
    let polled = known.poll(client_id, is_used, has_session, now);
    if let DevicePoll::First(authorization, approval) = &polled {
        logout_rows::note_client(connection, &approval.session_id, &authorization.client_id)?;
        connection
            .prepare_cached("UPDATE device_authorizations SET used_at = ?2 WHERE device_digest = ?1")?
            .execute((device_digest, now))?;
    } else if before != (known.interval, known.polled_at) {
        connection
            .prepare_cached(
                "UPDATE device_authorizations SET poll_interval = ?2, polled_at = ?3 WHERE device_digest = ?1",
            )?
            .execute((device_digest, known.interval, known.polled_at))?;
    }
    Ok(polled)
}

fn authorization(row: &Row<'_>) -> rusqlite::Result<DeviceAuthorization> {
    let decision = match row.get::<_, Option<String>>("user_id")? {
        _ if row.get("is_denied")? => Some(DeviceDecision::Denied),
        Some(user_id) => {
            let (session_id, token_id) = (row.get("session_id")?, row.get("token_id")?);
            Some(DeviceDecision::Approved(DeviceApproval { user_id, session_id, token_id }))
        }
        None => None,
    };
    Ok(DeviceAuthorization {
        device_digest: row.get("device_digest")?,
        user_digest: row.get("user_digest")?,
        client_id: row.get("client_id")?,
        scope: row.get("scope")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        interval: row.get("poll_interval")?,
        polled_at: row.get("polled_at")?,
        decision,
    })
}

/// A step of the schema.
pub(crate) const TABLE: &str = "
    -- Device authorization requests (RFC 8628), by the digests of both their codes. An approval is that of a login session.
    CREATE TABLE device_authorizations (
        device_digest BLOB NOT NULL PRIMARY KEY CHECK (length(device_digest) = 32),
        user_digest   BLOB NOT NULL UNIQUE CHECK (length(user_digest) = 32),
        client_id     TEXT NOT NULL,
        scope         TEXT NOT NULL,
        created_at    INTEGER NOT NULL,
        expires_at    INTEGER NOT NULL,
        poll_interval INTEGER NOT NULL,
        polled_at     INTEGER,
        is_denied     INTEGER NOT NULL DEFAULT 0,
        user_id       TEXT,
        session_id    TEXT,
        token_id      TEXT,
        used_at       INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX device_authorizations_by_expiry ON device_authorizations (expires_at);
    CREATE INDEX device_authorizations_by_user ON device_authorizations (user_id) WHERE user_id IS NOT NULL;
";
