use crate::accounts::{
    AuthorizationCode, Consent, DeviceAuthorization, DeviceDecision, DevicePoll, GrantedToken, KnownDevice,
    LoginSession, LogoutNotice, PresentedCode, PresentedRefreshToken, PushedRequest, Redemption, Refresh,
    RefreshFamily, Site, SpentJti, StoredSigningKeys, User, UserChange, UserChanged,
};
use crate::audit::{AuditLog, AuditRecord};
use crate::error::StorageError;
use async_trait::async_trait;

/// The records of a service: users and their passwords, sites, login sessions, authorization codes, signing keys.
///
/// No engine follows them. An acknowledged change is durable, as in a [`KeyStore`](crate::KeyStore). An implementation must
/// pass the tests of the feature `conformance`. All times are seconds since the Unix epoch. `audit` names the actor of a
/// change and is written in its transaction; a refused change writes nothing. Every change passes the caller's
/// [`WriteGate`](crate::WriteGate) right before its commit.
#[async_trait]
pub trait AccountStore: AuditLog {
    /// Adds a user with the PHC string of the password's hash.
    ///
    /// # Errors
    /// [`Refusal::AlreadyExists`](crate::Refusal::AlreadyExists) when the id or the address is taken.
    async fn add_user(&self, user: &User, password_hash: &str, audit: &AuditRecord) -> Result<(), StorageError>;

    /// The user with that id.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn user_by_id(&self, id: &str) -> Result<Option<User>, StorageError>;

    /// The user with that address (in its [normal spelling](User::normal_email)), and the PHC string of the password.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn user_by_email(&self, email: &str) -> Result<Option<(User, String)>, StorageError>;

    /// The users after `after` in the order of their ids (as bytes), at most `max`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn users(&self, after: Option<&str>, max: usize) -> Result<Vec<User>, StorageError>;

    /// Changes a user, and ends the user's login sessions, unused codes and refresh tokens as [`UserChange`] says.
    ///
    /// # Errors
    /// [`Refusal::NotFound`](crate::Refusal::NotFound) when there is no such user.
    async fn change_user(
        &self,
        id: &str,
        change: &UserChange,
        audit: &AuditRecord,
    ) -> Result<UserChanged, StorageError>;

    /// Adds a site of a user who has fewer than `max`.
    ///
    /// # Errors
    /// [`Refusal::AlreadyExists`](crate::Refusal::AlreadyExists) when the id is taken; [`Refusal::Changed`](crate::Refusal::Changed) when
    /// there is no such user; [`Refusal::TooMany`](crate::Refusal::TooMany) when the user has `max` sites.
    async fn add_site(&self, site: &Site, max: u32, audit: &AuditRecord) -> Result<(), StorageError>;

    /// Renames a site of that user. Returns whether it exists.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn rename_site(&self, user_id: &str, id: &str, name: &str, audit: &AuditRecord)
    -> Result<bool, StorageError>;

    /// Removes a site of that user. Returns whether it existed.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn remove_site(&self, user_id: &str, id: &str, audit: &AuditRecord) -> Result<bool, StorageError>;

    /// The user's sites, oldest first, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn sites_of(&self, user_id: &str, limit: u32) -> Result<Vec<Site>, StorageError>;

    /// Adds a login session of an active user whose [`epoch`](User::epoch) is `epoch`, and removes all sessions that had
    /// expired when the new one was made.
    ///
    /// # Errors
    /// [`Refusal::Changed`](crate::Refusal::Changed) when the user is gone, is disabled, or has another epoch;
    /// [`Refusal::TooMany`](crate::Refusal::TooMany) when the user has `max` sessions.
    async fn add_login_session(
        &self,
        session: &LoginSession,
        epoch: i64,
        max: u32,
        audit: &AuditRecord,
    ) -> Result<(), StorageError>;

    /// The login session whose cookie has that digest, unless it expired by `now`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn login_session(&self, digest: &[u8; 32], now: i64) -> Result<Option<LoginSession>, StorageError>;

    /// The login sessions of a user that have not expired by `now`: the newest first, of equal age the greatest id first.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn login_sessions_of(&self, user_id: &str, now: i64) -> Result<Vec<LoginSession>, StorageError>;

    /// Records a new authentication in a browser's login session: its new `digest`, `authenticated_at` and `expires_at`,
    /// and its present agent and address. Returns whether the session exists and belongs to an active user whose
    /// [`epoch`](User::epoch) is `epoch`.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn renew_login_session(
        &self,
        session: &LoginSession,
        epoch: i64,
        audit: &AuditRecord,
    ) -> Result<bool, StorageError>;

    /// Ends a login session of that user, its unused codes and its refresh tokens. Returns whether it existed.
    ///
    /// Each client that has [redeemed](Self::redeem_code) a code of the session gets a [`LogoutNotice`] in the same
    /// transaction, as in [`change_user`](Self::change_user). An expiring session causes no notice.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn end_login_session(&self, user_id: &str, id: &str, audit: &AuditRecord) -> Result<bool, StorageError>;

    /// Adds a code, and removes those that expired more than `keep_for` seconds before it was made.
    ///
    /// `keep_for` must be at least the lifetime of an access token: while a used code is stored, its second use can
    /// revoke the token.
    ///
    /// # Errors
    /// [`Refusal::Changed`](crate::Refusal::Changed) when its login session has ended.
    async fn add_code(&self, code: &AuthorizationCode, keep_for: i64) -> Result<(), StorageError>;

    /// Redeems the code if everything presented with it is correct ([`AuthorizationCode::redeem`]). Of concurrent calls,
    /// also from several processes, exactly one gets [`Redemption::First`].
    ///
    /// # Errors
    /// When the store cannot be written. The code may have been redeemed.
    async fn redeem_code(&self, presented: &PresentedCode, now: i64) -> Result<Redemption, StorageError>;

    /// Adds a device authorization without a decision. Removes expired ones: unused ones once they have been expired for as
    /// long as their lifetime, used ones `keep_for` seconds after their expiry.
    ///
    /// `keep_for` must be at least the lifetime of an access token: while a used one is stored,
    /// [`tokens_granted`](Self::tokens_granted) lists its token.
    ///
    /// # Errors
    /// [`Refusal::TooMany`](crate::Refusal::TooMany) when `max_of_client` of the client's, or `max` of all, have not expired, also where
    /// several are added at once; [`Refusal::AlreadyExists`](crate::Refusal::AlreadyExists) when there is one with either code.
    async fn add_device_authorization(
        &self,
        authorization: &DeviceAuthorization,
        max_of_client: u32,
        max: u32,
        keep_for: i64,
    ) -> Result<(), StorageError>;

    /// The device authorization whose user code has that digest, if it is neither decided nor expired by `now`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn device_authorization(
        &self,
        user_digest: &[u8; 32],
        now: i64,
    ) -> Result<Option<DeviceAuthorization>, StorageError>;

    /// Writes down what the user decides about the device authorization whose user code has that digest, and on an approval the `scope`
    /// granted, which is added to the user's consent for the client. Returns whether there was one that was neither decided nor expired by
    /// `now`, and the login session of an approval has not ended; otherwise nothing is written. Of two calls at once at most one returns true.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn decide_device_authorization(
        &self,
        user_digest: &[u8; 32],
        decision: &DeviceDecision,
        scope: &str,
        now: i64,
        audit: &[AuditRecord],
    ) -> Result<bool, StorageError>;

    /// What the device gets ([`DeviceAuthorization::poll`]). Of two calls at once at most one gets [`DevicePoll::First`], also from two
    /// processes. With that its client is one of those that are told of the session's end.
    ///
    /// # Errors
    /// When the store cannot be written; the device code may be used up by then.
    async fn poll_device_authorization(
        &self,
        device_digest: &[u8; 32],
        client_id: &str,
        now: i64,
    ) -> Result<DevicePoll, StorageError>;

    /// The logout notices that are due at `now`, at most `max`, for the caller to send. No other call returns a notice
    /// until its next attempt is due: `retry_after` seconds after the first attempt, twice as many after the second, and
    /// so on. Notices with `max_attempts` attempts are removed.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn claim_logout_notices(
        &self,
        now: i64,
        retry_after: i64,
        max_attempts: u32,
        max: u32,
    ) -> Result<Vec<LogoutNotice>, StorageError>;

    /// Removes a notice that was delivered, or cannot be.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn forget_logout_notice(&self, notice: &LogoutNotice) -> Result<(), StorageError>;

    /// The ids of the tokens that were made, or are about to be made, from that user's codes and device codes for that
    /// client, as far as [`add_code`](Self::add_code) and
    /// [`add_device_authorization`](Self::add_device_authorization) have not removed these.
    /// Adds a family of refresh tokens with its first token, of which `digest` is the SHA-256, and the access token that was issued along
    /// with that. Of `max` families of the user and the client that have not ended, the oldest one ends.
    ///
    /// A family is removed with its login session ([`end_login_session`](Self::end_login_session)) and with every change of the user
    /// that ends logins ([`change_user`](Self::change_user)), and ends with the consent ([`revoke_consent`](Self::revoke_consent)).
    ///
    /// # Errors
    /// [`Refusal::Changed`](crate::Refusal::Changed) when the login session has ended.
    async fn add_refresh_family(
        &self,
        family: &RefreshFamily,
        digest: &[u8; 32],
        token: &GrantedToken,
        max: u32,
    ) -> Result<(), StorageError>;

    /// The family of the refresh token that has that digest, and the token's number in it; also of a token that was used, has expired or
    /// has ended.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn refresh_family(&self, digest: &[u8; 32]) -> Result<Option<(RefreshFamily, i64)>, StorageError>;

    /// Exchanges a refresh token for its successor, if everything presented with it is right ([`RefreshFamily::refresh`]). Of several
    /// calls at once exactly one gets [`Refresh::Rotated`], also from several processes. `reused` is written when the family ends by it.
    ///
    /// # Errors
    /// When the store cannot be written; the token may be used up by then.
    async fn refresh(
        &self,
        presented: &PresentedRefreshToken,
        reused: &AuditRecord,
        now: i64,
    ) -> Result<Refresh, StorageError>;

    /// Ends a family of refresh tokens; returns whether there was one that had not ended. [`tokens_of_family`](Self::tokens_of_family)
    /// names its access tokens, which are to be revoked.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn end_refresh_family(&self, id: &str, audit: &AuditRecord) -> Result<bool, StorageError>;

    /// The ids of the access tokens that were issued, or are about to be, in a family of refresh tokens, as bytes sort; none that had
    /// expired at the last rotation.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn tokens_of_family(&self, id: &str) -> Result<Vec<String>, StorageError>;

    /// Forgets the families of refresh tokens that have ended or expired by `now`, once their access tokens have expired.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn forget_refresh_families(&self, now: i64) -> Result<(), StorageError>;

    /// The ids of the access tokens that the client got for that user, or is about to get, as bytes sort: from codes that
    /// [`add_code`](Self::add_code) has not forgotten, and from refresh tokens.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn tokens_granted(&self, user_id: &str, client_id: &str) -> Result<Vec<String>, StorageError>;

    /// Adds scopes to the user's consent for the client.
    ///
    /// # Errors
    /// [`Refusal::Changed`](crate::Refusal::Changed) when there is no such user.
    async fn add_consent(&self, consent: &Consent, audit: &AuditRecord) -> Result<(), StorageError>;

    /// The user's consent for the client.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn consent(&self, user_id: &str, client_id: &str) -> Result<Option<Consent>, StorageError>;

    /// The user's consents, in the order of the client ids (as bytes).
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn consents_of(&self, user_id: &str) -> Result<Vec<Consent>, StorageError>;

    /// Removes the user's consent for the client, and ends that user's unused codes and device codes for the client.
    /// Returns whether the consent existed.
    /// Forgets what the user has let the client have, and ends the unused codes and the refresh tokens of that user for that client; returns
    /// whether there was such a consent.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn revoke_consent(&self, user_id: &str, client_id: &str, audit: &AuditRecord) -> Result<bool, StorageError>;

    /// Stores a device of a user. Devices that had expired at the time of this login, and more than `max` devices of the
    /// user, are removed, the least recently used first. `audit` is written only for a new device: a later login is in
    /// the record of the login.
    ///
    /// # Errors
    /// [`Refusal::Changed`](crate::Refusal::Changed) when there is no such user.
    async fn add_known_device(&self, device: &KnownDevice, max: u32, audit: &AuditRecord) -> Result<(), StorageError>;

    /// Whether the user has logged in from the device whose cookie has that digest, unless the device expired by `now`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn is_known_device(&self, user_id: &str, digest: &[u8; 32], now: i64) -> Result<bool, StorageError>;

    /// Records the `jti` of an assertion or a proof until it expires, and returns whether it is new. Of concurrent calls, also from several
    /// processes, exactly one gets `true`. Removes those that have expired by `now`.
    ///
    /// # Errors
    /// [`Refusal::TooMany`](crate::Refusal::TooMany) when `max` of the owner's are recorded.
    async fn spend_jti(&self, jti: &SpentJti, now: i64, max: u32) -> Result<bool, StorageError>;

    /// Adds an authorization request that a client has pushed, and removes those that have expired by `now`.
    ///
    /// # Errors
    /// [`Refusal::TooMany`](crate::Refusal::TooMany) when `max` of the client's are stored.
    async fn add_pushed_request(&self, request: &PushedRequest, now: i64, max: u32) -> Result<(), StorageError>;

    /// Begins a pushed request of that client, which is valid at `now` and was not begun before: gives it the digest
    /// `next` and another end, and returns its parameters. Of concurrent calls, also from several processes, exactly one
    /// gets them.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn begin_pushed_request(
        &self,
        digest: &[u8; 32],
        client_id: &str,
        next: &[u8; 32],
        expires_at: i64,
        now: i64,
    ) -> Result<Option<String>, StorageError>;

    /// The parameters of a pushed request of that client that was [begun](Self::begin_pushed_request) and is valid at
    /// `now`. `digest` is its digest since then.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn begun_request(&self, digest: &[u8; 32], client_id: &str, now: i64)
    -> Result<Option<String>, StorageError>;

    /// Removes a pushed request that was begun. Returns whether it existed, and was valid at `now`.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn end_pushed_request(&self, digest: &[u8; 32], client_id: &str, now: i64) -> Result<bool, StorageError>;

    /// Records an `iss` under which a service issues tokens to the users of this store.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn add_issuer(&self, issuer: &str) -> Result<(), StorageError>;

    /// Every [recorded](Self::add_issuer) `iss`, in byte order: their tokens must be revoked when a user's logins end.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn issuers(&self) -> Result<Vec<String>, StorageError>;

    /// The signing keys, if any were written.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn signing_keys(&self) -> Result<Option<StoredSigningKeys>, StorageError>;

    /// Writes the signing keys if the stored ones still have `version` (0: there are none), and returns whether it did.
    /// So two processes that start on one empty store agree on one key, and no rotation undoes another.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn replace_signing_keys(
        &self,
        version: i64,
        private_jwks: &str,
        audit: &AuditRecord,
    ) -> Result<bool, StorageError>;
}
