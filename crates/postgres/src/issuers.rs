//! The names under which tokens were issued.

use tollgate_storage::StorageError;

use crate::account_work::Rows;
use crate::store::PostgresStore;

pub(crate) async fn add(rows: &Rows<'_, '_>, issuer: &str) -> Result<(), StorageError> {
    rows.execute("INSERT INTO tollgate.issuers (name) VALUES ($1) ON CONFLICT DO NOTHING", &[&issuer]).await.map(drop)
}

pub(crate) async fn all(store: &PostgresStore) -> Result<Vec<String>, StorageError> {
    let rows = store.select("SELECT name FROM tollgate.issuers ORDER BY name", &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
