//! Sites of users.

use tokio_postgres::Row;
use tollgate_storage::accounts::Site;
use tollgate_storage::{AuditRecord, Refusal, StorageError};

use crate::account_work::{Rows, has_nul};
use crate::store::PostgresStore;

pub(crate) async fn add(rows: &Rows<'_, '_>, site: &Site, max: u32, audit: &AuditRecord) -> Result<(), StorageError> {
    let Site { id, user_id, name, url, created_at } = site;
    // Who adds another one waits, and counts this one.
    rows.hold_user(user_id).await?;
    if rows.count("SELECT count(*) FROM tollgate.sites WHERE user_id = $1", &[user_id]).await? >= i64::from(max) {
        return Err(Refusal::TooMany { max }.into());
    }
    let insert = "INSERT INTO tollgate.sites (id, user_id, name, url, created_at)
                  VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    if rows.execute(insert, &[id, user_id, name, url, created_at]).await? == 0 {
        return Err(Refusal::AlreadyExists { what: "site" }.into());
    }
    rows.record(audit).await
}

pub(crate) async fn rename(
    rows: &Rows<'_, '_>,
    user_id: &str,
    id: &str,
    name: &str,
    audit: &AuditRecord,
) -> Result<bool, StorageError> {
    let update = "UPDATE tollgate.sites SET name = $3 WHERE id = $1 AND user_id = $2";
    let is_renamed = !has_nul(&[user_id, id]) && rows.execute(update, &[&id, &user_id, &name]).await? > 0;
    rows.record_if(is_renamed, audit).await
}

pub(crate) async fn remove(
    rows: &Rows<'_, '_>,
    user_id: &str,
    id: &str,
    audit: &AuditRecord,
) -> Result<bool, StorageError> {
    let delete = "DELETE FROM tollgate.sites WHERE id = $1 AND user_id = $2";
    let is_removed = !has_nul(&[user_id, id]) && rows.execute(delete, &[&id, &user_id]).await? > 0;
    rows.record_if(is_removed, audit).await
}

/// The oldest first.
pub(crate) async fn of_user(store: &PostgresStore, user_id: &str, limit: u32) -> Result<Vec<Site>, StorageError> {
    let select = format!(
        "SELECT id, user_id, name, url, created_at FROM tollgate.sites WHERE user_id = $1 ORDER BY created_at, id LIMIT {limit}"
    );
    let site = |row: &Row| {
        let (id, user_id, name, url) = (row.get(0), row.get(1), row.get(2), row.get(3));
        Site { id, user_id, name, url, created_at: row.get(4) }
    };
    Ok(store.select_text(&select, user_id).await?.iter().map(site).collect())
}
