//! What the service keeps of its users.

use async_trait::async_trait;
use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use tollgate_storage::accounts::{
    AuthorizationCode, Consent, DeviceAuthorization, DeviceDecision, DevicePoll, GrantedToken, KnownDevice,
    LoginSession, LogoutNotice, PresentedCode, PresentedRefreshToken, PushedRequest, Redemption, Refresh,
    RefreshFamily, Site, SpentJti, StoredSigningKeys, User, UserChange, UserChanged,
};
use tollgate_storage::{AccountStore, AuditRecord, Refusal, StorageError};

use crate::append::Changed;
use crate::audit;
use crate::devices;
use crate::error::of_server;
use crate::pushed;
use crate::refresh;
use crate::store::PostgresStore;
use crate::transaction::PostgresTransaction;
use crate::write::{Done, Work};

/// A change of accounts. It is made, numbered and acknowledged as one of keys is, and the feed shows it as a heartbeat.
#[derive(Clone, Copy)]
pub(crate) enum AccountWork<'w> {
    AddUser(&'w User, &'w str, &'w AuditRecord),
    AddSite(&'w Site, u32, &'w AuditRecord),
    RenameSite(&'w str, &'w str, &'w str, &'w AuditRecord),
    RemoveSite(&'w str, &'w str, &'w AuditRecord),
    ChangeUser(&'w str, &'w UserChange, &'w AuditRecord),
    AddLoginSession(&'w LoginSession, i64, u32, &'w AuditRecord),
    RenewLoginSession(&'w LoginSession, i64, &'w AuditRecord),
    EndLoginSession(&'w str, &'w str, &'w AuditRecord),
    AddCode(&'w AuthorizationCode, i64),
    RedeemCode(&'w PresentedCode, i64),
    /// The most of the client's, the most of all, the seconds for which used ones are kept.
    AddDeviceAuthorization(&'w DeviceAuthorization, u32, u32, i64),
    /// The digest of the user code, the decision, the scope, now.
    DecideDeviceAuthorization(&'w [u8; 32], &'w DeviceDecision, &'w str, i64, &'w [AuditRecord]),
    /// The digest of the device code, the client, now.
    PollDeviceAuthorization(&'w [u8; 32], &'w str, i64),
    AddRefreshFamily(&'w RefreshFamily, &'w [u8; 32], &'w GrantedToken, u32),
    Refresh(&'w PresentedRefreshToken, &'w AuditRecord, i64),
    EndRefreshFamily(&'w str, &'w AuditRecord),
    ForgetRefreshFamilies(i64),
    /// Now, the seconds to the next attempt, the most attempts, the most notices.
    ClaimLogoutNotices(i64, i64, u32, u32),
    ForgetLogoutNotice(&'w LogoutNotice),
    AddConsent(&'w Consent, &'w AuditRecord),
    RevokeConsent(&'w str, &'w str, &'w AuditRecord),
    AddKnownDevice(&'w KnownDevice, u32, &'w AuditRecord),
    SpendJti(&'w SpentJti, i64, u32),
    AddPushedRequest(&'w PushedRequest, i64, u32),
    /// The digest, the client, the next digest, its end, and the time.
    BeginPushedRequest(&'w [u8; 32], &'w str, &'w [u8; 32], i64, i64),
    EndPushedRequest(&'w [u8; 32], &'w str, i64),
    AddIssuer(&'w str),
    ReplaceSigningKeys(i64, &'w str, &'w AuditRecord),
    Record(&'w [AuditRecord]),
}

#[async_trait]
impl AccountStore for PostgresStore {
    async fn add_user(&self, user: &User, password_hash: &str, audit: &AuditRecord) -> Result<(), StorageError> {
        self.account(AccountWork::AddUser(user, password_hash, audit)).await.map(drop)
    }

    async fn user_by_id(&self, id: &str) -> Result<Option<User>, StorageError> {
        let select = format!("SELECT {USER_COLUMNS} FROM tollgate.users WHERE id = $1");
        let rows = self.select_text(&select, id).await?;
        Ok(rows.first().map(user))
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<(User, String)>, StorageError> {
        let select = format!("SELECT {USER_COLUMNS}, password_hash FROM tollgate.users WHERE email = $1");
        let rows = self.select_text(&select, email).await?;
        Ok(rows.first().map(|row| (user(row), row.get(6))))
    }

    async fn users(&self, after: Option<&str>, max: usize) -> Result<Vec<User>, StorageError> {
        let select = format!("SELECT {USER_COLUMNS} FROM tollgate.users WHERE id > $1 ORDER BY id LIMIT $2");
        let (after, max) = (after.unwrap_or_default(), i64::try_from(max).unwrap_or(i64::MAX));
        if after.contains('\0') {
            return Ok(Vec::new());
        }
        Ok(self.select(&select, &[&after, &max]).await?.iter().map(user).collect())
    }

    async fn change_user(
        &self,
        id: &str,
        change: &UserChange,
        audit: &AuditRecord,
    ) -> Result<UserChanged, StorageError> {
        match self.account(AccountWork::ChangeUser(id, change, audit)).await? {
            Done::UserChanged(changed) => Ok(*changed),
            _ => Err(Refusal::NotFound { what: "user" }.into()),
        }
    }

    async fn add_site(&self, site: &Site, max: u32, audit: &AuditRecord) -> Result<(), StorageError> {
        self.account(AccountWork::AddSite(site, max, audit)).await.map(drop)
    }

    async fn rename_site(
        &self,
        user_id: &str,
        id: &str,
        name: &str,
        audit: &AuditRecord,
    ) -> Result<bool, StorageError> {
        let done = self.account(AccountWork::RenameSite(user_id, id, name, audit)).await?;
        Ok(matches!(done, Done::Added(renamed) if renamed == [true]))
    }

    async fn remove_site(&self, user_id: &str, id: &str, audit: &AuditRecord) -> Result<bool, StorageError> {
        let done = self.account(AccountWork::RemoveSite(user_id, id, audit)).await?;
        Ok(matches!(done, Done::Added(removed) if removed == [true]))
    }

    async fn sites_of(&self, user_id: &str, limit: u32) -> Result<Vec<Site>, StorageError> {
        let select = format!(
            "SELECT id, user_id, name, url, created_at FROM tollgate.sites WHERE user_id = $1 ORDER BY created_at, id LIMIT {limit}"
        );
        let site = |row: &Row| {
            let (id, user_id, name, url) = (row.get(0), row.get(1), row.get(2), row.get(3));
            Site { id, user_id, name, url, created_at: row.get(4) }
        };
        Ok(self.select_text(&select, user_id).await?.iter().map(site).collect())
    }

    async fn add_login_session(
        &self,
        session: &LoginSession,
        epoch: i64,
        max: u32,
        audit: &AuditRecord,
    ) -> Result<(), StorageError> {
        self.account(AccountWork::AddLoginSession(session, epoch, max, audit)).await.map(drop)
    }

    async fn login_session(&self, digest: &[u8; 32], now: i64) -> Result<Option<LoginSession>, StorageError> {
        let select =
            format!("SELECT {SESSION_COLUMNS} FROM tollgate.login_sessions WHERE digest = $1 AND expires_at > $2");
        let rows = self.select(&select, &[&&digest[..], &now]).await?;
        Ok(rows.first().map(session))
    }

    async fn login_sessions_of(&self, user_id: &str, now: i64) -> Result<Vec<LoginSession>, StorageError> {
        let select = format!(
            "SELECT {SESSION_COLUMNS} FROM tollgate.login_sessions WHERE user_id = $1 AND expires_at > $2
             ORDER BY created_at DESC, id DESC"
        );
        if user_id.contains('\0') {
            return Ok(Vec::new());
        }
        Ok(self.select(&select, &[&user_id, &now]).await?.iter().map(session).collect())
    }

    async fn renew_login_session(
        &self,
        session: &LoginSession,
        epoch: i64,
        audit: &AuditRecord,
    ) -> Result<bool, StorageError> {
        let done = self.account(AccountWork::RenewLoginSession(session, epoch, audit)).await?;
        Ok(matches!(done, Done::Added(renewed) if renewed == [true]))
    }

    async fn end_login_session(&self, user_id: &str, id: &str, audit: &AuditRecord) -> Result<bool, StorageError> {
        let done = self.account(AccountWork::EndLoginSession(user_id, id, audit)).await?;
        Ok(matches!(done, Done::Added(ended) if ended == [true]))
    }

    async fn add_code(&self, code: &AuthorizationCode, keep_for: i64) -> Result<(), StorageError> {
        self.account(AccountWork::AddCode(code, keep_for)).await.map(drop)
    }

    async fn redeem_code(&self, presented: &PresentedCode, now: i64) -> Result<Redemption, StorageError> {
        match self.account(AccountWork::RedeemCode(presented, now)).await? {
            Done::Redeemed(redemption) => Ok(*redemption),
            _ => Ok(Redemption::Unknown),
        }
    }

    async fn add_device_authorization(
        &self,
        authorization: &DeviceAuthorization,
        max_of_client: u32,
        max: u32,
        keep_for: i64,
    ) -> Result<(), StorageError> {
        self.account(AccountWork::AddDeviceAuthorization(authorization, max_of_client, max, keep_for)).await.map(drop)
    }

    async fn device_authorization(
        &self,
        user_digest: &[u8; 32],
        now: i64,
    ) -> Result<Option<DeviceAuthorization>, StorageError> {
        let rows = self.select(devices::SELECT_UNDECIDED, &[&&user_digest[..], &now]).await?;
        Ok(rows.first().and_then(devices::authorization))
    }

    async fn decide_device_authorization(
        &self,
        user_digest: &[u8; 32],
        decision: &DeviceDecision,
        scope: &str,
        now: i64,
        audit: &[AuditRecord],
    ) -> Result<bool, StorageError> {
        let work = AccountWork::DecideDeviceAuthorization(user_digest, decision, scope, now, audit);
        let done = self.account(work).await?;
        Ok(matches!(done, Done::Added(decided) if decided == [true]))
    }

    async fn poll_device_authorization(
        &self,
        device_digest: &[u8; 32],
        client_id: &str,
        now: i64,
    ) -> Result<DevicePoll, StorageError> {
        match self.account(AccountWork::PollDeviceAuthorization(device_digest, client_id, now)).await? {
            Done::DevicePolled(polled) => Ok(*polled),
            _ => Ok(DevicePoll::Unknown),
        }
    }

    async fn claim_logout_notices(
        &self,
        now: i64,
        retry_after: i64,
        max_attempts: u32,
        max: u32,
    ) -> Result<Vec<LogoutNotice>, StorageError> {
        let due = "SELECT FROM tollgate.logout_notices WHERE next_attempt_at <= $1 LIMIT 1";
        if self.select(due, &[&now]).await?.is_empty() {
            return Ok(Vec::new());
        }
        match self.account(AccountWork::ClaimLogoutNotices(now, retry_after, max_attempts, max)).await? {
            Done::LogoutNotices(notices) => Ok(notices),
            _ => Ok(Vec::new()),
        }
    }

    async fn forget_logout_notice(&self, notice: &LogoutNotice) -> Result<(), StorageError> {
        self.account(AccountWork::ForgetLogoutNotice(notice)).await.map(drop)
    }

    async fn add_refresh_family(
        &self,
        family: &RefreshFamily,
        digest: &[u8; 32],
        token: &GrantedToken,
        max: u32,
    ) -> Result<(), StorageError> {
        self.account(AccountWork::AddRefreshFamily(family, digest, token, max)).await.map(drop)
    }

    async fn refresh_family(&self, digest: &[u8; 32]) -> Result<Option<(RefreshFamily, i64)>, StorageError> {
        let rows = self.select(refresh::FIND_FAMILY, &[&&digest[..]]).await?;
        rows.first().map(refresh::found).transpose()
    }

    async fn refresh(
        &self,
        presented: &PresentedRefreshToken,
        reused: &AuditRecord,
        now: i64,
    ) -> Result<Refresh, StorageError> {
        match self.account(AccountWork::Refresh(presented, reused, now)).await? {
            Done::Refreshed(refresh) => Ok(*refresh),
            _ => Ok(Refresh::Unknown),
        }
    }

    async fn end_refresh_family(&self, id: &str, audit: &AuditRecord) -> Result<bool, StorageError> {
        let done = self.account(AccountWork::EndRefreshFamily(id, audit)).await?;
        Ok(matches!(done, Done::Added(ended) if ended == [true]))
    }

    async fn tokens_of_family(&self, id: &str) -> Result<Vec<String>, StorageError> {
        let select = "SELECT id FROM tollgate.granted_tokens WHERE family_id = $1 ORDER BY id";
        Ok(self.select_text(select, id).await?.iter().map(|row| row.get(0)).collect())
    }

    async fn forget_refresh_families(&self, now: i64) -> Result<(), StorageError> {
        self.account(AccountWork::ForgetRefreshFamilies(now)).await.map(drop)
    }

    async fn tokens_granted(&self, user_id: &str, client_id: &str) -> Result<Vec<String>, StorageError> {
        let select = "SELECT token_id COLLATE \"C\" FROM tollgate.authorization_codes
                      WHERE user_id = $1 AND client_id = $2 AND used_at IS NOT NULL
                      UNION
                      SELECT token_id FROM tollgate.device_authorizations
                      WHERE user_id = $1 AND client_id = $2 AND used_at IS NOT NULL
                      UNION
                      SELECT t.id FROM tollgate.granted_tokens t JOIN tollgate.refresh_families f ON f.id = t.family_id
                      WHERE f.user_id = $1 AND f.client_id = $2
                      ORDER BY 1";
        Ok(self.select_texts(select, user_id, client_id).await?.iter().map(|row| row.get(0)).collect())
    }

    async fn add_consent(&self, consent: &Consent, audit: &AuditRecord) -> Result<(), StorageError> {
        self.account(AccountWork::AddConsent(consent, audit)).await.map(drop)
    }

    async fn consent(&self, user_id: &str, client_id: &str) -> Result<Option<Consent>, StorageError> {
        let select = format!("SELECT {CONSENT_COLUMNS} FROM tollgate.consents WHERE user_id = $1 AND client_id = $2");
        Ok(self.select_texts(&select, user_id, client_id).await?.first().map(consent))
    }

    async fn consents_of(&self, user_id: &str) -> Result<Vec<Consent>, StorageError> {
        let select = format!("SELECT {CONSENT_COLUMNS} FROM tollgate.consents WHERE user_id = $1 ORDER BY client_id");
        Ok(self.select_text(&select, user_id).await?.iter().map(consent).collect())
    }

    async fn revoke_consent(&self, user_id: &str, client_id: &str, audit: &AuditRecord) -> Result<bool, StorageError> {
        let done = self.account(AccountWork::RevokeConsent(user_id, client_id, audit)).await?;
        Ok(matches!(done, Done::Added(revoked) if revoked == [true]))
    }

    async fn add_known_device(&self, device: &KnownDevice, max: u32, audit: &AuditRecord) -> Result<(), StorageError> {
        self.account(AccountWork::AddKnownDevice(device, max, audit)).await.map(drop)
    }

    async fn is_known_device(&self, user_id: &str, digest: &[u8; 32], now: i64) -> Result<bool, StorageError> {
        let select = "SELECT FROM tollgate.known_devices WHERE user_id = $1 AND digest = $2 AND expires_at > $3";
        Ok(!self.select(select, &[&user_id, &&digest[..], &now]).await?.is_empty())
    }

    async fn spend_jti(&self, jti: &SpentJti, now: i64, max: u32) -> Result<bool, StorageError> {
        let done = self.account(AccountWork::SpendJti(jti, now, max)).await?;
        Ok(matches!(done, Done::Added(added) if added == [true]))
    }

    async fn add_pushed_request(&self, request: &PushedRequest, now: i64, max: u32) -> Result<(), StorageError> {
        self.account(AccountWork::AddPushedRequest(request, now, max)).await.map(drop)
    }

    async fn begin_pushed_request(
        &self,
        digest: &[u8; 32],
        client_id: &str,
        next: &[u8; 32],
        expires_at: i64,
        now: i64,
    ) -> Result<Option<String>, StorageError> {
        match self.account(AccountWork::BeginPushedRequest(digest, client_id, next, expires_at, now)).await? {
            Done::PushedRequest(parameters) => Ok(Some(parameters)),
            _ => Ok(None),
        }
    }

    async fn begun_request(
        &self,
        digest: &[u8; 32],
        client_id: &str,
        now: i64,
    ) -> Result<Option<String>, StorageError> {
        let select = "SELECT parameters FROM tollgate.pushed_requests
                      WHERE digest = $1 AND client_id = $2 AND is_begun AND expires_at > $3";
        Ok(self.select(select, &[&&digest[..], &client_id, &now]).await?.first().map(|row| row.get(0)))
    }

    async fn end_pushed_request(&self, digest: &[u8; 32], client_id: &str, now: i64) -> Result<bool, StorageError> {
        let done = self.account(AccountWork::EndPushedRequest(digest, client_id, now)).await?;
        Ok(matches!(done, Done::Added(ended) if ended == [true]))
    }

    async fn add_issuer(&self, issuer: &str) -> Result<(), StorageError> {
        self.account(AccountWork::AddIssuer(issuer)).await.map(drop)
    }

    async fn issuers(&self) -> Result<Vec<String>, StorageError> {
        let rows = self.select("SELECT name FROM tollgate.issuers ORDER BY name", &[]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    async fn signing_keys(&self) -> Result<Option<StoredSigningKeys>, StorageError> {
        let rows = self.select("SELECT version, private_jwks FROM tollgate.signing_keys", &[]).await?;
        let keys = |row: &Row| {
            let private_jwks: String = row.get(1);
            StoredSigningKeys { version: row.get(0), private_jwks: private_jwks.into() }
        };
        Ok(rows.first().map(keys))
    }

    async fn replace_signing_keys(
        &self,
        version: i64,
        private_jwks: &str,
        audit: &AuditRecord,
    ) -> Result<bool, StorageError> {
        let done = self.account(AccountWork::ReplaceSigningKeys(version, private_jwks, audit)).await?;
        Ok(matches!(done, Done::Added(added) if added == [true]))
    }
}

impl PostgresStore {
    pub(crate) async fn account(&self, work: AccountWork<'_>) -> Result<Done, StorageError> {
        let (done, _) = self.acknowledged(Work::Account(work)).await?;
        Ok(done)
    }

    /// By a text, which PostgreSQL could not hold with U+0000 in it.
    async fn select_text(&self, select: &str, text: &str) -> Result<Vec<Row>, StorageError> {
        if text.contains('\0') { Ok(Vec::new()) } else { self.select(select, &[&text]).await }
    }

    /// By two of them.
    async fn select_texts(&self, select: &str, first: &str, second: &str) -> Result<Vec<Row>, StorageError> {
        let none = first.contains('\0') || second.contains('\0');
        if none { Ok(Vec::new()) } else { self.select(select, &[&first, &second]).await }
    }
}

/// Does the work in the transaction that has begun on `client`.
pub(crate) async fn run(
    client: &ClientWrapper,
    transaction: &mut PostgresTransaction<'_>,
    work: AccountWork<'_>,
) -> Result<Done, StorageError> {
    let rows = Rows(client);
    let added = |added: u64, what| if added > 0 { Ok(()) } else { Err(Refusal::AlreadyExists { what }) };
    let done = match work {
        AccountWork::AddUser(user, password_hash, audit) => {
            let User { id, email, scopes, created_at, disabled_at, epoch } = user;
            let values: [&(dyn ToSql + Sync); 7] = [id, email, &password_hash, scopes, created_at, disabled_at, epoch];
            let insert = "INSERT INTO tollgate.users (id, email, password_hash, scopes, created_at, disabled_at, epoch)
                          VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
            added(rows.execute(insert, &values).await?, "user")?;
            audit::insert(client, audit).await?;
            Done::Nothing
        }
        AccountWork::AddSite(site, max, audit) => {
            rows.add_site(site, max).await?;
            audit::insert(client, audit).await?;
            Done::Nothing
        }
        AccountWork::RenameSite(user_id, id, name, audit) => {
            let update = "UPDATE tollgate.sites SET name = $3 WHERE id = $1 AND user_id = $2";
            if has_nul(&[user_id, id]) || rows.execute(update, &[&id, &user_id, &name]).await? == 0 {
                return Ok(Done::Added(vec![false]));
            }
            audit::insert(client, audit).await?;
            Done::Added(vec![true])
        }
        AccountWork::RemoveSite(user_id, id, audit) => {
            let delete = "DELETE FROM tollgate.sites WHERE id = $1 AND user_id = $2";
            if has_nul(&[user_id, id]) || rows.execute(delete, &[&id, &user_id]).await? == 0 {
                return Ok(Done::Added(vec![false]));
            }
            audit::insert(client, audit).await?;
            Done::Added(vec![true])
        }
        AccountWork::ChangeUser(id, change, audit) => {
            let changed = rows.change_user(id, change).await?;
            audit::insert(client, audit).await?;
            Done::UserChanged(Box::new(changed))
        }
        AccountWork::AddLoginSession(session, epoch, max, audit) => {
            rows.add_login_session(session, epoch, max).await?;
            audit::insert(client, audit).await?;
            Done::Nothing
        }
        AccountWork::RenewLoginSession(session, epoch, audit) => {
            if !rows.renew_login_session(session, epoch).await? {
                return Ok(Done::Added(vec![false]));
            }
            audit::insert(client, audit).await?;
            Done::Added(vec![true])
        }
        AccountWork::ClaimLogoutNotices(now, retry_after, max_attempts, max) => {
            Done::LogoutNotices(rows.claim_logout_notices(now, retry_after, max_attempts, max).await?)
        }
        AccountWork::ForgetLogoutNotice(notice) => {
            let delete = "DELETE FROM tollgate.logout_notices WHERE session_id = $1 AND client_id = $2";
            if rows.execute(delete, &[&notice.session_id, &notice.client_id]).await? == 0 {
                return Ok(Done::Nothing);
            }
            Done::Nothing
        }
        AccountWork::EndLoginSession(user_id, id, audit) => {
            // A code that is being redeemed in it holds the session: its client is told too.
            let held = "SELECT FROM tollgate.login_sessions WHERE id = $1 AND user_id = $2 FOR UPDATE";
            rows.query(held, &[&id, &user_id]).await?;
            rows.execute(
                &format!("{ADD_NOTICES} WHERE s.id = $1 AND s.user_id = $2 ON CONFLICT DO NOTHING"),
                &[&id, &user_id],
            )
            .await?;
            let delete = "DELETE FROM tollgate.login_sessions WHERE id = $1 AND user_id = $2";
            let ended = rows.execute(delete, &[&id, &user_id]).await?;
            let delete = "DELETE FROM tollgate.authorization_codes
                          WHERE user_id = $2 AND session_id = $1 AND used_at IS NULL";
            let codes = rows.execute(delete, &[&id, &user_id]).await?;
            let delete = "DELETE FROM tollgate.refresh_families WHERE session_id = $1 AND user_id = $2";
            if ended + codes + rows.execute(delete, &[&id, &user_id]).await? == 0 {
                return Ok(Done::Added(vec![false]));
            }
            if ended > 0 {
                audit::insert(client, audit).await?;
            }
            Done::Added(vec![ended > 0])
        }
        AccountWork::AddDeviceAuthorization(authorization, max_of_client, max, keep_for) => {
            devices::add(&rows, authorization, max_of_client, max, keep_for).await?;
            Done::Nothing
        }
        AccountWork::DecideDeviceAuthorization(user_digest, decision, scope, now, audit) => {
            if !devices::decide(&rows, user_digest, decision, scope, now).await? {
                return Ok(Done::Added(vec![false]));
            }
            for audit in audit {
                audit::insert(client, audit).await?;
            }
            Done::Added(vec![true])
        }
        AccountWork::PollDeviceAuthorization(device_digest, client_id, now) => {
            let (polled, has_changed) = devices::poll(&rows, device_digest, client_id, now).await?;
            if !has_changed {
                return Ok(Done::DevicePolled(Box::new(polled)));
            }
            Done::DevicePolled(Box::new(polled))
        }
        AccountWork::AddConsent(consent, audit) => {
            rows.add_consent(consent).await?;
            audit::insert(client, audit).await?;
            Done::Nothing
        }
        AccountWork::RevokeConsent(user_id, client_id, audit) => {
            let delete = "DELETE FROM tollgate.consents WHERE user_id = $1 AND client_id = $2";
            let revoked = rows.execute(delete, &[&user_id, &client_id]).await?;
            let delete = "DELETE FROM tollgate.authorization_codes
                          WHERE user_id = $1 AND client_id = $2 AND used_at IS NULL";
            let codes = rows.execute(delete, &[&user_id, &client_id]).await?;
            let delete = "DELETE FROM tollgate.device_authorizations
                          WHERE user_id = $1 AND client_id = $2 AND used_at IS NULL";
            let devices = rows.execute(delete, &[&user_id, &client_id]).await?;
            let end = "UPDATE tollgate.refresh_families SET is_ended = true
                       WHERE user_id = $1 AND client_id = $2 AND NOT is_ended";
            if revoked + codes + devices + rows.execute(end, &[&user_id, &client_id]).await? == 0 {
                return Ok(Done::Added(vec![false]));
            }
            if revoked > 0 {
                audit::insert(client, audit).await?;
            }
            Done::Added(vec![revoked > 0])
        }
        AccountWork::AddKnownDevice(device, max, audit) => {
            if rows.add_known_device(device, max).await? {
                audit::insert(client, audit).await?;
            }
            Done::Nothing
        }
        AccountWork::SpendJti(jti, now, max) => {
            if !rows.spend_jti(jti, now, max).await? {
                return Ok(Done::Added(vec![false]));
            }
            Done::Added(vec![true])
        }
        AccountWork::AddPushedRequest(request, now, max) => {
            pushed::add(client, request, now, max).await?;
            Done::Nothing
        }
        AccountWork::BeginPushedRequest(digest, client_id, next, expires_at, now) => {
            match pushed::begin(client, digest, client_id, (next, expires_at), now).await? {
                Some(parameters) => Done::PushedRequest(parameters),
                None => return Ok(Done::Nothing),
            }
        }
        AccountWork::EndPushedRequest(digest, client_id, now) => {
            if !pushed::end(client, digest, client_id, now).await? {
                return Ok(Done::Added(vec![false]));
            }
            Done::Added(vec![true])
        }
        AccountWork::AddIssuer(issuer) => {
            let insert = "INSERT INTO tollgate.issuers (name) VALUES ($1) ON CONFLICT DO NOTHING";
            if rows.execute(insert, &[&issuer]).await? == 0 {
                return Ok(Done::Nothing);
            }
            Done::Nothing
        }
        AccountWork::AddCode(code, keep_for) => {
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
            Done::Nothing
        }
        AccountWork::RedeemCode(presented, now) => match rows.redeem(presented, now).await? {
            first @ Redemption::First(_) => Done::Redeemed(Box::new(first)),
            // Nothing has changed.
            other => return Ok(Done::Redeemed(Box::new(other))),
        },
        AccountWork::AddRefreshFamily(family, digest, token, max) => {
            rows.add_refresh_family(family, digest, token, max).await?;
            Done::Nothing
        }
        AccountWork::Refresh(presented, reused, now) => {
            let (refresh, has_changed) = rows.refresh(presented, now).await?;
            let is_reused = matches!(refresh, Refresh::Reused(_));
            let done = Done::Refreshed(Box::new(refresh));
            if !has_changed {
                return Ok(done);
            }
            if is_reused {
                audit::insert(client, reused).await?;
            }
            done
        }
        AccountWork::EndRefreshFamily(id, audit) => {
            if !rows.end_refresh_family(id).await? {
                return Ok(Done::Added(vec![false]));
            }
            audit::insert(client, audit).await?;
            Done::Added(vec![true])
        }
        AccountWork::ForgetRefreshFamilies(now) => {
            let delete =
                "DELETE FROM tollgate.refresh_families f WHERE (f.is_ended OR f.expires_at <= $1) AND NOT EXISTS
                              (SELECT FROM tollgate.granted_tokens t WHERE t.family_id = f.id AND t.expires_at > $1)";
            if rows.execute(delete, &[&now]).await? == 0 {
                return Ok(Done::Nothing);
            }
            Done::Nothing
        }
        AccountWork::ReplaceSigningKeys(version, private_jwks, audit) => {
            let replace = match version {
                0 => {
                    "INSERT INTO tollgate.signing_keys (id, version, private_jwks) VALUES (1, $1::bigint + 1, $2) ON CONFLICT DO NOTHING"
                }
                _ => "UPDATE tollgate.signing_keys SET version = $1::bigint + 1, private_jwks = $2 WHERE version = $1",
            };
            if rows.execute(replace, &[&version, &private_jwks]).await? == 0 {
                return Ok(Done::Added(vec![false]));
            }
            audit::insert(client, audit).await?;
            Done::Added(vec![true])
        }
        AccountWork::Record(records) => {
            for record in records {
                audit::insert(client, record).await?;
            }
            Done::Nothing
        }
    };
    transaction.changed(Changed::Heartbeat);
    Ok(done)
}

/// PostgreSQL holds no text with U+0000, so nothing has such a name.
fn has_nul(names: &[&str]) -> bool {
    names.iter().any(|name| name.contains('\0'))
}

pub(crate) struct Rows<'c>(&'c ClientWrapper);

impl Rows<'_> {
    pub(crate) async fn execute(&self, text: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<u64, StorageError> {
        let statement = self.0.prepare_cached(text).await.map_err(of_server)?;
        self.0.execute(&statement, parameters).await.map_err(of_server)
    }

    pub(crate) async fn query(&self, text: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, StorageError> {
        let statement = self.0.prepare_cached(text).await.map_err(of_server)?;
        self.0.query(&statement, parameters).await.map_err(of_server)
    }

    async fn change_user(&self, id: &str, change: &UserChange) -> Result<UserChanged, StorageError> {
        // Whoever begins a login, or adds a code, waits for this row.
        let select = format!("SELECT {USER_COLUMNS} FROM tollgate.users WHERE id = $1 FOR UPDATE");
        let found = self.query(&select, &[&id]).await?;
        let before = found.first().map(user).ok_or(Refusal::NotFound { what: "user" })?;
        let mut ended: Vec<String> = Vec::new();
        if *change != UserChange::Enable {
            // As where one session ends.
            self.query("SELECT FROM tollgate.login_sessions WHERE user_id = $1 FOR UPDATE", &[&id]).await?;
            self.execute(&format!("{ADD_NOTICES} WHERE s.user_id = $1 ON CONFLICT DO NOTHING"), &[&id]).await?;
            let sessions = "DELETE FROM tollgate.login_sessions WHERE user_id = $1 RETURNING id";
            ended = self.query(sessions, &[&id]).await?.iter().map(|row| row.get(0)).collect();
            let codes = "DELETE FROM tollgate.authorization_codes WHERE user_id = $1 AND used_at IS NULL";
            self.execute(codes, &[&id]).await?;
            // Of sessions that have expired too: their access tokens are to be revoked.
            ended.extend(self.remove_families_of(id).await?);
            ended.sort_unstable();
            ended.dedup();
            self.execute("UPDATE tollgate.users SET epoch = epoch + 1 WHERE id = $1", &[&id]).await?;
        }
        match change {
            UserChange::Disable { at } => {
                let update = "UPDATE tollgate.users SET disabled_at = coalesce(disabled_at, $2) WHERE id = $1";
                self.execute(update, &[&id, at]).await?
            }
            UserChange::Enable => {
                self.execute("UPDATE tollgate.users SET disabled_at = NULL WHERE id = $1", &[&id]).await?
            }
            UserChange::Password { hash } => {
                self.execute("UPDATE tollgate.users SET password_hash = $2 WHERE id = $1", &[&id, hash]).await?
            }
            UserChange::EndLogins => 1,
            UserChange::Remove => self.execute("DELETE FROM tollgate.users WHERE id = $1", &[&id]).await?,
            change => return Err(StorageError::failed(format!("not known here: {change:?}"))),
        };
        let found = self.query(&select, &[&id]).await?;
        Ok(UserChanged { user: found.first().map_or(before, user), ended })
    }

    async fn add_login_session(&self, session: &LoginSession, epoch: i64, max: u32) -> Result<(), StorageError> {
        let LoginSession { id, user_id, digest, key_id, agent, address, created_at, authenticated_at, expires_at } =
            session;
        // Two logins of one user take turns, so that both count what the other added, and neither passes by a change of the user.
        let select = "SELECT id FROM tollgate.users WHERE id = $1 AND disabled_at IS NULL AND epoch = $2 FOR UPDATE";
        if self.query(select, &[user_id, &epoch]).await?.is_empty() {
            return Err(Refusal::Changed { what: "user" }.into());
        }
        self.execute("DELETE FROM tollgate.login_sessions WHERE expires_at <= $1", &[created_at]).await?;
        let count = "SELECT count(*) FROM tollgate.login_sessions WHERE user_id = $1";
        let count: i64 = self.query(count, &[user_id]).await?.first().map_or(0, |row| row.get(0));
        if count >= i64::from(max) {
            return Err(Refusal::TooMany { max }.into());
        }
        let insert =
            "INSERT INTO tollgate.login_sessions (id, user_id, digest, key_id, agent, address, created_at, expires_at, authenticated_at)
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
        let digest = digest.as_ref().map(|digest| &digest[..]);
        let values: [&(dyn ToSql + Sync); 9] =
            [id, user_id, &digest, key_id, agent, address, created_at, expires_at, authenticated_at];
        if self.execute(insert, &values).await? == 0 {
            return Err(Refusal::AlreadyExists { what: "session" }.into());
        }
        Ok(())
    }

    async fn renew_login_session(&self, session: &LoginSession, epoch: i64) -> Result<bool, StorageError> {
        // Not while the user is changed.
        let select = "SELECT FROM tollgate.users WHERE id = $1 AND disabled_at IS NULL AND epoch = $2 FOR UPDATE";
        if self.query(select, &[&session.user_id, &epoch]).await?.is_empty() {
            return Ok(false);
        }
        let update = "UPDATE tollgate.login_sessions
                      SET digest = $3, agent = $4, address = $5, authenticated_at = $6, expires_at = $7
                      WHERE id = $1 AND user_id = $2";
        let digest = session.digest.as_ref().map(|digest| &digest[..]);
        let values: [&(dyn ToSql + Sync); 7] = [
            &session.id,
            &session.user_id,
            &digest,
            &session.agent,
            &session.address,
            &session.authenticated_at,
            &session.expires_at,
        ];
        Ok(self.execute(update, &values).await? > 0)
    }

    async fn claim_logout_notices(
        &self,
        now: i64,
        retry_after: i64,
        max_attempts: u32,
        max: u32,
    ) -> Result<Vec<LogoutNotice>, StorageError> {
        let delete = "DELETE FROM tollgate.logout_notices WHERE next_attempt_at <= $1 AND attempts >= $2";
        self.execute(delete, &[&now, &i64::from(max_attempts)]).await?;
        // What another process is about to claim is left to it.
        let update = "UPDATE tollgate.logout_notices
                      SET attempts = attempts + 1, next_attempt_at = $1 + $2 * (attempts + 1)
                      WHERE (session_id, client_id) IN
                          (SELECT session_id, client_id FROM tollgate.logout_notices WHERE next_attempt_at <= $1
                           ORDER BY next_attempt_at, session_id, client_id LIMIT $3 FOR UPDATE SKIP LOCKED)
                      RETURNING session_id, user_id, client_id, attempts";
        let rows = self.query(update, &[&now, &retry_after, &i64::from(max)]).await?;
        let notice = |row: &Row| LogoutNotice {
            session_id: row.get(0),
            user_id: row.get(1),
            client_id: row.get(2),
            attempt: row.get::<_, i64>(3).try_into().unwrap_or(u32::MAX),
        };
        Ok(rows.iter().map(notice).collect())
    }

    pub(crate) async fn add_consent(&self, given: &Consent) -> Result<(), StorageError> {
        // Two consents of one user take turns, so that the later one has what the earlier one had.
        self.hold_user(&given.user_id).await?;
        let select = format!("SELECT {CONSENT_COLUMNS} FROM tollgate.consents WHERE user_id = $1 AND client_id = $2");
        let earlier = self.query(&select, &[&given.user_id, &given.client_id]).await?;
        let Consent { user_id, client_id, scopes, granted_at } = match earlier.first().map(consent) {
            Some(earlier) => given.clone().and_earlier(&earlier),
            None => given.clone(),
        };
        let insert = "INSERT INTO tollgate.consents (user_id, client_id, scopes, granted_at) VALUES ($1, $2, $3, $4)
                      ON CONFLICT (user_id, client_id) DO UPDATE SET scopes = $3, granted_at = $4";
        self.execute(insert, &[&user_id, &client_id, &scopes, &granted_at]).await.map(drop)
    }

    async fn add_site(&self, site: &Site, max: u32) -> Result<(), StorageError> {
        let Site { id, user_id, name, url, created_at } = site;
        // Who adds another one waits, and counts this one.
        self.hold_user(user_id).await?;
        let count = self.query("SELECT count(*) FROM tollgate.sites WHERE user_id = $1", &[user_id]).await?;
        if count.first().is_some_and(|row| row.get::<_, i64>(0) >= i64::from(max)) {
            return Err(Refusal::TooMany { max }.into());
        }
        let insert = "INSERT INTO tollgate.sites (id, user_id, name, url, created_at)
                      VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
        let added = self.execute(insert, &[id, user_id, name, url, created_at]).await?;
        if added == 0 { Err(Refusal::AlreadyExists { what: "site" }.into()) } else { Ok(()) }
    }

    /// Returns whether the device is new.
    async fn add_known_device(&self, device: &KnownDevice, max: u32) -> Result<bool, StorageError> {
        let KnownDevice { digest, user_id, last_login_at, expires_at } = device;
        self.hold_user(user_id).await?;
        let select = "SELECT FROM tollgate.known_devices WHERE user_id = $1 AND digest = $2";
        let is_new = self.query(select, &[user_id, &&digest[..]]).await?.is_empty();
        let insert =
            "INSERT INTO tollgate.known_devices (user_id, digest, last_login_at, expires_at) VALUES ($1, $2, $3, $4)
                      ON CONFLICT (user_id, digest) DO UPDATE SET last_login_at = $3, expires_at = $4";
        self.execute(insert, &[user_id, &&digest[..], last_login_at, expires_at]).await?;
        let delete = "DELETE FROM tollgate.known_devices WHERE user_id = $1 AND (expires_at <= $2 OR digest NOT IN
                          (SELECT digest FROM tollgate.known_devices WHERE user_id = $1
                           ORDER BY last_login_at DESC, digest LIMIT $3))";
        self.execute(delete, &[user_id, last_login_at, &i64::from(max)]).await?;
        Ok(is_new)
    }

    /// Of two at once the later one waits for the insertion of the earlier one, and adds nothing.
    async fn spend_jti(&self, jti: &SpentJti, now: i64, max: u32) -> Result<bool, StorageError> {
        let SpentJti { owner, digest, expires_at } = jti;
        // Those that another transaction is clearing away need no second one.
        let delete = "DELETE FROM tollgate.spent_jtis WHERE (owner, digest) IN
                          (SELECT owner, digest FROM tollgate.spent_jtis WHERE expires_at <= $1
                           FOR UPDATE SKIP LOCKED)";
        self.execute(delete, &[&now]).await?;
        let insert = "INSERT INTO tollgate.spent_jtis (owner, digest, expires_at) VALUES ($1, $2, $3)
                      ON CONFLICT DO NOTHING";
        let added = self.execute(insert, &[owner, &&digest[..], expires_at]).await?;
        let count = "SELECT count(*) FROM tollgate.spent_jtis WHERE owner = $1";
        let count: i64 = self.query(count, &[owner]).await?.first().map_or(0, |row| row.get(0));
        if added > 0 && count > i64::from(max) { Err(Refusal::TooMany { max }.into()) } else { Ok(added > 0) }
    }

    /// Has whoever else changes something of the user wait.
    async fn hold_user(&self, user_id: &str) -> Result<(), StorageError> {
        let held = self.query("SELECT FROM tollgate.users WHERE id = $1 FOR UPDATE", &[&user_id]).await?;
        if held.is_empty() { Err(Refusal::Changed { what: "user" }.into()) } else { Ok(()) }
    }

    async fn redeem(&self, presented: &PresentedCode, now: i64) -> Result<Redemption, StorageError> {
        // The session first, as where it ends: whoever ends it waits until its client is noted.
        let hold = "SELECT FROM tollgate.login_sessions s JOIN tollgate.authorization_codes c ON c.session_id = s.id
                    WHERE c.digest = $1 FOR SHARE OF s";
        self.query(hold, &[&&presented.digest[..]]).await?;
        // Of two at once the later one waits here, and finds the code used.
        let select =
            "SELECT client_id, user_id, redirect_uri, code_challenge, scope, created_at, expires_at, token_id, session_id, used_at, nonce,
                             dpop_jkt
                      FROM tollgate.authorization_codes WHERE digest = $1 FOR UPDATE";
        let statement = self.0.prepare_cached(select).await.map_err(of_server)?;
        let digest = &presented.digest[..];
        let Some(row) = self.0.query_opt(&statement, &[&digest]).await.map_err(of_server)? else {
            return Ok(Redemption::Unknown);
        };
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
            let insert = "INSERT INTO tollgate.session_clients (session_id, client_id)
                          SELECT s.id, $2 FROM tollgate.login_sessions s WHERE s.id = $1 ON CONFLICT DO NOTHING";
            self.execute(insert, &[&code.session_id, &code.client_id]).await?;
            self.execute("UPDATE tollgate.authorization_codes SET used_at = $2 WHERE digest = $1", &[&digest, &now])
                .await?;
        }
        Ok(redemption)
    }
}

/// What [`user`] expects, in this order.
const USER_COLUMNS: &str = "id, email, scopes, created_at, disabled_at, epoch";

fn user(row: &Row) -> User {
    let (id, email, scopes, created_at) = (row.get(0), row.get(1), row.get(2), row.get(3));
    User { id, email, scopes, created_at, disabled_at: row.get(4), epoch: row.get(5) }
}

/// What [`session`] expects, in this order.
const SESSION_COLUMNS: &str = "id, user_id, digest, key_id, agent, address, created_at, expires_at, authenticated_at";

fn session(row: &Row) -> LoginSession {
    let digest: Option<&[u8]> = row.get(2);
    LoginSession {
        id: row.get(0),
        user_id: row.get(1),
        digest: digest.and_then(|digest| digest.try_into().ok()),
        key_id: row.get(3),
        agent: row.get(4),
        address: row.get(5),
        created_at: row.get(6),
        expires_at: row.get(7),
        authenticated_at: row.get(8),
    }
}

/// Has the clients of sessions `s` told of their end.
const ADD_NOTICES: &str = "INSERT INTO tollgate.logout_notices (session_id, client_id, user_id)
                           SELECT s.id, c.client_id, s.user_id
                           FROM tollgate.login_sessions s JOIN tollgate.session_clients c ON c.session_id = s.id";

/// What [`consent`] expects, in this order.
const CONSENT_COLUMNS: &str = "user_id, client_id, scopes, granted_at";

fn consent(row: &Row) -> Consent {
    Consent { user_id: row.get(0), client_id: row.get(1), scopes: row.get(2), granted_at: row.get(3) }
}
