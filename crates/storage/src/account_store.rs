use crate::accounts::{AuthorizationCode, LoginSession, PresentedCode, Redemption, Site, StoredSigningKeys, User};
use crate::error::StorageError;
use async_trait::async_trait;

/// What a service alone keeps: users and their passwords, sites, login sessions, authorization codes, signing keys.
///
/// No engine follows it. What was acknowledged is durable, as in a [`KeyStore`](crate::KeyStore). It has to pass the tests of the
/// feature `conformance`. All times are seconds since the Unix epoch.
#[async_trait]
pub trait AccountStore: Send + Sync + 'static {
    /// Adds a user with the PHC string of the password's hash.
    ///
    /// # Errors
    /// [`Refusal::AlreadyExists`](crate::Refusal::AlreadyExists) when the id or the address is taken.
    async fn add_user(&self, user: &User, password_hash: &str) -> Result<(), StorageError>;

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

    /// Adds a site.
    ///
    /// # Errors
    /// [`Refusal::AlreadyExists`](crate::Refusal::AlreadyExists) when the id is taken or the user is unknown.
    async fn add_site(&self, site: &Site) -> Result<(), StorageError>;

    /// The user's sites, oldest first, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn sites_of(&self, user_id: &str, limit: u32) -> Result<Vec<Site>, StorageError>;

    /// Adds a login session, and forgets those that have expired when it is made.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn add_login_session(&self, session: &LoginSession) -> Result<(), StorageError>;

    /// The login session with that digest, unless it expired by `now`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn login_session(&self, digest: &[u8; 32], now: i64) -> Result<Option<LoginSession>, StorageError>;

    /// Adds a code, and forgets those that expired more than `keep_for` seconds before it is made.
    ///
    /// `keep_for` must be at least the lifetime of an access token: as long as a used code is known
    /// here, its second use can revoke the token.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn add_code(&self, code: &AuthorizationCode, keep_for: i64) -> Result<(), StorageError>;

    /// Uses up the code, if everything presented with it is right ([`AuthorizationCode::redeem`]). Of two calls at once exactly one
    /// gets [`Redemption::First`], also from two processes.
    ///
    /// # Errors
    /// When the store cannot be written; the code may be used up by then.
    async fn redeem_code(&self, presented: &PresentedCode, now: i64) -> Result<Redemption, StorageError>;

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
    async fn replace_signing_keys(&self, version: i64, private_jwks: &str) -> Result<bool, StorageError>;
}
