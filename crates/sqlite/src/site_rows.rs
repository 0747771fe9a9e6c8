//! Sites of users, as rows.

use crate::error::SqliteError;
use rusqlite::Connection;
use tollgate_storage::Refusal;
use tollgate_storage::accounts::Site;

pub(crate) fn add(connection: &Connection, site: &Site, max: u32) -> Result<(), SqliteError> {
    let count: u32 = connection
        .prepare_cached("SELECT count(*) FROM sites WHERE user_id = ?1")?
        .query_row([&site.user_id], |row| row.get(0))?;
    if count >= max {
        return Err(Refusal::TooMany { max }.into());
    }
    let added = connection
        .prepare_cached(
            "INSERT INTO sites (id, user_id, name, url, created_at) SELECT ?1, id, ?3, ?4, ?5 FROM users WHERE id = ?2",
        )?
        .execute((&site.id, &site.user_id, &site.name, &site.url, site.created_at))
        .map_err(|error| SqliteError::of_insert(error, "site"))?;
    if added == 0 { Err(Refusal::Changed { what: "user" }.into()) } else { Ok(()) }
}

pub(crate) fn rename(connection: &Connection, user_id: &str, id: &str, name: &str) -> Result<bool, SqliteError> {
    let mut update = connection.prepare_cached("UPDATE sites SET name = ?3 WHERE id = ?1 AND user_id = ?2")?;
    Ok(update.execute((id, user_id, name))? > 0)
}

pub(crate) fn remove(connection: &Connection, user_id: &str, id: &str) -> Result<bool, SqliteError> {
    let mut delete = connection.prepare_cached("DELETE FROM sites WHERE id = ?1 AND user_id = ?2")?;
    Ok(delete.execute((id, user_id))? > 0)
}

/// The oldest first.
pub(crate) fn of_user(connection: &Connection, user_id: &str, limit: u32) -> Result<Vec<Site>, SqliteError> {
    let sites = connection
        .prepare_cached("SELECT * FROM sites WHERE user_id = ?1 ORDER BY created_at, id LIMIT ?2")?
        .query_map((user_id, limit), |row| {
            Ok(Site {
                id: row.get("id")?,
                user_id: row.get("user_id")?,
                name: row.get("name")?,
                url: row.get("url")?,
                created_at: row.get("created_at")?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(sites)
}
