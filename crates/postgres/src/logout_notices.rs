//! What clients have to be told of login sessions that have ended.

use tokio_postgres::Row;
use tollgate_storage::StorageError;
use tollgate_storage::accounts::LogoutNotice;

use crate::account_work::Rows;
use crate::store::PostgresStore;

/// Has the clients of sessions `s` told of their end.
pub(crate) const ADD_NOTICES: &str = "INSERT INTO tollgate.logout_notices (session_id, client_id, user_id)
                           SELECT s.id, c.client_id, s.user_id
                           FROM tollgate.login_sessions s JOIN tollgate.session_clients c ON c.session_id = s.id";

/// Records that the client got tokens in that session, unless the session has ended.
pub(crate) async fn note_client(rows: &Rows<'_, '_>, session_id: &str, client_id: &str) -> Result<(), StorageError> {
    let insert = "INSERT INTO tollgate.session_clients (session_id, client_id)
                  SELECT s.id, $2 FROM tollgate.login_sessions s WHERE s.id = $1 ON CONFLICT DO NOTHING";
    rows.execute(insert, &[&session_id, &client_id]).await.map(drop)
}

pub(crate) async fn is_any_due(store: &PostgresStore, now: i64) -> Result<bool, StorageError> {
    let due = "SELECT FROM tollgate.logout_notices WHERE next_attempt_at <= $1 LIMIT 1";
    Ok(!store.select(due, &[&now]).await?.is_empty())
}

pub(crate) async fn claim(
    rows: &Rows<'_, '_>,
    now: i64,
    retry_after: i64,
    max_attempts: u32,
    max: u32,
) -> Result<Vec<LogoutNotice>, StorageError> {
    let delete = "DELETE FROM tollgate.logout_notices WHERE next_attempt_at <= $1 AND attempts >= $2";
    rows.execute(delete, &[&now, &i64::from(max_attempts)]).await?;
    // What another process is about to claim is left to it.
    let update = "UPDATE tollgate.logout_notices
                  SET attempts = attempts + 1, next_attempt_at = $1 + $2 * (attempts + 1)
                  WHERE (session_id, client_id) IN
                      (SELECT session_id, client_id FROM tollgate.logout_notices WHERE next_attempt_at <= $1
                       ORDER BY next_attempt_at, session_id, client_id LIMIT $3 FOR UPDATE SKIP LOCKED)
                  RETURNING session_id, user_id, client_id, attempts";
    let claimed = rows.execute_returning(update, &[&now, &retry_after, &i64::from(max)]).await?;
    let notice = |row: &Row| LogoutNotice {
        session_id: row.get(0),
        user_id: row.get(1),
        client_id: row.get(2),
        attempt: row.get::<_, i64>(3).try_into().unwrap_or(u32::MAX),
    };
    Ok(claimed.iter().map(notice).collect())
}

pub(crate) async fn forget(rows: &Rows<'_, '_>, notice: &LogoutNotice) -> Result<(), StorageError> {
    let delete = "DELETE FROM tollgate.logout_notices WHERE session_id = $1 AND client_id = $2";
    rows.execute(delete, &[&notice.session_id, &notice.client_id]).await.map(drop)
}
