//! Authorization requests that clients have pushed.

use tollgate_storage::accounts::PushedRequest;
use tollgate_storage::{Refusal, StorageError};

use crate::account_work::Rows;
use crate::store::PostgresStore;

pub(crate) async fn add(rows: &Rows<'_, '_>, request: &PushedRequest, now: i64, max: u32) -> Result<(), StorageError> {
    let PushedRequest { digest, client_id, parameters, expires_at } = request;
    // Skips rows that another transaction is removing.
    let delete = "DELETE FROM tollgate.pushed_requests WHERE digest IN
                      (SELECT digest FROM tollgate.pushed_requests WHERE expires_at <= $1 FOR UPDATE SKIP LOCKED)";
    rows.execute(delete, &[&now]).await?;
    let count = "SELECT count(*) FROM tollgate.pushed_requests WHERE client_id = $1";
    if rows.count(count, &[client_id]).await? >= i64::from(max) {
        return Err(Refusal::TooMany { max }.into());
    }
    let insert = "INSERT INTO tollgate.pushed_requests (digest, client_id, parameters, expires_at)
                  VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let added = rows.execute(insert, &[&&digest[..], client_id, parameters, expires_at]).await?;
    if added > 0 { Ok(()) } else { Err(Refusal::AlreadyExists { what: "request" }.into()) }
}

/// Gives the request another digest and another end. Returns its parameters.
pub(crate) async fn begin(
    rows: &Rows<'_, '_>,
    digest: &[u8; 32],
    client_id: &str,
    next: (&[u8; 32], i64),
    now: i64,
) -> Result<Option<String>, StorageError> {
    let (next, expires_at) = next;
    // Of concurrent calls the later one waits for the earlier one, and no longer finds the digest.
    let update = "UPDATE tollgate.pushed_requests SET digest = $3, expires_at = $4, is_begun = true
                  WHERE digest = $1 AND client_id = $2 AND NOT is_begun AND expires_at > $5 RETURNING parameters";
    let begun = rows.execute_returning(update, &[&&digest[..], &client_id, &&next[..], &expires_at, &now]).await?;
    Ok(begun.first().map(|row| row.get(0)))
}

pub(crate) async fn begun(
    store: &PostgresStore,
    digest: &[u8; 32],
    client_id: &str,
    now: i64,
) -> Result<Option<String>, StorageError> {
    let select = "SELECT parameters FROM tollgate.pushed_requests
                  WHERE digest = $1 AND client_id = $2 AND is_begun AND expires_at > $3";
    Ok(store.select(select, &[&&digest[..], &client_id, &now]).await?.first().map(|row| row.get(0)))
}

/// Returns whether the request existed and was begun.
pub(crate) async fn end(
    rows: &Rows<'_, '_>,
    digest: &[u8; 32],
    client_id: &str,
    now: i64,
) -> Result<bool, StorageError> {
    let delete = "DELETE FROM tollgate.pushed_requests
                  WHERE digest = $1 AND client_id = $2 AND is_begun AND expires_at > $3";
    Ok(rows.execute(delete, &[&&digest[..], &client_id, &now]).await? > 0)
}
