use super::Storage;
use rusqlite::{OptionalExtension, Transaction};
use subtle::ConstantTimeEq;
use tollgate_sqlite::SqliteError;
use tollgate_storage::StorageError;

/// An authorization code, as issued (RFC 6749 section 4.1.2, RFC 7636).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuthorizationCode {
    /// SHA-256 of the code.
    pub digest: [u8; 32],
    /// The client it was issued to.
    pub client_id: String,
    /// The user who logged in.
    pub user_id: String,
    /// Where it was sent.
    pub redirect_uri: String,
    /// The PKCE challenge, method S256.
    pub code_challenge: String,
    /// The scope granted, names separated by single spaces.
    pub scope: String,
    /// When it was issued.
    pub created_at: i64,
    /// Not accepted from then on.
    pub expires_at: i64,
    /// The id of the token that will be made from it: its `jti`, or that of its record.
    pub token_id: String,
}

/// An authorization code as a client presents it (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PresentedCode {
    /// SHA-256 of the code.
    pub digest: [u8; 32],
    /// The client, which has authenticated.
    pub client_id: String,
    /// What the client sends as `redirect_uri`.
    pub redirect_uri: String,
    /// The S256 challenge of what the client sends as `code_verifier`.
    pub code_challenge: String,
}

/// What came of presenting an authorization code. Only [`Redemption::First`] uses it up.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Redemption {
    /// The first presentation by the code's own client. The code is used up now.
    First(AuthorizationCode),
    /// The client has presented the code before: the token made from it is to be revoked (RFC 6749 section 4.1.2).
    Again(AuthorizationCode),
    /// The code has expired.
    Expired,
    /// The authorization request named another redirect URI.
    OtherRedirectUri,
    /// The authorization request carried another code challenge.
    OtherVerifier,
    /// No such code, or another client's: a client learns nothing of the codes of others.
    Unknown,
}

/// A browser that logged in: what a session cookie stands for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LoginSession {
    /// SHA-256 of the cookie's value.
    pub digest: [u8; 32],
    /// The user who logged in.
    pub user_id: String,
    /// When.
    pub created_at: i64,
    /// Not accepted from then on.
    pub expires_at: i64,
}

impl Storage {
    /// Adds a code, and forgets those that expired more than `keep_for` seconds ago.
    ///
    /// `keep_for` must be at least the lifetime of an access token: as long as a used code is known
    /// here, its second use can revoke the token.
    ///
    /// # Errors
    /// When the storage cannot be written.
    pub fn add_code(&self, code: &AuthorizationCode, keep_for: i64) -> Result<(), StorageError> {
        self.write(|transaction| {
            transaction
                .prepare_cached("DELETE FROM authorization_codes WHERE expires_at < ?1")?
                .execute([code.created_at.saturating_sub(keep_for)])?;
            transaction
                .prepare_cached(
                    "INSERT INTO authorization_codes (digest, client_id, user_id, redirect_uri,
                         code_challenge, scope, created_at, expires_at, token_id)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
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
                ))?;
            Ok(())
        })
    }

    /// Uses up the code, if everything presented with it is right. Of two calls at once exactly one gets
    /// [`Redemption::First`], also from two processes.
    ///
    /// # Errors
    /// When the storage cannot be written; the code may be used up by then.
    pub fn redeem_code(&self, presented: &PresentedCode, now: i64) -> Result<Redemption, StorageError> {
        self.write(|transaction| {
            let Some((code, is_used)) = select_code(transaction, &presented.digest)? else {
                return Ok(Redemption::Unknown);
            };
            if code.client_id != presented.client_id {
                return Ok(Redemption::Unknown);
            }
            if code.redirect_uri != presented.redirect_uri {
                return Ok(Redemption::OtherRedirectUri);
            }
            if !bool::from(code.code_challenge.as_bytes().ct_eq(presented.code_challenge.as_bytes())) {
                return Ok(Redemption::OtherVerifier);
            }
            // Before the expiry: a code that is replayed late still says that the first use may have been a thief's.
            if is_used {
                return Ok(Redemption::Again(code));
            }
            if now >= code.expires_at {
                return Ok(Redemption::Expired);
            }
            transaction
                .prepare_cached("UPDATE authorization_codes SET used_at = ?2 WHERE digest = ?1")?
                .execute((presented.digest, now))?;
            Ok(Redemption::First(code))
        })
    }

    /// Adds a login session, and forgets those that have expired.
    ///
    /// # Errors
    /// When the storage cannot be written.
    pub fn add_login_session(&self, session: &LoginSession) -> Result<(), StorageError> {
        self.write(|transaction| {
            transaction
                .prepare_cached("DELETE FROM login_sessions WHERE expires_at <= ?1")?
                .execute([session.created_at])?;
            transaction
                .prepare_cached(
                    "INSERT INTO login_sessions (digest, user_id, created_at, expires_at)
                     VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute((session.digest, &session.user_id, session.created_at, session.expires_at))?;
            Ok(())
        })
    }

    /// The login session with that digest, unless it expired.
    ///
    /// # Errors
    /// When the storage cannot be read.
    pub fn login_session(&self, digest: &[u8; 32], now: i64) -> Result<Option<LoginSession>, StorageError> {
        self.read(|connection| {
            Ok(connection
                .prepare_cached(
                    "SELECT digest, user_id, created_at, expires_at FROM login_sessions
                     WHERE digest = ?1 AND expires_at > ?2",
                )?
                .query_row((digest, now), |row| {
                    Ok(LoginSession {
                        digest: row.get(0)?,
                        user_id: row.get(1)?,
                        created_at: row.get(2)?,
                        expires_at: row.get(3)?,
                    })
                })
                .optional()?)
        })
    }
}

fn select_code(
    transaction: &Transaction<'_>,
    digest: &[u8; 32],
) -> Result<Option<(AuthorizationCode, bool)>, SqliteError> {
    Ok(transaction
        .prepare_cached("SELECT * FROM authorization_codes WHERE digest = ?1")?
        .query_row([digest], |row| {
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
            };
            let used_at: Option<i64> = row.get("used_at")?;
            Ok((code, used_at.is_some()))
        })
        .optional()?)
}
