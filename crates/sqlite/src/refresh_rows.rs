//! Families of refresh tokens, and the access tokens that were issued in them, as rows.

use crate::audit_rows;
use crate::error::SqliteError;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row};
use tollgate_storage::accounts::{GrantedToken, PresentedRefreshToken, Refresh, RefreshFamily, SuccessorKey};
use tollgate_storage::{AuditRecord, Refusal};

pub(crate) fn add(
    connection: &Connection,
    family: &RefreshFamily,
    digest: &[u8; 32],
    token: &GrantedToken,
    max: u32,
) -> Result<(), SqliteError> {
    let added = connection
        .prepare_cached(
            "INSERT INTO refresh_families (id, client_id, user_id, session_id, scope, is_offline, confirmation, successor_key,
                                           number, created_at, rotated_at, expires_at, ends_at, is_ended, authenticated_at)
             SELECT ?1, ?2, user_id, id, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15 FROM login_sessions
             WHERE id = ?4 AND user_id = ?3",
        )?
        .execute((
            &family.id,
            &family.client_id,
            &family.user_id,
            &family.session_id,
            &family.scope,
            family.is_offline,
            family.confirmation_text(),
            family.successor_key.as_bytes(),
            family.number,
            family.created_at,
            family.rotated_at,
            family.expires_at,
            family.ends_at,
            family.is_ended,
            family.authenticated_at,
        ))?;
    if added == 0 {
        return Err(Refusal::Changed { what: "session" }.into());
    }
    add_refresh_token(connection, &family.id, digest, family.number)?;
    add_granted_token(connection, &family.id, token)?;
    connection
        .prepare_cached(
            "UPDATE refresh_families SET is_ended = 1 WHERE id IN
                 (SELECT id FROM refresh_families WHERE user_id = ?1 AND client_id = ?2 AND NOT is_ended
                  ORDER BY created_at DESC, id DESC LIMIT -1 OFFSET ?3)",
        )?
        .execute((&family.user_id, &family.client_id, max))?;
    Ok(())
}

/// The family of that token, and the token's number.
pub(crate) fn find(connection: &Connection, digest: &[u8; 32]) -> Result<Option<(RefreshFamily, i64)>, SqliteError> {
    let mut select = connection.prepare_cached(
        "SELECT f.*, t.number AS token_number FROM refresh_tokens t JOIN refresh_families f ON f.id = t.family_id
         WHERE t.digest = ?1",
    )?;
    Ok(select.query_row([digest], |row| Ok((family(row)?, row.get("token_number")?))).optional()?)
}

pub(crate) fn refresh(
    connection: &Connection,
    presented: &PresentedRefreshToken,
    reused: &AuditRecord,
    now: i64,
) -> Result<Refresh, SqliteError> {
    let Some((family, number)) = find(connection, &presented.digest)? else { return Ok(Refresh::Unknown) };
    let session_ends_at = connection
        .prepare_cached("SELECT expires_at FROM login_sessions WHERE id = ?1")?
        .query_row([&family.session_id], |row| row.get(0))
        .optional()?;
    let outcome = family.refresh(number, session_ends_at, presented, now);
    match &outcome {
        Refresh::Rotated(family) | Refresh::Again(family) => {
            connection
                .prepare_cached("DELETE FROM granted_tokens WHERE family_id = ?1 AND expires_at <= ?2")?
                .execute((&family.id, now))?;
            let tokens: u32 = connection
                .prepare_cached("SELECT count(*) FROM granted_tokens WHERE family_id = ?1")?
                .query_row([&family.id], |row| row.get(0))?;
            if tokens >= presented.max {
                return Ok(Refresh::TooMany);
            }
            add_granted_token(connection, &family.id, &presented.token)?;
        }
        Refresh::Reused(family) => {
            let is_first = end(connection, &family.id)?;
            if is_first {
                audit_rows::insert(connection, reused)?;
            }
        }
        _ => {}
    }
    if let Refresh::Rotated(family) = &outcome {
        let next = number + 1;
        add_refresh_token(connection, &family.id, &presented.successor, next)?;
        connection
            .prepare_cached("DELETE FROM refresh_tokens WHERE family_id = ?1 AND number < ?2")?
            .execute((&family.id, next - i64::from(presented.max)))?;
        connection
            .prepare_cached("UPDATE refresh_families SET number = ?2, rotated_at = ?3, expires_at = ?4 WHERE id = ?1")?
            .execute((&family.id, next, now, presented.successor_expires_at))?;
    }
    Ok(outcome)
}

/// Returns whether there is such a family that had not ended.
pub(crate) fn end(connection: &Connection, id: &str) -> Result<bool, SqliteError> {
    let ended = connection
        .prepare_cached("UPDATE refresh_families SET is_ended = 1 WHERE id = ?1 AND NOT is_ended")?
        .execute([id])?;
    Ok(ended > 0)
}

/// Removes the families of a user, and returns the login sessions that they came of.
pub(crate) fn remove_of_user(connection: &Connection, user_id: &str) -> Result<Vec<String>, SqliteError> {
    let mut delete =
        connection.prepare_cached("DELETE FROM refresh_families WHERE user_id = ?1 RETURNING session_id")?;
    Ok(delete.query_map([user_id], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

pub(crate) fn remove_of_session(connection: &Connection, user_id: &str, session_id: &str) -> Result<(), SqliteError> {
    connection
        .prepare_cached("DELETE FROM refresh_families WHERE user_id = ?1 AND session_id = ?2")?
        .execute((user_id, session_id))?;
    Ok(())
}

/// Ends the families of a user and a client. Their access tokens stay known, since they are to be revoked.
pub(crate) fn end_of_client(connection: &Connection, user_id: &str, client_id: &str) -> Result<(), SqliteError> {
    connection
        .prepare_cached("UPDATE refresh_families SET is_ended = 1 WHERE user_id = ?1 AND client_id = ?2")?
        .execute((user_id, client_id))?;
    Ok(())
}

pub(crate) fn tokens_of_family(connection: &Connection, id: &str) -> Result<Vec<String>, SqliteError> {
    let mut select = connection.prepare_cached("SELECT id FROM granted_tokens WHERE family_id = ?1 ORDER BY id")?;
    Ok(select.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

pub(crate) fn tokens_granted(
    connection: &Connection,
    user_id: &str,
    client_id: &str,
) -> Result<Vec<String>, SqliteError> {
    let mut select = connection.prepare_cached(
        "SELECT token_id FROM authorization_codes WHERE user_id = ?1 AND client_id = ?2 AND used_at IS NOT NULL
         UNION
         SELECT token_id FROM device_authorizations WHERE user_id = ?1 AND client_id = ?2 AND used_at IS NOT NULL
         UNION
         SELECT t.id FROM granted_tokens t JOIN refresh_families f ON f.id = t.family_id
         WHERE f.user_id = ?1 AND f.client_id = ?2
         ORDER BY 1",
    )?;
    Ok(select.query_map((user_id, client_id), |row| row.get(0))?.collect::<Result<_, _>>()?)
}

pub(crate) fn forget(connection: &Connection, now: i64) -> Result<(), SqliteError> {
    connection
        .prepare_cached(
            "DELETE FROM refresh_families WHERE (is_ended OR expires_at <= ?1) AND NOT EXISTS
                 (SELECT 1 FROM granted_tokens t WHERE t.family_id = refresh_families.id AND t.expires_at > ?1)",
        )?
        .execute([now])?;
    Ok(())
}

fn add_refresh_token(
    connection: &Connection,
    family_id: &str,
    digest: &[u8; 32],
    number: i64,
) -> Result<(), SqliteError> {
    connection
        .prepare_cached("INSERT INTO refresh_tokens (digest, family_id, number) VALUES (?1, ?2, ?3)")?
        .execute((digest, family_id, number))?;
    Ok(())
}

fn add_granted_token(connection: &Connection, family_id: &str, token: &GrantedToken) -> Result<(), SqliteError> {
    connection
        .prepare_cached("INSERT INTO granted_tokens (family_id, id, expires_at) VALUES (?1, ?2, ?3)")?
        .execute((family_id, &token.id, token.expires_at))?;
    Ok(())
}

fn family(row: &Row<'_>) -> rusqlite::Result<RefreshFamily> {
    Ok(RefreshFamily {
        id: row.get("id")?,
        client_id: row.get("client_id")?,
        user_id: row.get("user_id")?,
        session_id: row.get("session_id")?,
        scope: row.get("scope")?,
        is_offline: row.get("is_offline")?,
        confirmation: RefreshFamily::confirmation_from(&row.get::<_, String>("confirmation")?)
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, error.into()))?,
        successor_key: SuccessorKey::new(row.get("successor_key")?),
        number: row.get("number")?,
        authenticated_at: row.get("authenticated_at")?,
        created_at: row.get("created_at")?,
        rotated_at: row.get("rotated_at")?,
        expires_at: row.get("expires_at")?,
        ends_at: row.get("ends_at")?,
        is_ended: row.get("is_ended")?,
    })
}

/// A step of the schema.
pub(crate) const WITH_CONFIRMATION: &str = "
    -- What the tokens are bound to: `jkt=` or `x5t#S256=` and a thumbprint, joined by single spaces.
    ALTER TABLE refresh_families ADD COLUMN confirmation TEXT NOT NULL DEFAULT '';
    UPDATE refresh_families SET confirmation = 'jkt=' || jkt WHERE jkt IS NOT NULL;
    ALTER TABLE refresh_families DROP COLUMN jkt;
";

/// An earlier step.
pub(crate) const TABLES: &str = "
    -- Refresh tokens that come one from another. Those with a number below the family's have been used.
    CREATE TABLE refresh_families (
        id              TEXT NOT NULL PRIMARY KEY,
        client_id       TEXT NOT NULL,
        user_id         TEXT NOT NULL,
        session_id      TEXT NOT NULL,
        scope           TEXT NOT NULL,
        is_offline      INTEGER NOT NULL,
        jkt             TEXT,
        successor_key   BLOB NOT NULL CHECK (length(successor_key) = 32),
        number          INTEGER NOT NULL,
        authenticated_at  INTEGER NOT NULL,
        created_at      INTEGER NOT NULL,
        rotated_at      INTEGER NOT NULL,
        expires_at      INTEGER NOT NULL,
        ends_at         INTEGER NOT NULL,
        is_ended        INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX refresh_families_by_user ON refresh_families (user_id, client_id);
    CREATE INDEX refresh_families_by_expiry ON refresh_families (expires_at);
    CREATE INDEX refresh_families_ended ON refresh_families (is_ended) WHERE is_ended;

    CREATE TABLE refresh_tokens (
        digest          BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
        family_id       TEXT NOT NULL REFERENCES refresh_families (id) ON DELETE CASCADE,
        number          INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family_id, number);

    -- The access tokens that were issued in a family, which are revoked with it.
    CREATE TABLE granted_tokens (
        family_id       TEXT NOT NULL REFERENCES refresh_families (id) ON DELETE CASCADE,
        id              TEXT NOT NULL,
        expires_at      INTEGER NOT NULL,
        PRIMARY KEY (family_id, id)
    ) STRICT, WITHOUT ROWID;
";
