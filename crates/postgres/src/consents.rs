//! Consents of users.

use tokio_postgres::Row;
use tollgate_storage::accounts::Consent;
use tollgate_storage::{AuditRecord, StorageError};

use crate::account_work::Rows;
use crate::store::PostgresStore;

pub(crate) async fn give(rows: &Rows<'_, '_>, given: &Consent, audit: &AuditRecord) -> Result<(), StorageError> {
    add(rows, given).await?;
    rows.record(audit).await
}

/// Adds it without an audit record.
pub(crate) async fn add(rows: &Rows<'_, '_>, given: &Consent) -> Result<(), StorageError> {
    // Two consents of one user take turns, so that the later one has what the earlier one had.
    rows.hold_user(&given.user_id).await?;
    let select = format!("SELECT {CONSENT_COLUMNS} FROM tollgate.consents WHERE user_id = $1 AND client_id = $2");
    let earlier = rows.query(&select, &[&given.user_id, &given.client_id]).await?;
    let Consent { user_id, client_id, scopes, granted_at } = match earlier.first().map(consent) {
        Some(earlier) => given.clone().and_earlier(&earlier),
        None => given.clone(),
    };
    let insert = "INSERT INTO tollgate.consents (user_id, client_id, scopes, granted_at) VALUES ($1, $2, $3, $4)
                  ON CONFLICT (user_id, client_id) DO UPDATE SET scopes = $3, granted_at = $4";
    rows.execute(insert, &[&user_id, &client_id, &scopes, &granted_at]).await.map(drop)
}

pub(crate) async fn of_client(
    store: &PostgresStore,
    user_id: &str,
    client_id: &str,
) -> Result<Option<Consent>, StorageError> {
    let select = format!("SELECT {CONSENT_COLUMNS} FROM tollgate.consents WHERE user_id = $1 AND client_id = $2");
    Ok(store.select_texts(&select, user_id, client_id).await?.first().map(consent))
}

pub(crate) async fn of_user(store: &PostgresStore, user_id: &str) -> Result<Vec<Consent>, StorageError> {
    let select = format!("SELECT {CONSENT_COLUMNS} FROM tollgate.consents WHERE user_id = $1 ORDER BY client_id");
    Ok(store.select_text(&select, user_id).await?.iter().map(consent).collect())
}

pub(crate) async fn revoke(
    rows: &Rows<'_, '_>,
    user_id: &str,
    client_id: &str,
    audit: &AuditRecord,
) -> Result<bool, StorageError> {
    let delete = "DELETE FROM tollgate.consents WHERE user_id = $1 AND client_id = $2";
    let is_revoked = rows.execute(delete, &[&user_id, &client_id]).await? > 0;
    let delete = "DELETE FROM tollgate.authorization_codes
                  WHERE user_id = $1 AND client_id = $2 AND used_at IS NULL";
    rows.execute(delete, &[&user_id, &client_id]).await?;
    let delete = "DELETE FROM tollgate.device_authorizations
                  WHERE user_id = $1 AND client_id = $2 AND used_at IS NULL";
    rows.execute(delete, &[&user_id, &client_id]).await?;
    let end = "UPDATE tollgate.refresh_families SET is_ended = true
               WHERE user_id = $1 AND client_id = $2 AND NOT is_ended";
    rows.execute(end, &[&user_id, &client_id]).await?;
    rows.record_if(is_revoked, audit).await
}

/// What [`consent`] expects, in this order.
const CONSENT_COLUMNS: &str = "user_id, client_id, scopes, granted_at";

fn consent(row: &Row) -> Consent {
    Consent { user_id: row.get(0), client_id: row.get(1), scopes: row.get(2), granted_at: row.get(3) }
}
