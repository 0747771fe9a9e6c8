//! Authorization codes.

use tokio_postgres::types::ToSql;
use tollgate_storage::accounts::{AuthorizationCode, PresentedCode, Redemption};
use tollgate_storage::{Refusal, StorageError};

use crate::account_work::Rows;
use crate::logout_notices;

pub(crate) async fn add(rows: &Rows<'_, '_>, code: &AuthorizationCode, keep_for: i64) -> Result<(), StorageError> {
    let kept = code.created_at.saturating_sub(keep_for);
    rows.execute("DELETE FROM tollgate.authorization_codes WHERE expires_at < $1", &[&kept]).await?;
    // The session cannot end before the code is there, and so ends with it.
    let insert = "INSERT INTO tollgate.authorization_codes (digest, client_id, user_id, redirect_uri, code_challenge, scope,
                                                           created_at, expires_at, token_id, session_id, nonce, dpop_jkt)
                  SELECT $1, $2, s.user_id, $4, $5, $6, $7, $8, $9, s.id, $11, $12 FROM tollgate.login_sessions s
                  WHERE s.id = $10 AND s.user_id = $3 FOR SHARE";
    let values: [&(dyn ToSql + Sync); 12] = [
        &&code.digest[..],
        &code.client_id,
        &code.user_id,
        &code.redirect_uri,
        &code.code_challenge,
        &code.scope,
        &code.created_at,
        &code.expires_at,
        &code.token_id,
        &code.session_id,
        &code.nonce,
        &code.dpop_jkt,
    ];
    if rows.execute(insert, &values).await? == 0 {
        return Err(Refusal::Changed { what: "session" }.into());
    }
    Ok(())
}

pub(crate) async fn redeem(
    rows: &Rows<'_, '_>,
    presented: &PresentedCode,
    now: i64,
) -> Result<Redemption, StorageError> {
    // The session first, as where it ends: whoever ends it waits until its client is noted.
    let hold = "SELECT FROM tollgate.login_sessions s JOIN tollgate.authorization_codes c ON c.session_id = s.id
                WHERE c.digest = $1 FOR SHARE OF s";
    rows.query(hold, &[&&presented.digest[..]]).await?;
    // Of two at once the later one waits here, and finds the code used.
    let select =
        "SELECT client_id, user_id, redirect_uri, code_challenge, scope, created_at, expires_at, token_id, session_id, used_at, nonce,
                dpop_jkt
         FROM tollgate.authorization_codes WHERE digest = $1 FOR UPDATE";
    let digest = &presented.digest[..];
    let found = rows.query(select, &[&digest]).await?;
    let Some(row) = found.first() else { return Ok(Redemption::Unknown) };
    let code = AuthorizationCode {
        digest: presented.digest,
        client_id: row.get(0),
        user_id: row.get(1),
        redirect_uri: row.get(2),
        code_challenge: row.get(3),
        scope: row.get(4),
        created_at: row.get(5),
        expires_at: row.get(6),
        token_id: row.get(7),
        session_id: row.get(8),
        nonce: row.get(10),
        dpop_jkt: row.get(11),
    };
    let redemption = code.redeem(row.get::<_, Option<i64>>(9).is_some(), presented, now);
    if let Redemption::First(code) = &redemption {
        logout_notices::note_client(rows, &code.session_id, &code.client_id).await?;
        rows.execute("UPDATE tollgate.authorization_codes SET used_at = $2 WHERE digest = $1", &[&digest, &now])
            .await?;
    }
    Ok(redemption)
}
