//! Users.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use tollgate_storage::accounts::{User, UserChange, UserChanged};
use tollgate_storage::{AuditRecord, Refusal, StorageError};

use crate::account_work::{Rows, has_nul};
use crate::logout_notices::ADD_NOTICES;
use crate::refresh;
use crate::store::PostgresStore;

pub(crate) async fn add(
    rows: &Rows<'_, '_>,
    user: &User,
    password_hash: &str,
    audit: &AuditRecord,
) -> Result<(), StorageError> {
    let User { id, email, scopes, created_at, disabled_at, epoch } = user;
    let values: [&(dyn ToSql + Sync); 7] = [id, email, &password_hash, scopes, created_at, disabled_at, epoch];
    let insert = "INSERT INTO tollgate.users (id, email, password_hash, scopes, created_at, disabled_at, epoch)
                  VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    if rows.execute(insert, &values).await? == 0 {
        return Err(Refusal::AlreadyExists { what: "user" }.into());
    }
    rows.record(audit).await
}

pub(crate) async fn by_id(store: &PostgresStore, id: &str) -> Result<Option<User>, StorageError> {
    let select = format!("SELECT {USER_COLUMNS} FROM tollgate.users WHERE id = $1");
    Ok(store.select_text(&select, id).await?.first().map(user))
}

/// The user, and the PHC string of the password.
pub(crate) async fn by_email(store: &PostgresStore, email: &str) -> Result<Option<(User, String)>, StorageError> {
    let select = format!("SELECT {USER_COLUMNS}, password_hash FROM tollgate.users WHERE email = $1");
    Ok(store.select_text(&select, email).await?.first().map(|row| (user(row), row.get(6))))
}

pub(crate) async fn page(store: &PostgresStore, after: &str, max: usize) -> Result<Vec<User>, StorageError> {
    let max = i64::try_from(max).unwrap_or(i64::MAX);
    if has_nul(&[after]) {
        return Ok(Vec::new());
    }
    let select = format!("SELECT {USER_COLUMNS} FROM tollgate.users WHERE id > $1 ORDER BY id LIMIT $2");
    Ok(store.select(&select, &[&after, &max]).await?.iter().map(user).collect())
}

pub(crate) async fn change(
    rows: &Rows<'_, '_>,
    id: &str,
    change: &UserChange,
    audit: &AuditRecord,
) -> Result<UserChanged, StorageError> {
    // Whoever begins a login, or adds a code, waits for this row.
    let select = format!("SELECT {USER_COLUMNS} FROM tollgate.users WHERE id = $1 FOR UPDATE");
    let found = rows.query(&select, &[&id]).await?;
    let before = found.first().map(user).ok_or(Refusal::NotFound { what: "user" })?;
    let mut ended: Vec<String> = Vec::new();
    if *change != UserChange::Enable {
        // As where one session ends.
        rows.query("SELECT FROM tollgate.login_sessions WHERE user_id = $1 FOR UPDATE", &[&id]).await?;
        rows.execute(&format!("{ADD_NOTICES} WHERE s.user_id = $1 ON CONFLICT DO NOTHING"), &[&id]).await?;
        let sessions = "DELETE FROM tollgate.login_sessions WHERE user_id = $1 RETURNING id";
        ended = rows.execute_returning(sessions, &[&id]).await?.iter().map(|row| row.get(0)).collect();
        let codes = "DELETE FROM tollgate.authorization_codes WHERE user_id = $1 AND used_at IS NULL";
        rows.execute(codes, &[&id]).await?;
        // Of sessions that have expired too: their access tokens are to be revoked.
        ended.extend(refresh::remove_of_user(rows, id).await?);
        ended.sort_unstable();
        ended.dedup();
        rows.execute("UPDATE tollgate.users SET epoch = epoch + 1 WHERE id = $1", &[&id]).await?;
    }
    match change {
        UserChange::Disable { at } => {
            let update = "UPDATE tollgate.users SET disabled_at = coalesce(disabled_at, $2) WHERE id = $1";
            rows.execute(update, &[&id, at]).await?
        }
        UserChange::Enable => {
            rows.execute("UPDATE tollgate.users SET disabled_at = NULL WHERE id = $1", &[&id]).await?
        }
        UserChange::Password { hash } => {
            rows.execute("UPDATE tollgate.users SET password_hash = $2 WHERE id = $1", &[&id, hash]).await?
        }
        UserChange::EndLogins => 1,
        UserChange::Remove => rows.execute("DELETE FROM tollgate.users WHERE id = $1", &[&id]).await?,
        change => return Err(StorageError::failed(format!("not known here: {change:?}"))),
    };
    let found = rows.query(&select, &[&id]).await?;
    rows.record(audit).await?;
    Ok(UserChanged { user: found.first().map_or(before, user), ended })
}

/// What [`user`] expects, in this order.
const USER_COLUMNS: &str = "id, email, scopes, created_at, disabled_at, epoch";

fn user(row: &Row) -> User {
    let (id, email, scopes, created_at) = (row.get(0), row.get(1), row.get(2), row.get(3));
    User { id, email, scopes, created_at, disabled_at: row.get(4), epoch: row.get(5) }
}
