use crate::account_schema::STEPS;
use crate::database::open_writer;
use crate::error::SqliteError;
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{
    audit_rows, code_rows, consent_rows, device_rows, issuer_rows, jti_rows, known_device_rows, login_session_rows,
    logout_rows, pushed_rows, refresh_rows, signing_key_rows, site_rows, user_rows,
};
use async_trait::async_trait;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use tollgate_storage::accounts::{
    AuthorizationCode, Consent, DeviceAuthorization, DeviceDecision, DevicePoll, GrantedToken, KnownDevice,
    LoginSession, LogoutNotice, PresentedCode, PresentedRefreshToken, PushedRequest, Redemption, Refresh,
    RefreshFamily, Site, SpentJti, StoredSigningKeys, User, UserChange, UserChanged,
};
use tollgate_storage::{AccountStore, AuditRecord, StorageError};
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
        let writer = Writer::spawn(open_writer(&file, STEPS)?, |_| Ok(false), || {})?;
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

    /// Writes, with the audit record of it.
    async fn audited(
        &self,
        audit: &AuditRecord,
        work: impl FnOnce(&Connection) -> Result<(), SqliteError> + Send + 'static,
    ) -> Result<(), StorageError> {
        self.audited_if(audit, move |connection| work(connection).map(|()| true)).await.map(drop)
    }

    /// Writes, with the audit record of it where `work` returns that something has changed.
    async fn audited_if(
        &self,
        audit: &AuditRecord,
        work: impl FnOnce(&Connection) -> Result<bool, SqliteError> + Send + 'static,
    ) -> Result<bool, StorageError> {
        let audit = audit.clone();
        let work = move |connection: &mut Connection| {
            let has_changed = work(connection)?;
            if has_changed {
                audit_rows::insert(connection, &audit)?;
            }
            Ok(has_changed)
        };
        self.writer.write(work).await
    }
}

#[async_trait]
impl AccountStore for SqliteAccountStore {
    async fn add_user(&self, user: &User, password_hash: &str, audit: &AuditRecord) -> Result<(), StorageError> {
        let (user, password_hash) = (user.clone(), password_hash.to_owned());
        self.audited(audit, move |connection| user_rows::add(connection, &user, &password_hash)).await
    }

    async fn user_by_id(&self, id: &str) -> Result<Option<User>, StorageError> {
        let id = id.to_owned();
        self.reader.read(move |connection| user_rows::by_id(connection, &id)).await
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<(User, String)>, StorageError> {
        let email = email.to_owned();
        self.reader.read(move |connection| user_rows::by_email(connection, &email)).await
    }

    async fn users(&self, after: Option<&str>, max: usize) -> Result<Vec<User>, StorageError> {
        let after = after.unwrap_or_default().to_owned();
        self.reader.read(move |connection| user_rows::page(connection, &after, max)).await
    }

    async fn change_user(
        &self,
        id: &str,
        change: &UserChange,
        audit: &AuditRecord,
    ) -> Result<UserChanged, StorageError> {
        let (id, change, audit) = (id.to_owned(), change.clone(), audit.clone());
        let change = move |connection: &mut Connection| {
            let changed = user_rows::change(connection, &id, &change)?;
            audit_rows::insert(connection, &audit)?;
            Ok(changed)
        };
        self.writer.write(change).await
    }

    async fn add_site(&self, site: &Site, max: u32, audit: &AuditRecord) -> Result<(), StorageError> {
        let site = site.clone();
        self.audited(audit, move |connection| site_rows::add(connection, &site, max)).await
    }

    async fn rename_site(
        &self,
        user_id: &str,
        id: &str,
        name: &str,
        audit: &AuditRecord,
    ) -> Result<bool, StorageError> {
        let (user_id, id, name) = (user_id.to_owned(), id.to_owned(), name.to_owned());
        self.audited_if(audit, move |connection| site_rows::rename(connection, &user_id, &id, &name)).await
    }

    async fn remove_site(&self, user_id: &str, id: &str, audit: &AuditRecord) -> Result<bool, StorageError> {
        let (user_id, id) = (user_id.to_owned(), id.to_owned());
        self.audited_if(audit, move |connection| site_rows::remove(connection, &user_id, &id)).await
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
        let session = session.clone();
        self.audited(audit, move |connection| login_session_rows::add(connection, &session, epoch, max)).await
    }

    async fn login_session(&self, digest: &[u8; 32], now: i64) -> Result<Option<LoginSession>, StorageError> {
        let digest = *digest;
        self.reader.read(move |connection| login_session_rows::by_digest(connection, &digest, now)).await
    }

    async fn login_sessions_of(&self, user_id: &str, now: i64) -> Result<Vec<LoginSession>, StorageError> {
        let user_id = user_id.to_owned();
        self.reader.read(move |connection| login_session_rows::of_user(connection, &user_id, now)).await
    }

    async fn renew_login_session(
        &self,
        session: &LoginSession,
        epoch: i64,
        audit: &AuditRecord,
    ) -> Result<bool, StorageError> {
        let session = session.clone();
        self.audited_if(audit, move |connection| login_session_rows::renew(connection, &session, epoch)).await
    }

    async fn end_login_session(&self, user_id: &str, id: &str, audit: &AuditRecord) -> Result<bool, StorageError> {
        let (user_id, id) = (user_id.to_owned(), id.to_owned());
        self.audited_if(audit, move |connection| login_session_rows::end(connection, &user_id, &id)).await
    }

    async fn add_code(&self, code: &AuthorizationCode, keep_for: i64) -> Result<(), StorageError> {
        let code = code.clone();
        self.writer.write(move |connection| code_rows::add(connection, &code, keep_for)).await
    }

    async fn redeem_code(&self, presented: &PresentedCode, now: i64) -> Result<Redemption, StorageError> {
        let presented = presented.clone();
        self.writer.write(move |connection| code_rows::redeem(connection, &presented, now)).await
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
        let id = id.to_owned();
        self.audited_if(audit, move |connection| refresh_rows::end(connection, &id)).await
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
        let consent = consent.clone();
        self.audited(audit, move |connection| consent_rows::add(connection, consent)).await
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
        let (user_id, client_id) = (user_id.to_owned(), client_id.to_owned());
        self.audited_if(audit, move |connection| consent_rows::revoke(connection, &user_id, &client_id)).await
    }

    async fn add_known_device(&self, device: &KnownDevice, max: u32, audit: &AuditRecord) -> Result<(), StorageError> {
        let device = device.clone();
        self.audited_if(audit, move |connection| known_device_rows::add(connection, &device, max)).await.map(drop)
    }

    async fn is_known_device(&self, user_id: &str, digest: &[u8; 32], now: i64) -> Result<bool, StorageError> {
        let (user_id, digest) = (user_id.to_owned(), *digest);
        self.reader.read(move |connection| known_device_rows::is_known(connection, &user_id, &digest, now)).await
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
        self.writer.write(move |connection| issuer_rows::add(connection, &issuer)).await
    }

    async fn issuers(&self) -> Result<Vec<String>, StorageError> {
        self.reader.read(|connection| issuer_rows::all(connection)).await
    }

    async fn signing_keys(&self) -> Result<Option<StoredSigningKeys>, StorageError> {
        self.reader.read(|connection| signing_key_rows::find(connection)).await
    }

    async fn replace_signing_keys(
        &self,
        version: i64,
        private_jwks: &str,
        audit: &AuditRecord,
    ) -> Result<bool, StorageError> {
        let private_jwks = Zeroizing::new(private_jwks.to_owned());
        self.audited_if(audit, move |connection| signing_key_rows::replace(connection, version, &private_jwks)).await
    }
}

/// The name is from when the service had it to itself.
const FILE_NAME: &str = "tollgate-service.sqlite3";
