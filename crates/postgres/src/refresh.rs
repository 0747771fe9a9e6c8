//! Families of refresh tokens, and the access tokens that were issued in them.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use tollgate_storage::accounts::{GrantedToken, PresentedRefreshToken, Refresh, RefreshFamily, SuccessorKey};
use tollgate_storage::{AuditRecord, Refusal, StorageError};

use crate::account_work::Rows;
use crate::store::PostgresStore;

pub(crate) async fn add(
    rows: &Rows<'_, '_>,
    family: &RefreshFamily,
    digest: &[u8; 32],
    token: &GrantedToken,
    max: u32,
) -> Result<(), StorageError> {
    // Two families of one user take turns, so that the later one counts the earlier one.
    if rows.query("SELECT FROM tollgate.users WHERE id = $1 FOR UPDATE", &[&family.user_id]).await?.is_empty() {
        return Err(Refusal::Changed { what: "session" }.into());
    }
    // The session cannot end before the family is there, and so ends it.
    let insert = format!(
        "INSERT INTO tollgate.refresh_families ({FAMILY_COLUMNS})
         SELECT $1, $2, s.user_id, s.id, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15 FROM tollgate.login_sessions s
         WHERE s.id = $4 AND s.user_id = $3 FOR SHARE"
    );
    let confirmation = family.confirmation_text();
    let values: [&(dyn ToSql + Sync); 15] = [
        &family.id,
        &family.client_id,
        &family.user_id,
        &family.session_id,
        &family.scope,
        &family.is_offline,
        &confirmation,
        &&family.successor_key.as_bytes()[..],
        &family.number,
        &family.created_at,
        &family.rotated_at,
        &family.expires_at,
        &family.ends_at,
        &family.is_ended,
        &family.authenticated_at,
    ];
    if rows.execute(&insert, &values).await? == 0 {
        return Err(Refusal::Changed { what: "session" }.into());
    }
    add_refresh_token(rows, &family.id, digest, family.number).await?;
    add_granted_token(rows, &family.id, token).await?;
    let end = "UPDATE tollgate.refresh_families SET is_ended = true WHERE id IN
                   (SELECT id FROM tollgate.refresh_families WHERE user_id = $1 AND client_id = $2 AND NOT is_ended
                    ORDER BY created_at DESC, id DESC OFFSET $3)";
    rows.execute(end, &[&family.user_id, &family.client_id, &i64::from(max)]).await.map(drop)
}

pub(crate) async fn refresh(
    rows: &Rows<'_, '_>,
    presented: &PresentedRefreshToken,
    reused: &AuditRecord,
    now: i64,
) -> Result<Refresh, StorageError> {
    // Of several at once each waits here for the one before, and finds what that has written.
    let held = rows.query(&format!("{FIND_FAMILY} FOR UPDATE OF f"), &[&&presented.digest[..]]).await?;
    let Some((family, number)) = held.first().map(found).transpose()? else { return Ok(Refresh::Unknown) };
    let session = "SELECT expires_at FROM tollgate.login_sessions WHERE id = $1";
    let session_ends_at = rows.query(session, &[&family.session_id]).await?.first().map(|row| row.get(0));
    let outcome = family.refresh(number, session_ends_at, presented, now);
    match &outcome {
        Refresh::Rotated(family) | Refresh::Again(family) => {
            let delete = "DELETE FROM tollgate.granted_tokens WHERE family_id = $1 AND expires_at <= $2";
            rows.execute(delete, &[&family.id, &now]).await?;
            let count = "SELECT count(*) FROM tollgate.granted_tokens WHERE family_id = $1";
            if rows.count(count, &[&family.id]).await? >= i64::from(presented.max) {
                return Ok(Refresh::TooMany);
            }
            add_granted_token(rows, &family.id, &presented.token).await?;
        }
        Refresh::Reused(family) => {
            end(rows, &family.id, reused).await?;
        }
        _ => {}
    }
    if let Refresh::Rotated(family) = &outcome {
        let next = number + 1;
        add_refresh_token(rows, &family.id, &presented.successor, next).await?;
        let delete = "DELETE FROM tollgate.refresh_tokens WHERE family_id = $1 AND number < $2";
        rows.execute(delete, &[&family.id, &(next - i64::from(presented.max))]).await?;
        let update = "UPDATE tollgate.refresh_families SET number = $2, rotated_at = $3, expires_at = $4 WHERE id = $1";
        rows.execute(update, &[&family.id, &next, &now, &presented.successor_expires_at]).await?;
    }
    Ok(outcome)
}

/// Returns whether there is such a family that had not ended.
pub(crate) async fn end(rows: &Rows<'_, '_>, id: &str, audit: &AuditRecord) -> Result<bool, StorageError> {
    let end = "UPDATE tollgate.refresh_families SET is_ended = true WHERE id = $1 AND NOT is_ended";
    let is_ended = rows.execute(end, &[&id]).await? > 0;
    rows.record_if(is_ended, audit).await
}

/// Removes the families of a user, and returns the login sessions that they came of.
pub(crate) async fn remove_of_user(rows: &Rows<'_, '_>, user_id: &str) -> Result<Vec<String>, StorageError> {
    let delete = "DELETE FROM tollgate.refresh_families WHERE user_id = $1 RETURNING session_id";
    Ok(rows.execute_returning(delete, &[&user_id]).await?.iter().map(|row| row.get(0)).collect())
}

async fn add_refresh_token(
    rows: &Rows<'_, '_>,
    family_id: &str,
    digest: &[u8; 32],
    number: i64,
) -> Result<(), StorageError> {
    let insert = "INSERT INTO tollgate.refresh_tokens (digest, family_id, number) VALUES ($1, $2, $3)";
    rows.execute(insert, &[&&digest[..], &family_id, &number]).await.map(drop)
}

async fn add_granted_token(rows: &Rows<'_, '_>, family_id: &str, token: &GrantedToken) -> Result<(), StorageError> {
    let insert = "INSERT INTO tollgate.granted_tokens (family_id, id, expires_at) VALUES ($1, $2, $3)";
    rows.execute(insert, &[&family_id, &token.id, &token.expires_at]).await.map(drop)
}

pub(crate) async fn family(
    store: &PostgresStore,
    digest: &[u8; 32],
) -> Result<Option<(RefreshFamily, i64)>, StorageError> {
    store.select(FIND_FAMILY, &[&&digest[..]]).await?.first().map(found).transpose()
}

pub(crate) async fn tokens_of_family(store: &PostgresStore, id: &str) -> Result<Vec<String>, StorageError> {
    let select = "SELECT id FROM tollgate.granted_tokens WHERE family_id = $1 ORDER BY id";
    Ok(store.select_text(select, id).await?.iter().map(|row| row.get(0)).collect())
}

pub(crate) async fn tokens_granted(
    store: &PostgresStore,
    user_id: &str,
    client_id: &str,
) -> Result<Vec<String>, StorageError> {
    let select = "SELECT token_id COLLATE \"C\" FROM tollgate.authorization_codes
                  WHERE user_id = $1 AND client_id = $2 AND used_at IS NOT NULL
                  UNION
                  SELECT token_id FROM tollgate.device_authorizations
                  WHERE user_id = $1 AND client_id = $2 AND used_at IS NOT NULL
                  UNION
                  SELECT t.id FROM tollgate.granted_tokens t JOIN tollgate.refresh_families f ON f.id = t.family_id
                  WHERE f.user_id = $1 AND f.client_id = $2
                  ORDER BY 1";
    Ok(store.select_texts(select, user_id, client_id).await?.iter().map(|row| row.get(0)).collect())
}

pub(crate) async fn forget(rows: &Rows<'_, '_>, now: i64) -> Result<(), StorageError> {
    let delete = "DELETE FROM tollgate.refresh_families f WHERE (f.is_ended OR f.expires_at <= $1) AND NOT EXISTS
                      (SELECT FROM tollgate.granted_tokens t WHERE t.family_id = f.id AND t.expires_at > $1)";
    rows.execute(delete, &[&now]).await.map(drop)
}

const FAMILY_COLUMNS: &str =
    "id, client_id, user_id, session_id, scope, is_offline, confirmation, successor_key, number, created_at, rotated_at,
    expires_at, ends_at, is_ended, authenticated_at";

/// By the digest of a token.
const FIND_FAMILY: &str = "
    SELECT f.id, f.client_id, f.user_id, f.session_id, f.scope, f.is_offline, f.confirmation, f.successor_key, f.number, f.created_at,
           f.rotated_at, f.expires_at, f.ends_at, f.is_ended, f.authenticated_at, t.number
    FROM tollgate.refresh_tokens t JOIN tollgate.refresh_families f ON f.id = t.family_id WHERE t.digest = $1";

/// A row of [`FIND_FAMILY`]: the family, and the number of the token.
fn found(row: &Row) -> Result<(RefreshFamily, i64), StorageError> {
    let corrupt = |_| StorageError::Corrupt { table: "refresh_families", row: row.get(0) };
    let successor_key: &[u8] = row.get(7);
    let family = RefreshFamily {
        id: row.get(0),
        client_id: row.get(1),
        user_id: row.get(2),
        session_id: row.get(3),
        scope: row.get(4),
        is_offline: row.get(5),
        confirmation: RefreshFamily::confirmation_from(row.get(6)).map_err(corrupt)?,
        // The table checks its length.
        successor_key: SuccessorKey::new(successor_key.try_into().unwrap_or_default()),
        number: row.get(8),
        created_at: row.get(9),
        rotated_at: row.get(10),
        expires_at: row.get(11),
        ends_at: row.get(12),
        is_ended: row.get(13),
        authenticated_at: row.get(14),
    };
    Ok((family, row.get(15)))
}

/// A step of the schema.
pub(crate) const WITH_CONFIRMATION: &str = "
    -- What the tokens are bound to: `jkt=` or `x5t#S256=` and a thumbprint, joined by single spaces.
    ALTER TABLE tollgate.refresh_families ADD COLUMN confirmation text COLLATE \"C\" NOT NULL DEFAULT '';
    UPDATE tollgate.refresh_families SET confirmation = 'jkt=' || jkt WHERE jkt IS NOT NULL;
    ALTER TABLE tollgate.refresh_families DROP COLUMN jkt;
";

/// An earlier step.
pub(crate) const TABLES: &str = "
    -- Refresh tokens that come one from another. Those with a number below the family's have been used.
    CREATE TABLE tollgate.refresh_families (
        id                text COLLATE \"C\" PRIMARY KEY,
        client_id         text COLLATE \"C\" NOT NULL,
        user_id           text COLLATE \"C\" NOT NULL,
        session_id        text COLLATE \"C\" NOT NULL,
        scope             text NOT NULL,
        is_offline        boolean NOT NULL,
        jkt               text,
        successor_key     bytea NOT NULL CHECK (octet_length(successor_key) = 32),
        number            bigint NOT NULL,
        authenticated_at  bigint NOT NULL,
        created_at        bigint NOT NULL,
        rotated_at        bigint NOT NULL,
        expires_at        bigint NOT NULL,
        ends_at           bigint NOT NULL,
        is_ended          boolean NOT NULL
    );
    CREATE INDEX refresh_families_by_user ON tollgate.refresh_families (user_id, client_id);
    CREATE INDEX refresh_families_by_expiry ON tollgate.refresh_families (expires_at);
    CREATE INDEX refresh_families_ended ON tollgate.refresh_families (is_ended) WHERE is_ended;

    CREATE TABLE tollgate.refresh_tokens (
        digest            bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
        family_id         text COLLATE \"C\" NOT NULL REFERENCES tollgate.refresh_families (id) ON DELETE CASCADE,
        number            bigint NOT NULL
    );
    CREATE INDEX refresh_tokens_by_family ON tollgate.refresh_tokens (family_id, number);

    -- The access tokens that were issued in a family, which are revoked with it.
    CREATE TABLE tollgate.granted_tokens (
        family_id         text COLLATE \"C\" NOT NULL REFERENCES tollgate.refresh_families (id) ON DELETE CASCADE,
        id                text COLLATE \"C\" NOT NULL,
        expires_at        bigint NOT NULL,
        PRIMARY KEY (family_id, id)
    );
";
