//! Login sessions of users.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use tollgate_storage::accounts::LoginSession;
use tollgate_storage::{AuditRecord, Refusal, StorageError};

use crate::account_work::{Rows, has_nul};
use crate::logout_notices::ADD_NOTICES;
use crate::store::PostgresStore;

pub(crate) async fn add(
    rows: &Rows<'_, '_>,
    session: &LoginSession,
    epoch: i64,
    max: u32,
    audit: &AuditRecord,
) -> Result<(), StorageError> {
    let LoginSession { id, user_id, digest, key_id, agent, address, created_at, authenticated_at, expires_at } =
        session;
    // Two logins of one user take turns, so that both count what the other added, and neither passes by a change of the user.
    let select = "SELECT id FROM tollgate.users WHERE id = $1 AND disabled_at IS NULL AND epoch = $2 FOR UPDATE";
    if rows.query(select, &[user_id, &epoch]).await?.is_empty() {
        return Err(Refusal::Changed { what: "user" }.into());
    }
    rows.execute("DELETE FROM tollgate.login_sessions WHERE expires_at <= $1", &[created_at]).await?;
    let count = "SELECT count(*) FROM tollgate.login_sessions WHERE user_id = $1";
    if rows.count(count, &[user_id]).await? >= i64::from(max) {
        return Err(Refusal::TooMany { max }.into());
    }
    let insert =
        "INSERT INTO tollgate.login_sessions (id, user_id, digest, key_id, agent, address, created_at, expires_at, authenticated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
    let digest = digest.as_ref().map(|digest| &digest[..]);
    let values: [&(dyn ToSql + Sync); 9] =
        [id, user_id, &digest, key_id, agent, address, created_at, expires_at, authenticated_at];
    if rows.execute(insert, &values).await? == 0 {
        return Err(Refusal::AlreadyExists { what: "session" }.into());
    }
    rows.record(audit).await
}

pub(crate) async fn by_digest(
    store: &PostgresStore,
    digest: &[u8; 32],
    now: i64,
) -> Result<Option<LoginSession>, StorageError> {
    let select = format!("SELECT {SESSION_COLUMNS} FROM tollgate.login_sessions WHERE digest = $1 AND expires_at > $2");
    Ok(store.select(&select, &[&&digest[..], &now]).await?.first().map(session))
}

/// The newest first.
pub(crate) async fn of_user(store: &PostgresStore, user_id: &str, now: i64) -> Result<Vec<LoginSession>, StorageError> {
    if has_nul(&[user_id]) {
        return Ok(Vec::new());
    }
    let select = format!(
        "SELECT {SESSION_COLUMNS} FROM tollgate.login_sessions WHERE user_id = $1 AND expires_at > $2
         ORDER BY created_at DESC, id DESC"
    );
    Ok(store.select(&select, &[&user_id, &now]).await?.iter().map(session).collect())
}

pub(crate) async fn renew(
    rows: &Rows<'_, '_>,
    session: &LoginSession,
    epoch: i64,
    audit: &AuditRecord,
) -> Result<bool, StorageError> {
    // Not while the user is changed.
    let select = "SELECT FROM tollgate.users WHERE id = $1 AND disabled_at IS NULL AND epoch = $2 FOR UPDATE";
    if rows.query(select, &[&session.user_id, &epoch]).await?.is_empty() {
        return Ok(false);
    }
    let update = "UPDATE tollgate.login_sessions
                  SET digest = $3, agent = $4, address = $5, authenticated_at = $6, expires_at = $7
                  WHERE id = $1 AND user_id = $2";
    let LoginSession { id, user_id, digest, agent, address, authenticated_at, expires_at, .. } = session;
    let digest = digest.as_ref().map(|digest| &digest[..]);
    let values: [&(dyn ToSql + Sync); 7] = [id, user_id, &digest, agent, address, authenticated_at, expires_at];
    let is_renewed = rows.execute(update, &values).await? > 0;
    rows.record_if(is_renewed, audit).await
}

pub(crate) async fn end(
    rows: &Rows<'_, '_>,
    user_id: &str,
    id: &str,
    audit: &AuditRecord,
) -> Result<bool, StorageError> {
    // A code that is being redeemed in it holds the session: its client is told too.
    let held = "SELECT FROM tollgate.login_sessions WHERE id = $1 AND user_id = $2 FOR UPDATE";
    rows.query(held, &[&id, &user_id]).await?;
    let add = format!("{ADD_NOTICES} WHERE s.id = $1 AND s.user_id = $2 ON CONFLICT DO NOTHING");
    rows.execute(&add, &[&id, &user_id]).await?;
    let delete = "DELETE FROM tollgate.login_sessions WHERE id = $1 AND user_id = $2";
    let is_ended = rows.execute(delete, &[&id, &user_id]).await? > 0;
    let delete = "DELETE FROM tollgate.authorization_codes
                  WHERE user_id = $2 AND session_id = $1 AND used_at IS NULL";
    rows.execute(delete, &[&id, &user_id]).await?;
    let delete = "DELETE FROM tollgate.refresh_families WHERE session_id = $1 AND user_id = $2";
    rows.execute(delete, &[&id, &user_id]).await?;
    rows.record_if(is_ended, audit).await
}

/// What [`session`] expects, in this order.
const SESSION_COLUMNS: &str = "id, user_id, digest, key_id, agent, address, created_at, expires_at, authenticated_at";

fn session(row: &Row) -> LoginSession {
    let digest: Option<&[u8]> = row.get(2);
    LoginSession {
        id: row.get(0),
        user_id: row.get(1),
        digest: digest.and_then(|digest| digest.try_into().ok()),
        key_id: row.get(3),
        agent: row.get(4),
        address: row.get(5),
        created_at: row.get(6),
        expires_at: row.get(7),
        authenticated_at: row.get(8),
    }
}
