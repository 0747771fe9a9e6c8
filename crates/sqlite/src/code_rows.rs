//! Authorization codes, as rows.

use crate::error::SqliteError;
use crate::logout_rows;
use rusqlite::{Connection, OptionalExtension, Row};
use tollgate_storage::Refusal;
use tollgate_storage::accounts::{AuthorizationCode, PresentedCode, Redemption};

pub(crate) fn add(connection: &Connection, code: &AuthorizationCode, keep_for: i64) -> Result<(), SqliteError> {
    connection
        .prepare_cached("DELETE FROM authorization_codes WHERE expires_at < ?1")?
        .execute([code.created_at.saturating_sub(keep_for)])?;
    let added = connection
        .prepare_cached(
            "INSERT INTO authorization_codes (digest, client_id, user_id, redirect_uri, code_challenge, scope,
                 created_at, expires_at, token_id, session_id, nonce, dpop_jkt)
             SELECT ?1, ?2, user_id, ?4, ?5, ?6, ?7, ?8, ?9, id, ?11, ?12 FROM login_sessions
             WHERE id = ?10 AND user_id = ?3",
        )?
        .execute((
            code.digest,
            &code.client_id,
            &code.user_id,
            &code.redirect_uri,
            &code.code_challenge,
            &code.scope,
            code.created_at,
            code.expires_at,
            &code.token_id,
            &code.session_id,
            &code.nonce,
            &code.dpop_jkt,
        ))?;
    if added == 0 { Err(Refusal::Changed { what: "session" }.into()) } else { Ok(()) }
}

pub(crate) fn redeem(connection: &Connection, presented: &PresentedCode, now: i64) -> Result<Redemption, SqliteError> {
    let found = connection
        .prepare_cached("SELECT * FROM authorization_codes WHERE digest = ?1")?
        .query_row([presented.digest], code)
        .optional()?;
    let Some((code, is_used)) = found else { return Ok(Redemption::Unknown) };
    let redemption = code.redeem(is_used, presented, now);
    if let Redemption::First(code) = &redemption {
        logout_rows::note_client(connection, &code.session_id, &code.client_id)?;
        connection
            .prepare_cached("UPDATE authorization_codes SET used_at = ?2 WHERE digest = ?1")?
            .execute((presented.digest, now))?;
    }
    Ok(redemption)
}

/// A code, and whether it was used.
fn code(row: &Row<'_>) -> rusqlite::Result<(AuthorizationCode, bool)> {
    let code = AuthorizationCode {
        digest: row.get("digest")?,
        client_id: row.get("client_id")?,
        user_id: row.get("user_id")?,
        redirect_uri: row.get("redirect_uri")?,
        code_challenge: row.get("code_challenge")?,
        scope: row.get("scope")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        token_id: row.get("token_id")?,
        session_id: row.get("session_id")?,
        nonce: row.get("nonce")?,
        dpop_jkt: row.get("dpop_jkt")?,
    };
    Ok((code, row.get::<_, Option<i64>>("used_at")?.is_some()))
}
