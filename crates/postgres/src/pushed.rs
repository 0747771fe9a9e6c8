//! Authorization requests that clients have pushed.

use deadpool_postgres::ClientWrapper;
use tollgate_storage::accounts::PushedRequest;
use tollgate_storage::{Refusal, StorageError};

use crate::error::of_server;

pub(crate) async fn add(
    client: &ClientWrapper,
    request: &PushedRequest,
    now: i64,
    max: u32,
) -> Result<(), StorageError> {
    let PushedRequest { digest, client_id, parameters, expires_at } = request;
    // Skips rows that another transaction is removing.
    let delete = "DELETE FROM tollgate.pushed_requests WHERE digest IN
                      (SELECT digest FROM tollgate.pushed_requests WHERE expires_at <= $1 FOR UPDATE SKIP LOCKED)";
    let statement = client.prepare_cached(delete).await.map_err(of_server)?;
    client.execute(&statement, &[&now]).await.map_err(of_server)?;
    let count = "SELECT count(*) FROM tollgate.pushed_requests WHERE client_id = $1";
    let statement = client.prepare_cached(count).await.map_err(of_server)?;
    let count: i64 = client.query_one(&statement, &[client_id]).await.map_err(of_server)?.get(0);
    if count >= i64::from(max) {
        return Err(Refusal::TooMany { max }.into());
    }
    let insert = "INSERT INTO tollgate.pushed_requests (digest, client_id, parameters, expires_at)
                  VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let statement = client.prepare_cached(insert).await.map_err(of_server)?;
    let added = client.execute(&statement, &[&&digest[..], client_id, parameters, expires_at]).await;
    if added.map_err(of_server)? > 0 { Ok(()) } else { Err(Refusal::AlreadyExists { what: "request" }.into()) }
}

/// Gives the request another digest and another end. Returns its parameters.
pub(crate) async fn begin(
    client: &ClientWrapper,
    digest: &[u8; 32],
    client_id: &str,
    next: (&[u8; 32], i64),
    now: i64,
) -> Result<Option<String>, StorageError> {
    let (next, expires_at) = next;
    // Of concurrent calls the later one waits for the earlier one, and no longer finds the digest.
    let update = "UPDATE tollgate.pushed_requests SET digest = $3, expires_at = $4, is_begun = true
                  WHERE digest = $1 AND client_id = $2 AND NOT is_begun AND expires_at > $5 RETURNING parameters";
    let statement = client.prepare_cached(update).await.map_err(of_server)?;
    let row = client.query_opt(&statement, &[&&digest[..], &client_id, &&next[..], &expires_at, &now]).await;
    Ok(row.map_err(of_server)?.map(|row| row.get(0)))
}

/// Returns whether the request existed and was begun.
pub(crate) async fn end(
    client: &ClientWrapper,
    digest: &[u8; 32],
    client_id: &str,
    now: i64,
) -> Result<bool, StorageError> {
    let delete = "DELETE FROM tollgate.pushed_requests
                  WHERE digest = $1 AND client_id = $2 AND is_begun AND expires_at > $3";
    let statement = client.prepare_cached(delete).await.map_err(of_server)?;
    Ok(client.execute(&statement, &[&&digest[..], &client_id, &now]).await.map_err(of_server)? > 0)
}
