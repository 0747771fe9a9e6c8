//! Device authorizations, as rows.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use tollgate_storage::accounts::{Consent, DeviceApproval, DeviceAuthorization, DeviceDecision, DevicePoll};
use tollgate_storage::{AuditRecord, Refusal, StorageError};

use crate::account_work::Rows;
use crate::store::PostgresStore;
use crate::{consents, logout_notices};

pub(crate) async fn add(
    rows: &Rows<'_, '_>,
    authorization: &DeviceAuthorization,
    max_of_client: u32,
    max: u32,
    keep_for: i64,
) -> Result<(), StorageError> {
    let DeviceAuthorization { device_digest, user_digest, client_id, scope, created_at, expires_at, interval, .. } =
        authorization;
    // Whoever adds another one waits, and counts this one.
    rows.query("SELECT pg_advisory_xact_lock(hashtext('tollgate.device_authorizations'))", &[]).await?;
    let delete = "DELETE FROM tollgate.device_authorizations WHERE expires_at <= $1
                    AND (used_at IS NULL AND 2 * expires_at - created_at <= $1 OR expires_at <= $2)";
    rows.execute(delete, &[created_at, &created_at.saturating_sub(keep_for)]).await?;
    let count = "SELECT count(*), count(*) FILTER (WHERE client_id = $2) FROM tollgate.device_authorizations
                 WHERE expires_at > $1";
    let counted = rows.query(count, &[created_at, client_id]).await?;
    let (all, of_client): (i64, i64) = counted.first().map_or((0, 0), |row| (row.get(0), row.get(1)));
    if all >= i64::from(max) || of_client >= i64::from(max_of_client) {
        return Err(Refusal::TooMany { max: if all >= i64::from(max) { max } else { max_of_client } }.into());
    }
    let insert = "INSERT INTO tollgate.device_authorizations (device_digest, user_digest, client_id, scope, created_at,
                                                              expires_at, poll_interval)
                  VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    let values: [&(dyn ToSql + Sync); 7] =
        [&&device_digest[..], &&user_digest[..], client_id, scope, created_at, expires_at, interval];
    let added = rows.execute(insert, &values).await?;
    if added == 0 { Err(Refusal::AlreadyExists { what: "device authorization" }.into()) } else { Ok(()) }
}

pub(crate) async fn undecided(
    store: &PostgresStore,
    user_digest: &[u8; 32],
    now: i64,
) -> Result<Option<DeviceAuthorization>, StorageError> {
    let select =
        "SELECT device_digest, user_digest, client_id, scope, created_at, expires_at, poll_interval, polled_at,
                is_denied, user_id, session_id, token_id
         FROM tollgate.device_authorizations
         WHERE user_digest = $1 AND expires_at > $2 AND NOT is_denied AND user_id IS NULL";
    Ok(store.select(select, &[&&user_digest[..], &now]).await?.first().and_then(authorization))
}

pub(crate) async fn decide(
    rows: &Rows<'_, '_>,
    user_digest: &[u8; 32],
    decision: &DeviceDecision,
    scope: &str,
    now: i64,
    audit: &[AuditRecord],
) -> Result<bool, StorageError> {
    let is_decided = match decision {
        DeviceDecision::Denied => {
            let update = "UPDATE tollgate.device_authorizations SET is_denied = true
                          WHERE user_digest = $1 AND expires_at > $2 AND NOT is_denied AND user_id IS NULL";
            rows.execute(update, &[&&user_digest[..], &now]).await? > 0
        }
        DeviceDecision::Approved(DeviceApproval { user_id, session_id, token_id }) => {
            let update = "UPDATE tollgate.device_authorizations d
                          SET scope = $3, user_id = $4, session_id = $5, token_id = $6
                          WHERE d.user_digest = $1 AND d.expires_at > $2 AND NOT d.is_denied AND d.user_id IS NULL
                            AND EXISTS (SELECT FROM tollgate.login_sessions s
                                        WHERE s.id = $5 AND s.user_id = $4 AND s.expires_at > $2)
                          RETURNING d.client_id";
            let updated = rows
                .execute_returning(update, &[&&user_digest[..], &now, &scope, user_id, session_id, token_id])
                .await?;
            let Some(row) = updated.first() else { return Ok(false) };
            let (user_id, scopes) = (user_id.clone(), scope.to_owned());
            consents::add(rows, &Consent { user_id, client_id: row.get(0), scopes, granted_at: now }).await?;
            true
        }
    };
    for audit in audit {
        rows.record_if(is_decided, audit).await?;
    }
    Ok(is_decided)
}

pub(crate) async fn poll(
    rows: &Rows<'_, '_>,
    device_digest: &[u8; 32],
    client_id: &str,
    now: i64,
) -> Result<DevicePoll, StorageError> {
    let digest = &device_digest[..];
    // The session first, as where it ends: whoever ends it waits until its client is noted.
    let hold = "SELECT FROM tollgate.login_sessions s JOIN tollgate.device_authorizations d ON d.session_id = s.id
                WHERE d.device_digest = $1 FOR SHARE OF s";
    rows.query(hold, &[&digest]).await?;
    // Of two at once the later one waits here, and finds the code used.
    let select =
        "SELECT device_digest, user_digest, client_id, scope, created_at, expires_at, poll_interval, polled_at,
                is_denied, user_id, session_id, token_id, used_at
         FROM tollgate.device_authorizations WHERE device_digest = $1 FOR UPDATE";
    let found = rows.query(select, &[&digest]).await?;
    let Some((row, mut known)) = found.first().and_then(|row| Some((row, authorization(row)?))) else {
        return Ok(DevicePoll::Unknown);
    };
    let session_id: Option<&str> = row.get(10);
    // One that was approved since the session was looked for is held here.
    let held = "SELECT FROM tollgate.login_sessions WHERE id = $1 AND expires_at > $2 FOR SHARE";
    let has_session = session_id.is_some() && !rows.query(held, &[&session_id, &now]).await?.is_empty();
    let before = (known.interval, known.polled_at);
    let polled = known.poll(client_id, row.get::<_, Option<i64>>(12).is_some(), has_session, now);
    if let DevicePoll::First(authorization, approval) = &polled {
        logout_notices::note_client(rows, &approval.session_id, &authorization.client_id).await?;
        let update = "UPDATE tollgate.device_authorizations SET used_at = $2 WHERE device_digest = $1";
        rows.execute(update, &[&digest, &now]).await?;
    } else if before != (known.interval, known.polled_at) {
        let update =
            "UPDATE tollgate.device_authorizations SET poll_interval = $2, polled_at = $3 WHERE device_digest = $1";
        rows.execute(update, &[&digest, &known.interval, &known.polled_at]).await?;
    }
    Ok(polled)
}

/// `None` where a digest has another length than the schema lets it have.
fn authorization(row: &Row) -> Option<DeviceAuthorization> {
    let digest = |index| row.get::<_, &[u8]>(index).try_into().ok();
    let decision = match row.get::<_, Option<String>>(9) {
        _ if row.get(8) => Some(DeviceDecision::Denied),
        Some(user_id) => {
            let (session_id, token_id) = (row.get(10), row.get(11));
            Some(DeviceDecision::Approved(DeviceApproval { user_id, session_id, token_id }))
        }
        None => None,
    };
    Some(DeviceAuthorization {
        device_digest: digest(0)?,
        user_digest: digest(1)?,
        client_id: row.get(2),
        scope: row.get(3),
        created_at: row.get(4),
        expires_at: row.get(5),
        interval: row.get(6),
        polled_at: row.get(7),
        decision,
    })
}
