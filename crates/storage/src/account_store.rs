use crate::accounts::{
    AuthorizationCode, Consent, KnownDevice, LoginSession, LogoutNotice, PresentedCode, PushedRequest, Redemption,
    Site, SpentAssertion, StoredSigningKeys, User, UserChange, UserChanged,
};
use crate::audit::{AuditLog, AuditRecord};
use crate::error::StorageError;
use async_trait::async_trait;

/// What a service alone keeps: users and their passwords, sites, login sessions, authorization codes, signing keys.
///
/// No engine follows it. What was acknowledged is durable, as in a [`KeyStore`](crate::KeyStore). It has to pass the tests of the
/// feature `conformance`. All times are seconds since the Unix epoch. `audit` is who asked for a change, and is written in its
/// transaction; of a change that is refused nothing is written. Every change passes the caller's [`WriteGate`](crate::WriteGate) right before its
/// commit.
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

    /// Changes a user, and ends the user's login sessions and unused codes along with that ([`UserChange`]).
    ///
    /// # Errors
    /// [`Refusal::NotFound`](crate::Refusal::NotFound) when there is no such user.
    async fn change_user(
        &self,
        id: &str,
        change: &UserChange,
        audit: &AuditRecord,
    ) -> Result<UserChanged, StorageError>;

    /// Adds a site to those of a user, who has fewer than `max`.
    ///
    /// # Errors
    /// [`Refusal::AlreadyExists`](crate::Refusal::AlreadyExists) when the id is taken; [`Refusal::Changed`](crate::Refusal::Changed) when
    /// there is no such user; [`Refusal::TooMany`](crate::Refusal::TooMany) when the user has `max` sites.
    async fn add_site(&self, site: &Site, max: u32, audit: &AuditRecord) -> Result<(), StorageError>;

    /// Gives a site of that user another name; returns whether there was one.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn rename_site(&self, user_id: &str, id: &str, name: &str, audit: &AuditRecord)
    -> Result<bool, StorageError>;

    /// Removes a site of that user; returns whether there was one.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn remove_site(&self, user_id: &str, id: &str, audit: &AuditRecord) -> Result<bool, StorageError>;

    /// The user's sites, oldest first, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn sites_of(&self, user_id: &str, limit: u32) -> Result<Vec<Site>, StorageError>;

    /// Adds a login session of a user who is active and whose [`epoch`](User::epoch) is that one, and forgets all sessions that have
    /// expired when it is made.
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

    /// The login sessions of a user that have not expired by `now`: the newest first, of equal age the one with the greatest id.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn login_sessions_of(&self, user_id: &str, now: i64) -> Result<Vec<LoginSession>, StorageError>;

    /// The user has authenticated again in a browser's login session: writes its new `digest`, `authenticated_at` and `expires_at`, and what
    /// agent and address it has now. Returns whether there is such a session of a user who is active and whose [`epoch`](User::epoch) is
    /// that one.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn renew_login_session(
        &self,
        session: &LoginSession,
        epoch: i64,
        audit: &AuditRecord,
    ) -> Result<bool, StorageError>;

    /// Ends a login session of that user, and its unused codes with it; returns whether there was one.
    ///
    /// Each client that has [redeemed](Self::redeem_code) a code of the session gets a [`LogoutNotice`] in the same transaction, here and in
    /// [`change_user`](Self::change_user). A session that expires has none.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn end_login_session(&self, user_id: &str, id: &str, audit: &AuditRecord) -> Result<bool, StorageError>;

    /// Adds a code, and forgets those that expired more than `keep_for` seconds before it is made.
    ///
    /// `keep_for` must be at least the lifetime of an access token: as long as a used code is known
    /// here, its second use can revoke the token.
    ///
    /// # Errors
    /// [`Refusal::Changed`](crate::Refusal::Changed) when its login session has ended.
    async fn add_code(&self, code: &AuthorizationCode, keep_for: i64) -> Result<(), StorageError>;

    /// Uses up the code, if everything presented with it is right ([`AuthorizationCode::redeem`]). Of two calls at once exactly one
    /// gets [`Redemption::First`], also from two processes.
    ///
    /// # Errors
    /// When the store cannot be written; the code may be used up by then.
    async fn redeem_code(&self, presented: &PresentedCode, now: i64) -> Result<Redemption, StorageError>;

    /// The logout notices that are due at `now`, at most `max`, for the caller to send. Until its next attempt is due no other call returns a
    /// notice: `retry_after` seconds after the first attempt, twice as many after the second, and so on. Notices of which `max_attempts`
    /// have passed are forgotten.
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

    /// Forgets a notice that was delivered, or cannot be.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn forget_logout_notice(&self, notice: &LogoutNotice) -> Result<(), StorageError>;

    /// The ids of the tokens that were made, or are about to be made, from codes of that user for that client; of codes that
    /// [`add_code`](Self::add_code) has not forgotten.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn tokens_from_codes(&self, user_id: &str, client_id: &str) -> Result<Vec<String>, StorageError>;

    /// Adds what the user lets the client have to what the user let it have before.
    ///
    /// # Errors
    /// [`Refusal::Changed`](crate::Refusal::Changed) when there is no such user.
    async fn add_consent(&self, consent: &Consent, audit: &AuditRecord) -> Result<(), StorageError>;

    /// What the user has let the client have.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn consent(&self, user_id: &str, client_id: &str) -> Result<Option<Consent>, StorageError>;

    /// What the user has let clients have, in the order of their ids (as bytes).
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn consents_of(&self, user_id: &str) -> Result<Vec<Consent>, StorageError>;

    /// Forgets what the user has let the client have, and ends the unused codes of that user for that client; returns whether there was
    /// such a consent.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn revoke_consent(&self, user_id: &str, client_id: &str, audit: &AuditRecord) -> Result<bool, StorageError>;

    /// Remembers a device of a user. Of more than `max` devices of the user, and of those that have expired when the user logged in there,
    /// none is kept: the one whose last login is the longest ago is forgotten first. `audit` is written where the device is new: a later
    /// login there is what the record of the login says.
    ///
    /// # Errors
    /// [`Refusal::Changed`](crate::Refusal::Changed) when there is no such user.
    async fn add_known_device(&self, device: &KnownDevice, max: u32, audit: &AuditRecord) -> Result<(), StorageError>;

    /// Whether the user has logged in from the device whose cookie has that digest, unless that expired by `now`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn is_known_device(&self, user_id: &str, digest: &[u8; 32], now: i64) -> Result<bool, StorageError>;

    /// Remembers an assertion until it expires, and returns whether it was not remembered yet. Of two calls at once exactly one gets `true`,
    /// also from two processes. Forgets those that have expired by `now`.
    ///
    /// # Errors
    /// [`Refusal::TooMany`](crate::Refusal::TooMany) when `max` of the client's are remembered.
    async fn spend_assertion(&self, assertion: &SpentAssertion, now: i64, max: u32) -> Result<bool, StorageError>;

    /// Adds an authorization request that a client has pushed, and forgets those that have expired by `now`.
    ///
    /// # Errors
    /// [`Refusal::TooMany`](crate::Refusal::TooMany) when `max` of the client's are kept.
    async fn add_pushed_request(&self, request: &PushedRequest, now: i64, max: u32) -> Result<(), StorageError>;

    /// Gives a pushed request of that client, which is good at `now` and was not begun before, the digest `next` and another end; returns its
    /// parameters. Of two calls at once exactly one gets them, also from two processes.
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

    /// The parameters of a pushed request of that client that was [begun](Self::begin_pushed_request) and is good at `now`. `digest` is the one
    /// that it got then.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn begun_request(&self, digest: &[u8; 32], client_id: &str, now: i64)
    -> Result<Option<String>, StorageError>;

    /// Forgets a pushed request that was begun; returns whether it was there, and good at `now`.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn end_pushed_request(&self, digest: &[u8; 32], client_id: &str, now: i64) -> Result<bool, StorageError>;

    /// Notes under which `iss` a service issues tokens to the users of this store.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn add_issuer(&self, issuer: &str) -> Result<(), StorageError>;

    /// Every `iss` that was [noted](Self::add_issuer), as bytes sort: whose tokens have to be revoked when a user's logins end.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn issuers(&self) -> Result<Vec<String>, StorageError>;

    /// The signing keys, unless none were written yet.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn signing_keys(&self) -> Result<Option<StoredSigningKeys>, StorageError>;

    /// Writes the signing keys, when those in the store still have `version` (0: there are none), and returns whether it
    /// did. So two processes that start on one empty store end up with one key, and no rotation undoes another.
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
