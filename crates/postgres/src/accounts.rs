//! What the service keeps of its users: each kind of record has a file of its own.

use async_trait::async_trait;
use tollgate_storage::accounts::{
    AuthorizationCode, Consent, DeviceAuthorization, DeviceDecision, DevicePoll, GrantedToken, KnownDevice,
    LoginSession, LogoutNotice, PresentedCode, PresentedRefreshToken, PushedRequest, Redemption, Refresh,
    RefreshFamily, Site, SpentJti, StoredSigningKeys, User, UserChange, UserChanged,
};
use tollgate_storage::{AccountStore, AuditRecord, StorageError};

use crate::store::PostgresStore;
use crate::{
    codes, consents, devices, issuers, known_devices, login_sessions, logout_notices, pushed, refresh, signing_keys,
    sites, spent_jtis, users,
};

#[async_trait]
impl AccountStore for PostgresStore {
    async fn add_user(&self, user: &User, password_hash: &str, audit: &AuditRecord) -> Result<(), StorageError> {
        self.write(|rows| Box::pin(users::add(rows, user, password_hash, audit))).await
    }

    async fn user_by_id(&self, id: &str) -> Result<Option<User>, StorageError> {
        users::by_id(self, id).await
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<(User, String)>, StorageError> {
        users::by_email(self, email).await
    }

    async fn users(&self, after: Option<&str>, max: usize) -> Result<Vec<User>, StorageError> {
        users::page(self, after.unwrap_or_default(), max).await
    }

    async fn change_user(
        &self,
        id: &str,
        change: &UserChange,
        audit: &AuditRecord,
    ) -> Result<UserChanged, StorageError> {
        self.write(|rows| Box::pin(users::change(rows, id, change, audit))).await
    }

    async fn add_site(&self, site: &Site, max: u32, audit: &AuditRecord) -> Result<(), StorageError> {
        self.write(|rows| Box::pin(sites::add(rows, site, max, audit))).await
    }

    async fn rename_site(
        &self,
        user_id: &str,
        id: &str,
        name: &str,
        audit: &AuditRecord,
    ) -> Result<bool, StorageError> {
        self.write(|rows| Box::pin(sites::rename(rows, user_id, id, name, audit))).await
    }

    async fn remove_site(&self, user_id: &str, id: &str, audit: &AuditRecord) -> Result<bool, StorageError> {
        self.write(|rows| Box::pin(sites::remove(rows, user_id, id, audit))).await
    }

    async fn sites_of(&self, user_id: &str, limit: u32) -> Result<Vec<Site>, StorageError> {
        sites::of_user(self, user_id, limit).await
    }

    async fn add_login_session(
        &self,
        session: &LoginSession,
        epoch: i64,
        max: u32,
        audit: &AuditRecord,
    ) -> Result<(), StorageError> {
        self.write(|rows| Box::pin(login_sessions::add(rows, session, epoch, max, audit))).await
    }

    async fn login_session(&self, digest: &[u8; 32], now: i64) -> Result<Option<LoginSession>, StorageError> {
        login_sessions::by_digest(self, digest, now).await
    }

    async fn login_sessions_of(&self, user_id: &str, now: i64) -> Result<Vec<LoginSession>, StorageError> {
        login_sessions::of_user(self, user_id, now).await
    }

    async fn renew_login_session(
        &self,
        session: &LoginSession,
        epoch: i64,
        audit: &AuditRecord,
    ) -> Result<bool, StorageError> {
        self.write(|rows| Box::pin(login_sessions::renew(rows, session, epoch, audit))).await
    }

    async fn end_login_session(&self, user_id: &str, id: &str, audit: &AuditRecord) -> Result<bool, StorageError> {
        self.write(|rows| Box::pin(login_sessions::end(rows, user_id, id, audit))).await
    }

    async fn add_code(&self, code: &AuthorizationCode, keep_for: i64) -> Result<(), StorageError> {
        self.write(|rows| Box::pin(codes::add(rows, code, keep_for))).await
    }

    async fn redeem_code(&self, presented: &PresentedCode, now: i64) -> Result<Redemption, StorageError> {
        self.write(|rows| Box::pin(codes::redeem(rows, presented, now))).await
    }

    async fn add_device_authorization(
        &self,
        authorization: &DeviceAuthorization,
        max_of_client: u32,
        max: u32,
        keep_for: i64,
    ) -> Result<(), StorageError> {
        self.write(|rows| Box::pin(devices::add(rows, authorization, max_of_client, max, keep_for))).await
    }

    async fn device_authorization(
        &self,
        user_digest: &[u8; 32],
        now: i64,
    ) -> Result<Option<DeviceAuthorization>, StorageError> {
        devices::undecided(self, user_digest, now).await
    }

    async fn decide_device_authorization(
        &self,
        user_digest: &[u8; 32],
        decision: &DeviceDecision,
        scope: &str,
        now: i64,
        audit: &[AuditRecord],
    ) -> Result<bool, StorageError> {
        self.write(|rows| Box::pin(devices::decide(rows, user_digest, decision, scope, now, audit))).await
    }

    async fn poll_device_authorization(
        &self,
        device_digest: &[u8; 32],
        client_id: &str,
        now: i64,
    ) -> Result<DevicePoll, StorageError> {
        self.write(|rows| Box::pin(devices::poll(rows, device_digest, client_id, now))).await
    }

    async fn claim_logout_notices(
        &self,
        now: i64,
        retry_after: i64,
        max_attempts: u32,
        max: u32,
    ) -> Result<Vec<LogoutNotice>, StorageError> {
        if !logout_notices::is_any_due(self, now).await? {
            return Ok(Vec::new());
        }
        self.write(|rows| Box::pin(logout_notices::claim(rows, now, retry_after, max_attempts, max))).await
    }

    async fn forget_logout_notice(&self, notice: &LogoutNotice) -> Result<(), StorageError> {
        self.write(|rows| Box::pin(logout_notices::forget(rows, notice))).await
    }

    async fn add_refresh_family(
        &self,
        family: &RefreshFamily,
        digest: &[u8; 32],
        token: &GrantedToken,
        max: u32,
    ) -> Result<(), StorageError> {
        self.write(|rows| Box::pin(refresh::add(rows, family, digest, token, max))).await
    }

    async fn refresh_family(&self, digest: &[u8; 32]) -> Result<Option<(RefreshFamily, i64)>, StorageError> {
        refresh::family(self, digest).await
    }

    async fn refresh(
        &self,
        presented: &PresentedRefreshToken,
        reused: &AuditRecord,
        now: i64,
    ) -> Result<Refresh, StorageError> {
        self.write(|rows| Box::pin(refresh::refresh(rows, presented, reused, now))).await
    }

    async fn end_refresh_family(&self, id: &str, audit: &AuditRecord) -> Result<bool, StorageError> {
        self.write(|rows| Box::pin(refresh::end(rows, id, audit))).await
    }

    async fn tokens_of_family(&self, id: &str) -> Result<Vec<String>, StorageError> {
        refresh::tokens_of_family(self, id).await
    }

    async fn forget_refresh_families(&self, now: i64) -> Result<(), StorageError> {
        self.write(|rows| Box::pin(refresh::forget(rows, now))).await
    }

    async fn tokens_granted(&self, user_id: &str, client_id: &str) -> Result<Vec<String>, StorageError> {
        refresh::tokens_granted(self, user_id, client_id).await
    }

    async fn add_consent(&self, consent: &Consent, audit: &AuditRecord) -> Result<(), StorageError> {
        self.write(|rows| Box::pin(consents::give(rows, consent, audit))).await
    }

    async fn consent(&self, user_id: &str, client_id: &str) -> Result<Option<Consent>, StorageError> {
        consents::of_client(self, user_id, client_id).await
    }

    async fn consents_of(&self, user_id: &str) -> Result<Vec<Consent>, StorageError> {
        consents::of_user(self, user_id).await
    }

    async fn revoke_consent(&self, user_id: &str, client_id: &str, audit: &AuditRecord) -> Result<bool, StorageError> {
        self.write(|rows| Box::pin(consents::revoke(rows, user_id, client_id, audit))).await
    }

    async fn add_known_device(&self, device: &KnownDevice, max: u32, audit: &AuditRecord) -> Result<(), StorageError> {
        self.write(|rows| Box::pin(known_devices::add(rows, device, max, audit))).await.map(drop)
    }

    async fn is_known_device(&self, user_id: &str, digest: &[u8; 32], now: i64) -> Result<bool, StorageError> {
        known_devices::is_known(self, user_id, digest, now).await
    }

    async fn spend_jti(&self, jti: &SpentJti, now: i64, max: u32) -> Result<bool, StorageError> {
        self.write(|rows| Box::pin(spent_jtis::spend(rows, jti, now, max))).await
    }

    async fn add_pushed_request(&self, request: &PushedRequest, now: i64, max: u32) -> Result<(), StorageError> {
        self.write(|rows| Box::pin(pushed::add(rows, request, now, max))).await
    }

    async fn begin_pushed_request(
        &self,
        digest: &[u8; 32],
        client_id: &str,
        next: &[u8; 32],
        expires_at: i64,
        now: i64,
    ) -> Result<Option<String>, StorageError> {
        self.write(|rows| Box::pin(pushed::begin(rows, digest, client_id, (next, expires_at), now))).await
    }

    async fn begun_request(
        &self,
        digest: &[u8; 32],
        client_id: &str,
        now: i64,
    ) -> Result<Option<String>, StorageError> {
        pushed::begun(self, digest, client_id, now).await
    }

    async fn end_pushed_request(&self, digest: &[u8; 32], client_id: &str, now: i64) -> Result<bool, StorageError> {
        self.write(|rows| Box::pin(pushed::end(rows, digest, client_id, now))).await
    }

    async fn add_issuer(&self, issuer: &str) -> Result<(), StorageError> {
        self.write(|rows| Box::pin(issuers::add(rows, issuer))).await
    }

    async fn issuers(&self) -> Result<Vec<String>, StorageError> {
        issuers::all(self).await
    }

    async fn signing_keys(&self) -> Result<Option<StoredSigningKeys>, StorageError> {
        signing_keys::find(self).await
    }

    async fn replace_signing_keys(
        &self,
        version: i64,
        private_jwks: &str,
        audit: &AuditRecord,
    ) -> Result<bool, StorageError> {
        self.write(|rows| Box::pin(signing_keys::replace(rows, version, private_jwks, audit))).await
    }
}
