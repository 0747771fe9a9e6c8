use crate::audit_rows;
use crate::consent_rows;
use crate::database::open_writer;
use crate::device_rows;
use crate::error::SqliteError;
use crate::jti_rows;
use crate::logout_rows;
use crate::pushed_rows;
use crate::reader::Reader;
use crate::refresh_rows;
use crate::site_rows;
use crate::writer::Writer;
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, Transaction};
use std::path::{Path, PathBuf};
use tollgate_storage::accounts::{
    AuthorizationCode, Consent, DeviceAuthorization, DeviceDecision, DevicePoll, GrantedToken, KnownDevice,
    LoginSession, LogoutNotice, PresentedCode, PresentedRefreshToken, PushedRequest, Redemption, Refresh,
    RefreshFamily, Site, SpentJti, StoredSigningKeys, User, UserChange, UserChanged,
};
use tollgate_storage::{AccountStore, AuditRecord, Refusal, StorageError};
use zeroize::Zeroizing;

/// Users, sites, login sessions, codes and signing keys in a SQLite file beside that of the keys.
///
/// It has two threads of its own, one that writes and one that reads, which end when it is dropped.
#[derive(Debug)]
pub struct SqliteAccountStore {
    file: PathBuf,
    writer: Writer,
    reader: Reader,
}

impl SqliteAccountStore {
    /// Opens the store in `folder`, creating both when they are missing. On Unix both are for their owner alone.
    ///
    /// # Errors
    /// As [`SqliteKeyStore::open`](crate::SqliteKeyStore::open).
    pub fn open(folder: &Path) -> Result<Self, StorageError> {
        let file = Self::file_in(folder);
        let writer = Writer::spawn(open_writer(&file, STEPS)?, |_| Ok(()), || {})?;
        let reader = Reader::open(&file)?;
        Ok(Self { file, writer, reader })
    }

    /// The database file of the store in `folder`.
    #[must_use]
    pub fn file_in(folder: &Path) -> PathBuf {
        folder.join(FILE_NAME)
    }

    /// The database file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.writer
    }

    pub(crate) fn reader(&self) -> &Reader {
        &self.reader
    }
}

#[async_trait]
impl AccountStore for SqliteAccountStore {
    async fn add_user(&self, user: &User, password_hash: &str, audit: &AuditRecord) -> Result<(), StorageError> {
        let (user, password_hash, audit) = (user.clone(), password_hash.to_owned(), audit.clone());
        let add = move |connection: &mut Connection| {
            connection
                .prepare_cached(
                    "INSERT INTO users (id, email, password_hash, scopes, created_at, disabled_at, epoch)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute((
                    &user.id,
                    &user.email,
                    password_hash,
                    &user.scopes,
                    user.created_at,
                    user.disabled_at,
                    user.epoch,
                ))
                .map_err(|error| SqliteError::of_insert(error, "user"))?;
            audit_rows::insert(connection, &audit)
        };
        self.writer.write(add).await
    }

    async fn user_by_id(&self, id: &str) -> Result<Option<User>, StorageError> {
        let id = id.to_owned();
        self.reader.read(move |connection| select(connection, "SELECT * FROM users WHERE id = ?1", &id, user)).await
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<(User, String)>, StorageError> {
        let email = email.to_owned();
        let with_hash = |row: &Row<'_>| Ok((user(row)?, row.get("password_hash")?));
        let sql = "SELECT * FROM users WHERE email = ?1";
        self.reader.read(move |connection| select(connection, sql, &email, with_hash)).await
    }

    async fn users(&self, after: Option<&str>, max: usize) -> Result<Vec<User>, StorageError> {
        let (after, max) = (after.unwrap_or_default().to_owned(), i64::try_from(max).unwrap_or(i64::MAX));
        let read = move |connection: &Transaction<'_>| {
            let users = connection
                .prepare_cached("SELECT * FROM users WHERE id > ?1 ORDER BY id LIMIT ?2")?
                .query_map((after, max), user)?
                .collect::<Result<_, _>>()?;
            Ok(users)
        };
        self.reader.read(read).await
    }

    async fn change_user(
        &self,
        id: &str,
        change: &UserChange,
        audit: &AuditRecord,
    ) -> Result<UserChanged, StorageError> {
        let (id, change, audit) = (id.to_owned(), change.clone(), audit.clone());
        let change = move |connection: &mut Connection| {
            let changed = change_user(connection, &id, &change)?;
            audit_rows::insert(connection, &audit)?;
            Ok(changed)
        };
        self.writer.write(change).await
    }

    async fn add_site(&self, site: &Site, max: u32, audit: &AuditRecord) -> Result<(), StorageError> {
        let (site, audit) = (site.clone(), audit.clone());
        let add = move |connection: &mut Connection| {
            site_rows::add(connection, &site, max)?;
            audit_rows::insert(connection, &audit)
        };
        self.writer.write(add).await
    }

    async fn rename_site(
        &self,
        user_id: &str,
        id: &str,
        name: &str,
        audit: &AuditRecord,
    ) -> Result<bool, StorageError> {
        let (user_id, id, name, audit) = (user_id.to_owned(), id.to_owned(), name.to_owned(), audit.clone());
        let rename = move |connection: &mut Connection| {
            let is_renamed = site_rows::rename(connection, &user_id, &id, &name)?;
            if is_renamed {
                audit_rows::insert(connection, &audit)?;
            }
            Ok(is_renamed)
        };
        self.writer.write(rename).await
    }

    async fn remove_site(&self, user_id: &str, id: &str, audit: &AuditRecord) -> Result<bool, StorageError> {
        let (user_id, id, audit) = (user_id.to_owned(), id.to_owned(), audit.clone());
        let remove = move |connection: &mut Connection| {
            let is_removed = site_rows::remove(connection, &user_id, &id)?;
            if is_removed {
                audit_rows::insert(connection, &audit)?;
            }
            Ok(is_removed)
        };
        self.writer.write(remove).await
    }

    async fn sites_of(&self, user_id: &str, limit: u32) -> Result<Vec<Site>, StorageError> {
        let user_id = user_id.to_owned();
        self.reader.read(move |connection| site_rows::of_user(connection, &user_id, limit)).await
    }

    async fn add_login_session(
        &self,
        session: &LoginSession,
        epoch: i64,
        max: u32,
        audit: &AuditRecord,
    ) -> Result<(), StorageError> {
        let (session, audit) = (session.clone(), audit.clone());
        let add = move |connection: &mut Connection| {
            let LoginSession { id, user_id, digest, key_id, agent, address, created_at, authenticated_at, expires_at } =
                &session;
            connection.prepare_cached("DELETE FROM login_sessions WHERE expires_at <= ?1")?.execute([created_at])?;
            let count: u32 = connection
                .prepare_cached("SELECT count(*) FROM login_sessions WHERE user_id = ?1")?
                .query_row([user_id], |row| row.get(0))?;
            if count >= max {
                return Err(Refusal::TooMany { max }.into());
            }
            let added = connection
                .prepare_cached(
                    "INSERT INTO login_sessions (id, user_id, digest, key_id, agent, address, created_at, expires_at,
                                                 authenticated_at)
                     SELECT ?1, id, ?3, ?4, ?5, ?6, ?7, ?8, ?10 FROM users
                     WHERE id = ?2 AND disabled_at IS NULL AND epoch = ?9",
                )?
                .execute((id, user_id, digest, key_id, agent, address, created_at, expires_at, epoch, authenticated_at))
                .map_err(|error| SqliteError::of_insert(error, "session"))?;
            if added == 0 {
                return Err(Refusal::Changed { what: "user" }.into());
            }
            audit_rows::insert(connection, &audit)
        };
        self.writer.write(add).await
    }

    async fn login_session(&self, digest: &[u8; 32], now: i64) -> Result<Option<LoginSession>, StorageError> {
        let digest = *digest;
        let sql = "SELECT * FROM login_sessions WHERE digest = ?1";
        let found = self.reader.read(move |connection| select(connection, sql, digest, session)).await?;
        Ok(found.filter(|session| session.expires_at > now))
    }

    async fn login_sessions_of(&self, user_id: &str, now: i64) -> Result<Vec<LoginSession>, StorageError> {
        let user_id = user_id.to_owned();
        let read = move |connection: &Transaction<'_>| {
            let sessions = connection
                .prepare_cached(
                    "SELECT * FROM login_sessions WHERE user_id = ?1 AND expires_at > ?2
                     ORDER BY created_at DESC, id DESC",
                )?
                .query_map((user_id, now), session)?
                .collect::<Result<_, _>>()?;
            Ok(sessions)
        };
        self.reader.read(read).await
    }

    async fn renew_login_session(
        &self,
        session: &LoginSession,
        epoch: i64,
        audit: &AuditRecord,
    ) -> Result<bool, StorageError> {
        let (session, audit) = (session.clone(), audit.clone());
        let renew = move |connection: &mut Connection| {
            let renewed = connection
                .prepare_cached(
                    "UPDATE login_sessions
                     SET digest = ?3, agent = ?4, address = ?5, authenticated_at = ?6, expires_at = ?7
                     WHERE id = ?1 AND user_id = ?2
                       AND EXISTS (SELECT 1 FROM users WHERE id = ?2 AND disabled_at IS NULL AND epoch = ?8)",
                )?
                .execute((
                    &session.id,
                    &session.user_id,
                    session.digest,
                    &session.agent,
                    &session.address,
                    session.authenticated_at,
                    session.expires_at,
                    epoch,
                ))?;
            if renewed > 0 {
                audit_rows::insert(connection, &audit)?;
            }
            Ok(renewed > 0)
        };
        self.writer.write(renew).await
    }

    async fn end_login_session(&self, user_id: &str, id: &str, audit: &AuditRecord) -> Result<bool, StorageError> {
        let (user_id, id, audit) = (user_id.to_owned(), id.to_owned(), audit.clone());
        let end = move |connection: &mut Connection| {
            logout_rows::add_of_session(connection, &user_id, &id)?;
            let ended = connection
                .prepare_cached("DELETE FROM login_sessions WHERE id = ?1 AND user_id = ?2")?
                .execute((&id, &user_id))?;
            connection
                .prepare_cached(
                    "DELETE FROM authorization_codes WHERE user_id = ?2 AND session_id = ?1 AND used_at IS NULL",
                )?
                .execute((&id, &user_id))?;
            refresh_rows::remove_of_session(connection, &user_id, &id)?;
            if ended > 0 {
                audit_rows::insert(connection, &audit)?;
            }
            Ok(ended > 0)
        };
        self.writer.write(end).await
    }

    async fn add_code(&self, code: &AuthorizationCode, keep_for: i64) -> Result<(), StorageError> {
        let code = code.clone();
        let add = move |connection: &mut Connection| {
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
        };
        self.writer.write(add).await
    }

    async fn redeem_code(&self, presented: &PresentedCode, now: i64) -> Result<Redemption, StorageError> {
        let presented = presented.clone();
        let redeem = move |connection: &mut Connection| {
            let sql = "SELECT * FROM authorization_codes WHERE digest = ?1";
            let Some((code, is_used)) = select(connection, sql, presented.digest, code)? else {
                return Ok(Redemption::Unknown);
            };
            let redemption = code.redeem(is_used, &presented, now);
            if let Redemption::First(code) = &redemption {
                logout_rows::note_client(connection, &code.session_id, &code.client_id)?;
                connection
                    .prepare_cached("UPDATE authorization_codes SET used_at = ?2 WHERE digest = ?1")?
                    .execute((presented.digest, now))?;
            }
            Ok(redemption)
        };
        self.writer.write(redeem).await
    }

    async fn add_device_authorization(
        &self,
        authorization: &DeviceAuthorization,
        max_of_client: u32,
        max: u32,
        keep_for: i64,
    ) -> Result<(), StorageError> {
        let added = authorization.clone();
        let add = move |connection: &mut Connection| device_rows::add(connection, &added, max_of_client, max, keep_for);
        self.writer.write(add).await
    }

    async fn device_authorization(
        &self,
        user_digest: &[u8; 32],
        now: i64,
    ) -> Result<Option<DeviceAuthorization>, StorageError> {
        let user_digest = *user_digest;
        self.reader.read(move |connection| device_rows::undecided(connection, &user_digest, now)).await
    }

    async fn decide_device_authorization(
        &self,
        user_digest: &[u8; 32],
        decision: &DeviceDecision,
        scope: &str,
        now: i64,
        audit: &[AuditRecord],
    ) -> Result<bool, StorageError> {
        let (user_digest, decision, scope, audit) = (*user_digest, decision.clone(), scope.to_owned(), audit.to_vec());
        let decide = move |connection: &mut Connection| {
            let is_decided = device_rows::decide(connection, &user_digest, &decision, &scope, now)?;
            for audit in audit.iter().filter(|_| is_decided) {
                audit_rows::insert(connection, audit)?;
            }
            Ok(is_decided)
        };
        self.writer.write(decide).await
    }

    async fn poll_device_authorization(
        &self,
        device_digest: &[u8; 32],
        client_id: &str,
        now: i64,
    ) -> Result<DevicePoll, StorageError> {
        let (device_digest, client_id) = (*device_digest, client_id.to_owned());
        self.writer.write(move |connection| device_rows::poll(connection, &device_digest, &client_id, now)).await
    }

    async fn claim_logout_notices(
        &self,
        now: i64,
        retry_after: i64,
        max_attempts: u32,
        max: u32,
    ) -> Result<Vec<LogoutNotice>, StorageError> {
        if !self.reader.read(move |connection| logout_rows::is_any_due(connection, now)).await? {
            return Ok(Vec::new());
        }
        let claim =
            move |connection: &mut Connection| logout_rows::claim(connection, now, retry_after, max_attempts, max);
        self.writer.write(claim).await
    }

    async fn forget_logout_notice(&self, notice: &LogoutNotice) -> Result<(), StorageError> {
        let notice = notice.clone();
        self.writer.write(move |connection| logout_rows::forget(connection, &notice)).await
    }

    async fn add_refresh_family(
        &self,
        family: &RefreshFamily,
        digest: &[u8; 32],
        token: &GrantedToken,
        max: u32,
    ) -> Result<(), StorageError> {
        let (family, digest, token) = (family.clone(), *digest, token.clone());
        self.writer.write(move |connection| refresh_rows::add(connection, &family, &digest, &token, max)).await
    }

    async fn refresh_family(&self, digest: &[u8; 32]) -> Result<Option<(RefreshFamily, i64)>, StorageError> {
        let digest = *digest;
        self.reader.read(move |connection| refresh_rows::find(connection, &digest)).await
    }

    async fn refresh(
        &self,
        presented: &PresentedRefreshToken,
        reused: &AuditRecord,
        now: i64,
    ) -> Result<Refresh, StorageError> {
        let (presented, reused) = (presented.clone(), reused.clone());
        self.writer.write(move |connection| refresh_rows::refresh(connection, &presented, &reused, now)).await
    }

    async fn end_refresh_family(&self, id: &str, audit: &AuditRecord) -> Result<bool, StorageError> {
        let (id, audit) = (id.to_owned(), audit.clone());
        let end = move |connection: &mut Connection| {
            let is_ended = refresh_rows::end(connection, &id)?;
            if is_ended {
                audit_rows::insert(connection, &audit)?;
            }
            Ok(is_ended)
        };
        self.writer.write(end).await
    }

    async fn tokens_of_family(&self, id: &str) -> Result<Vec<String>, StorageError> {
        let id = id.to_owned();
        self.reader.read(move |connection| refresh_rows::tokens_of_family(connection, &id)).await
    }

    async fn forget_refresh_families(&self, now: i64) -> Result<(), StorageError> {
        self.writer.write(move |connection| refresh_rows::forget(connection, now)).await
    }

    async fn tokens_granted(&self, user_id: &str, client_id: &str) -> Result<Vec<String>, StorageError> {
        let (user_id, client_id) = (user_id.to_owned(), client_id.to_owned());
        self.reader.read(move |connection| refresh_rows::tokens_granted(connection, &user_id, &client_id)).await
    }

    async fn add_consent(&self, consent: &Consent, audit: &AuditRecord) -> Result<(), StorageError> {
        let (consent, audit) = (consent.clone(), audit.clone());
        let add = move |connection: &mut Connection| {
            consent_rows::add(connection, consent.clone())?;
            audit_rows::insert(connection, &audit)
        };
        self.writer.write(add).await
    }

    async fn consent(&self, user_id: &str, client_id: &str) -> Result<Option<Consent>, StorageError> {
        let (user_id, client_id) = (user_id.to_owned(), client_id.to_owned());
        self.reader.read(move |connection| consent_rows::of_client(connection, &user_id, &client_id)).await
    }

    async fn consents_of(&self, user_id: &str) -> Result<Vec<Consent>, StorageError> {
        let user_id = user_id.to_owned();
        self.reader.read(move |connection| consent_rows::of_user(connection, &user_id)).await
    }

    async fn revoke_consent(&self, user_id: &str, client_id: &str, audit: &AuditRecord) -> Result<bool, StorageError> {
        let (user_id, client_id, audit) = (user_id.to_owned(), client_id.to_owned(), audit.clone());
        let revoke = move |connection: &mut Connection| {
            let is_revoked = consent_rows::revoke(connection, &user_id, &client_id)?;
            if is_revoked {
                audit_rows::insert(connection, &audit)?;
            }
            Ok(is_revoked)
        };
        self.writer.write(revoke).await
    }

    async fn add_known_device(&self, device: &KnownDevice, max: u32, audit: &AuditRecord) -> Result<(), StorageError> {
        let (device, audit) = (device.clone(), audit.clone());
        let add = move |connection: &mut Connection| {
            let is_new = consent_rows::add_device(connection, &device, max)?;
            if is_new { audit_rows::insert(connection, &audit) } else { Ok(()) }
        };
        self.writer.write(add).await
    }

    async fn is_known_device(&self, user_id: &str, digest: &[u8; 32], now: i64) -> Result<bool, StorageError> {
        let (user_id, digest) = (user_id.to_owned(), *digest);
        self.reader.read(move |connection| consent_rows::is_known_device(connection, &user_id, &digest, now)).await
    }

    async fn spend_jti(&self, jti: &SpentJti, now: i64, max: u32) -> Result<bool, StorageError> {
        let jti = jti.clone();
        self.writer.write(move |connection| jti_rows::spend(connection, &jti, now, max)).await
    }

    async fn add_pushed_request(&self, request: &PushedRequest, now: i64, max: u32) -> Result<(), StorageError> {
        let request = request.clone();
        self.writer.write(move |connection| pushed_rows::add(connection, &request, now, max)).await
    }

    async fn begin_pushed_request(
        &self,
        digest: &[u8; 32],
        client_id: &str,
        next: &[u8; 32],
        expires_at: i64,
        now: i64,
    ) -> Result<Option<String>, StorageError> {
        let (digest, client_id, next) = (*digest, client_id.to_owned(), *next);
        let begin = move |connection: &mut Connection| {
            pushed_rows::begin(connection, &digest, &client_id, (&next, expires_at), now)
        };
        self.writer.write(begin).await
    }

    async fn begun_request(
        &self,
        digest: &[u8; 32],
        client_id: &str,
        now: i64,
    ) -> Result<Option<String>, StorageError> {
        let (digest, client_id) = (*digest, client_id.to_owned());
        self.reader.read(move |connection| pushed_rows::begun(connection, &digest, &client_id, now)).await
    }

    async fn end_pushed_request(&self, digest: &[u8; 32], client_id: &str, now: i64) -> Result<bool, StorageError> {
        let (digest, client_id) = (*digest, client_id.to_owned());
        self.writer.write(move |connection| pushed_rows::end(connection, &digest, &client_id, now)).await
    }

    async fn add_issuer(&self, issuer: &str) -> Result<(), StorageError> {
        let issuer = issuer.to_owned();
        let add = move |connection: &mut Connection| {
            connection
                .prepare_cached("INSERT INTO issuers (name) VALUES (?1) ON CONFLICT DO NOTHING")?
                .execute([issuer])?;
            Ok(())
        };
        self.writer.write(add).await
    }

    async fn issuers(&self) -> Result<Vec<String>, StorageError> {
        let read = |connection: &Transaction<'_>| {
            let mut select = connection.prepare_cached("SELECT name FROM issuers ORDER BY name")?;
            Ok(select.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?)
        };
        self.reader.read(read).await
    }

    async fn signing_keys(&self) -> Result<Option<StoredSigningKeys>, StorageError> {
        let keys = |row: &Row<'_>| {
            Ok(StoredSigningKeys {
                version: row.get("version")?,
                private_jwks: row.get::<_, String>("private_jwks")?.into(),
            })
        };
        self.reader
            .read(move |connection| select(connection, "SELECT * FROM signing_keys WHERE id = ?1", 1, keys))
            .await
    }

    async fn replace_signing_keys(
        &self,
        version: i64,
        private_jwks: &str,
        audit: &AuditRecord,
    ) -> Result<bool, StorageError> {
        let (private_jwks, audit) = (Zeroizing::new(private_jwks.to_owned()), audit.clone());
        let replace = move |connection: &mut Connection| {
            let sql = "SELECT version FROM signing_keys WHERE id = ?1";
            if select(connection, sql, 1, |row| row.get(0))?.unwrap_or(0) != version {
                return Ok(false);
            }
            connection
                .prepare_cached(
                    "INSERT INTO signing_keys (id, version, private_jwks) VALUES (1, ?1, ?2)
                     ON CONFLICT (id) DO UPDATE SET version = ?1, private_jwks = ?2",
                )?
                .execute((version + 1, &*private_jwks))?;
            audit_rows::insert(connection, &audit)?;
            Ok(true)
        };
        self.writer.write(replace).await
    }
}

/// The one row that has that key.
fn select<T>(
    connection: &Connection,
    sql: &str,
    key: impl ToSql,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, SqliteError> {
    Ok(connection.prepare_cached(sql)?.query_row([key], read).optional()?)
}

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: row.get("id")?,
        email: row.get("email")?,
        scopes: row.get("scopes")?,
        created_at: row.get("created_at")?,
        disabled_at: row.get("disabled_at")?,
        epoch: row.get("epoch")?,
    })
}

fn session(row: &Row<'_>) -> rusqlite::Result<LoginSession> {
    Ok(LoginSession {
        id: row.get("id")?,
        user_id: row.get("user_id")?,
        digest: row.get("digest")?,
        key_id: row.get("key_id")?,
        agent: row.get("agent")?,
        address: row.get("address")?,
        created_at: row.get("created_at")?,
        authenticated_at: row.get("authenticated_at")?,
        expires_at: row.get("expires_at")?,
    })
}

fn change_user(connection: &Connection, id: &str, change: &UserChange) -> Result<UserChanged, SqliteError> {
    let find = || select(connection, "SELECT * FROM users WHERE id = ?1", id, user);
    let before = find()?.ok_or(Refusal::NotFound { what: "user" })?;
    let mut ended: Vec<String> = Vec::new();
    if *change != UserChange::Enable {
        logout_rows::add_of_user(connection, id)?;
        ended = connection
            .prepare_cached("DELETE FROM login_sessions WHERE user_id = ?1 RETURNING id")?
            .query_map([id], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        connection
            .prepare_cached("DELETE FROM authorization_codes WHERE user_id = ?1 AND used_at IS NULL")?
            .execute([id])?;
        // Of sessions that have expired too: their access tokens are to be revoked.
        ended.extend(refresh_rows::remove_of_user(connection, id)?);
        ended.sort_unstable();
        ended.dedup();
        connection.prepare_cached("UPDATE users SET epoch = epoch + 1 WHERE id = ?1")?.execute([id])?;
    }
    match change {
        UserChange::Disable { at } => connection
            .prepare_cached("UPDATE users SET disabled_at = coalesce(disabled_at, ?2) WHERE id = ?1")?
            .execute((id, at))?,
        UserChange::Enable => {
            connection.prepare_cached("UPDATE users SET disabled_at = NULL WHERE id = ?1")?.execute([id])?
        }
        UserChange::Password { hash } => {
            connection.prepare_cached("UPDATE users SET password_hash = ?2 WHERE id = ?1")?.execute((id, hash))?
        }
        UserChange::EndLogins => 1,
        UserChange::Remove => connection.prepare_cached("DELETE FROM users WHERE id = ?1")?.execute([id])?,
        change => return Err(StorageError::failed(format!("not known here: {change:?}")).into()),
    };
    Ok(UserChanged { user: find()?.unwrap_or(before), ended })
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

/// The name is from when the service had it to itself.
const FILE_NAME: &str = "tollgate-service.sqlite3";

/// Step N turns schema version N into N + 1. A released step is never edited.
const STEPS: &[&str] = &[
    "
    CREATE TABLE users (
        id            TEXT NOT NULL PRIMARY KEY,
        email         TEXT NOT NULL UNIQUE,
        password_hash TEXT NOT NULL,
        scopes        TEXT NOT NULL,
        created_at    INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE sites (
        id            TEXT NOT NULL PRIMARY KEY,
        user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        name          TEXT NOT NULL,
        url           TEXT NOT NULL,
        created_at    INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sites_by_user ON sites (user_id, created_at, id);

    -- One row: the whole rotation, since its steps concern all keys together.
    CREATE TABLE signing_keys (
        id            INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
        version       INTEGER NOT NULL,
        private_jwks  TEXT NOT NULL
    ) STRICT;

    CREATE TABLE login_sessions (
        digest        BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
        user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        created_at    INTEGER NOT NULL,
        expires_at    INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX login_sessions_by_expiry ON login_sessions (expires_at);

    -- One row a code. The token made from it is named here, so that a second use can revoke it.
    CREATE TABLE authorization_codes (
        digest          BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
        client_id       TEXT NOT NULL,
        user_id         TEXT NOT NULL,
        redirect_uri    TEXT NOT NULL,
        code_challenge  TEXT NOT NULL,
        scope           TEXT NOT NULL,
        created_at      INTEGER NOT NULL,
        expires_at      INTEGER NOT NULL,
        used_at         INTEGER,
        token_id        TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX authorization_codes_by_expiry ON authorization_codes (expires_at);
",
    "
    ALTER TABLE users ADD COLUMN disabled_at INTEGER;
    -- Grows with every change that ends all logins of the user.
    ALTER TABLE users ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;

    -- Under which `iss` tokens were issued to these users.
    CREATE TABLE issuers (
        name          TEXT NOT NULL PRIMARY KEY
    ) STRICT, WITHOUT ROWID;

    -- The sessions of before have no id by which their tokens could be revoked: whoever is logged in logs in again.
    DROP TABLE login_sessions;
    CREATE TABLE login_sessions (
        id            TEXT NOT NULL PRIMARY KEY,
        user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        digest        BLOB UNIQUE CHECK (length(digest) = 32),
        key_id        TEXT,
        agent         TEXT NOT NULL,
        address       TEXT,
        created_at    INTEGER NOT NULL,
        expires_at    INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX login_sessions_by_expiry ON login_sessions (expires_at);
    CREATE INDEX login_sessions_by_user ON login_sessions (user_id, created_at);

    -- What was issued before and is not used yet belongs to no session any more.
    DELETE FROM authorization_codes WHERE used_at IS NULL;
    ALTER TABLE authorization_codes ADD COLUMN session_id TEXT NOT NULL DEFAULT '';
    CREATE INDEX authorization_codes_by_user ON authorization_codes (user_id);
",
    "
    -- What users let clients have. Those of clients that are gone stay until the user revokes them.
    CREATE TABLE consents (
        user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        client_id     TEXT NOT NULL,
        scopes        TEXT NOT NULL,
        granted_at    INTEGER NOT NULL,
        PRIMARY KEY (user_id, client_id)
    ) STRICT, WITHOUT ROWID;

    -- Browsers in which users have logged in: digests of cookies that let nobody in.
    CREATE TABLE known_devices (
        user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        digest        BLOB NOT NULL CHECK (length(digest) = 32),
        last_login_at INTEGER NOT NULL,
        expires_at    INTEGER NOT NULL,
        PRIMARY KEY (user_id, digest)
    ) STRICT, WITHOUT ROWID;
",
    audit_rows::TABLE,
    "
    ALTER TABLE authorization_codes ADD COLUMN nonce TEXT;
    ALTER TABLE login_sessions ADD COLUMN authenticated_at INTEGER NOT NULL DEFAULT 0;
    UPDATE login_sessions SET authenticated_at = created_at;

    -- The clients that got tokens in a login session, who are told when it ends.
    CREATE TABLE session_clients (
        session_id      TEXT NOT NULL REFERENCES login_sessions (id) ON DELETE CASCADE,
        client_id       TEXT NOT NULL,
        PRIMARY KEY (session_id, client_id)
    ) STRICT, WITHOUT ROWID;

    -- What clients have to be told of sessions that have ended. Whoever sends one moves its next attempt on first.
    CREATE TABLE logout_notices (
        session_id      TEXT NOT NULL,
        client_id       TEXT NOT NULL,
        user_id         TEXT NOT NULL,
        attempts        INTEGER NOT NULL DEFAULT 0,
        next_attempt_at INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (session_id, client_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX logout_notices_by_attempt ON logout_notices (next_attempt_at);
",
    jti_rows::TABLE,
    pushed_rows::TABLE,
    "
    ALTER TABLE authorization_codes ADD COLUMN dpop_jkt TEXT;
",
    device_rows::TABLE,
    refresh_rows::TABLES,
    jti_rows::WITH_PROOFS,
    refresh_rows::WITH_CONFIRMATION,
];
