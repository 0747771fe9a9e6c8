//! Users, as rows.

use crate::error::SqliteError;
use crate::{logout_rows, refresh_rows};
use rusqlite::{Connection, OptionalExtension, Row};
use tollgate_storage::accounts::{User, UserChange, UserChanged};
use tollgate_storage::{Refusal, StorageError};

pub(crate) fn add(connection: &Connection, user: &User, password_hash: &str) -> Result<(), SqliteError> {
    let User { id, email, scopes, created_at, disabled_at, epoch } = user;
    connection
        .prepare_cached(
            "INSERT INTO users (id, email, password_hash, scopes, created_at, disabled_at, epoch)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((id, email, password_hash, scopes, created_at, disabled_at, epoch))
        .map_err(|error| SqliteError::of_insert(error, "user"))?;
    Ok(())
}

pub(crate) fn by_id(connection: &Connection, id: &str) -> Result<Option<User>, SqliteError> {
    let mut select = connection.prepare_cached("SELECT * FROM users WHERE id = ?1")?;
    Ok(select.query_row([id], user).optional()?)
}

/// The user, and the PHC string of the password.
pub(crate) fn by_email(connection: &Connection, email: &str) -> Result<Option<(User, String)>, SqliteError> {
    let mut select = connection.prepare_cached("SELECT * FROM users WHERE email = ?1")?;
    Ok(select.query_row([email], |row| Ok((user(row)?, row.get("password_hash")?))).optional()?)
}

pub(crate) fn page(connection: &Connection, after: &str, max: usize) -> Result<Vec<User>, SqliteError> {
    let max = i64::try_from(max).unwrap_or(i64::MAX);
    let mut select = connection.prepare_cached("SELECT * FROM users WHERE id > ?1 ORDER BY id LIMIT ?2")?;
    Ok(select.query_map((after, max), user)?.collect::<Result<_, _>>()?)
}

pub(crate) fn change(connection: &Connection, id: &str, change: &UserChange) -> Result<UserChanged, SqliteError> {
    let find = || by_id(connection, id);
    let before = find()?.ok_or(Refusal::NotFound { what: "user" })?;
    let mut ended: Vec<String> = Vec::new();
    if *change != UserChange::Enable {
        logout_rows::add_of_user(connection, id)?;
        ended = connection
            .prepare_cached("DELETE FROM login_sessions WHERE user_id = ?1 RETURNING id")?
            .query_map([id], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        connection
            .prepare_cached("DELETE FROM authorization_codes WHERE user_id = ?1 AND used_at IS NULL")?
            .execute([id])?;
        // Of sessions that have expired too: their access tokens are to be revoked.
        ended.extend(refresh_rows::remove_of_user(connection, id)?);
        ended.sort_unstable();
        ended.dedup();
        connection.prepare_cached("UPDATE users SET epoch = epoch + 1 WHERE id = ?1")?.execute([id])?;
    }
    match change {
        UserChange::Disable { at } => connection
            .prepare_cached("UPDATE users SET disabled_at = coalesce(disabled_at, ?2) WHERE id = ?1")?
            .execute((id, at))?,
        UserChange::Enable => {
            connection.prepare_cached("UPDATE users SET disabled_at = NULL WHERE id = ?1")?.execute([id])?
        }
        UserChange::Password { hash } => {
            connection.prepare_cached("UPDATE users SET password_hash = ?2 WHERE id = ?1")?.execute((id, hash))?
        }
        UserChange::EndLogins => 1,
        UserChange::Remove => connection.prepare_cached("DELETE FROM users WHERE id = ?1")?.execute([id])?,
        change => return Err(StorageError::failed(format!("not known here: {change:?}")).into()),
    };
    Ok(UserChanged { user: find()?.unwrap_or(before), ended })
}

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: row.get("id")?,
        email: row.get("email")?,
        scopes: row.get("scopes")?,
        created_at: row.get("created_at")?,
        disabled_at: row.get("disabled_at")?,
        epoch: row.get("epoch")?,
    })
}
