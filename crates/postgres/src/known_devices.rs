//! Browsers in which users have logged in.

use tollgate_storage::accounts::KnownDevice;
use tollgate_storage::{AuditRecord, StorageError};

use crate::account_work::Rows;
use crate::store::PostgresStore;

/// Returns whether the device is new.
pub(crate) async fn add(
    rows: &Rows<'_, '_>,
    device: &KnownDevice,
    max: u32,
    audit: &AuditRecord,
) -> Result<bool, StorageError> {
    let KnownDevice { digest, user_id, last_login_at, expires_at } = device;
    rows.hold_user(user_id).await?;
    let select = "SELECT FROM tollgate.known_devices WHERE user_id = $1 AND digest = $2";
    let is_new = rows.query(select, &[user_id, &&digest[..]]).await?.is_empty();
    let insert =
        "INSERT INTO tollgate.known_devices (user_id, digest, last_login_at, expires_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id, digest) DO UPDATE SET last_login_at = $3, expires_at = $4";
    rows.execute(insert, &[user_id, &&digest[..], last_login_at, expires_at]).await?;
    let delete = "DELETE FROM tollgate.known_devices WHERE user_id = $1 AND (expires_at <= $2 OR digest NOT IN
                      (SELECT digest FROM tollgate.known_devices WHERE user_id = $1
                       ORDER BY last_login_at DESC, digest LIMIT $3))";
    rows.execute(delete, &[user_id, last_login_at, &i64::from(max)]).await?;
    rows.record_if(is_new, audit).await
}

pub(crate) async fn is_known(
    store: &PostgresStore,
    user_id: &str,
    digest: &[u8; 32],
    now: i64,
) -> Result<bool, StorageError> {
    let select = "SELECT FROM tollgate.known_devices WHERE user_id = $1 AND digest = $2 AND expires_at > $3";
    Ok(!store.select(select, &[&user_id, &&digest[..], &now]).await?.is_empty())
}
