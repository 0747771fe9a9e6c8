//! The sealed signing keys, in one row.

use tollgate_storage::accounts::StoredSigningKeys;
use tollgate_storage::{AuditRecord, StorageError};

use crate::account_work::Rows;
use crate::store::PostgresStore;

pub(crate) async fn find(store: &PostgresStore) -> Result<Option<StoredSigningKeys>, StorageError> {
    let rows = store.select("SELECT version, private_jwks FROM tollgate.signing_keys", &[]).await?;
    Ok(rows.first().map(|row| StoredSigningKeys { version: row.get(0), private_jwks: row.get::<_, String>(1).into() }))
}

/// Returns whether `version` was the current one; 0 is that of no keys.
pub(crate) async fn replace(
    rows: &Rows<'_, '_>,
    version: i64,
    private_jwks: &str,
    audit: &AuditRecord,
) -> Result<bool, StorageError> {
    let replace = match version {
        0 => {
            "INSERT INTO tollgate.signing_keys (id, version, private_jwks) VALUES (1, $1::bigint + 1, $2) ON CONFLICT DO NOTHING"
        }
        _ => "UPDATE tollgate.signing_keys SET version = $1::bigint + 1, private_jwks = $2 WHERE version = $1",
    };
    let is_replaced = rows.execute(replace, &[&version, &private_jwks]).await? > 0;
    rows.record_if(is_replaced, audit).await
}
