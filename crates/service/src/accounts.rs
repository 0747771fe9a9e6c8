use crate::audit;
use crate::error::ServerError;
use crate::ids::now;
use crate::key_store::{FollowedStore, NewKey};
use crate::limits::{MAX_API_KEYS_PER_USER, MAX_NAME_BYTES};
use crate::new_user::NewUser;
use crate::password_rules::PasswordRefused;
use crate::passwords::Passwords;
use crate::scope;
use crate::users::{Ended, Users};
use std::sync::Arc;
use tollgate::{KeyKind, KeyRecord, KeyState};
use tollgate_storage::accounts::{Site, User};
use tollgate_storage::{AccountStore, Client, Command, Refusal, StorageError, StoredKey, USER_ID_PREFIX, new_key_id};

/// Users, clients and their credentials.
///
/// A change is durable when a method returns, and the engine goes by it: what was revoked is not accepted by any
/// request that begins later. Every method may wait for the disk: call it where blocking is allowed.
///
/// ```
/// use std::net::{Ipv4Addr, SocketAddr};
/// use tollgate_service::{Config, Server};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
/// let server = Server::bind(Config { store: None, listen, ..Config::default() }).await?;
/// let accounts = server.accounts().clone();
/// let key = tokio::task::spawn_blocking(move || {
///     let user = accounts.add_user("ada@example.com", "the-analytical-engine", "read:sites")?;
///     accounts.add_api_key(&user.id, "laptop", "read:sites", None)
/// })
/// .await??;
/// assert!(key.secret.as_str().starts_with("tg_live_"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Accounts {
    pub(crate) store: Arc<dyn AccountStore>,
    pub(crate) keys: Arc<FollowedStore>,
    pub(crate) passwords: Passwords,
}

/// Why an account could not be changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// Something given is out of its bounds.
    #[error("{what} is malformed, too short or too long")]
    Invalid {
        /// Which: `email`, `password`, `client_id`, ...
        what: &'static str,
    },
    /// The password is not taken.
    #[error(transparent)]
    Password(#[from] PasswordRefused),
    /// There is no such user, or no such key of that user.
    #[error("no such {what}")]
    NotFound {
        /// Which: `user`, `API key` or `client`.
        what: &'static str,
    },
    /// The store failed, or refused the change.
    #[error(transparent)]
    Store(#[from] StorageError),
    /// A secret or a password's hash could not be made, or the engine is behind the store.
    #[error(transparent)]
    Server(#[from] ServerError),
}

impl AccountError {
    /// The stable kebab-case name of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::Password(_) => "password-refused",
            Self::NotFound { .. } => "not-found",
            Self::Store(error) => error.code(),
            Self::Server(error) => error.code(),
        }
    }
}

impl Accounts {
    pub(crate) fn new(store: Arc<dyn AccountStore>, keys: FollowedStore) -> Result<Self, ServerError> {
        Ok(Self { store, keys: Arc::new(keys), passwords: Passwords::new()? })
    }

    /// Adds a user. `scopes`: scope-tokens joined by single spaces.
    ///
    /// # Errors
    /// [`AccountError::Invalid`]; [`AccountError::Password`]; [`Refusal::AlreadyExists`] when the address is taken.
    pub fn add_user(&self, email: &str, password: &str, scopes: &str) -> Result<User, AccountError> {
        let new = NewUser::new(email, password, scopes)?;
        self.keys.wait(self.users().add(&new))
    }

    /// As [`Users::disable`].
    ///
    /// # Errors
    /// As there.
    pub fn disable_user(&self, id: &str) -> Result<User, AccountError> {
        self.in_force(self.users().disable(id))
    }

    /// As [`Users::enable`].
    ///
    /// # Errors
    /// As there.
    pub fn enable_user(&self, id: &str) -> Result<User, AccountError> {
        self.keys.wait(self.users().enable(id))
    }

    /// As [`Users::set_password`].
    ///
    /// # Errors
    /// As there.
    pub fn set_password(&self, id: &str, password: &str) -> Result<User, AccountError> {
        self.in_force(self.users().set_password(id, password))
    }

    /// As [`Users::remove`].
    ///
    /// # Errors
    /// As there.
    pub fn remove_user(&self, id: &str) -> Result<User, AccountError> {
        self.in_force(self.users().remove(id))
    }

    /// As [`Users::log_out`].
    ///
    /// # Errors
    /// As there.
    pub fn log_out(&self, id: &str) -> Result<User, AccountError> {
        self.in_force(self.users().log_out(id))
    }

    /// As [`Users::end_session`].
    ///
    /// # Errors
    /// As there.
    pub fn end_session(&self, id: &str, session_id: &str) -> Result<(), AccountError> {
        let position = self.keys.wait(self.users().end_session(id, session_id))?;
        Ok(self.keys.in_force(position.number)?)
    }

    /// The users, without waiting for the engine.
    pub(crate) fn users(&self) -> Users {
        Users::new(Arc::clone(&self.store), Arc::clone(&self.keys.store)).by(audit::caller())
    }

    /// Returns when the engine has applied what was ended.
    fn in_force(&self, change: impl Future<Output = Result<Ended, AccountError>>) -> Result<User, AccountError> {
        let Ended { user, position } = self.keys.wait(change)?;
        self.keys.in_force(position.number)?;
        Ok(user)
    }

    /// As [`Users::add_site`].
    ///
    /// # Errors
    /// As there.
    pub fn add_site(&self, user_id: &str, name: &str, url: &str) -> Result<Site, AccountError> {
        self.keys.wait(self.users().add_site(user_id, name, url))
    }

    /// As [`Users::revoke_consent`].
    ///
    /// # Errors
    /// As there.
    pub fn revoke_consent(&self, user_id: &str, client_id: &str) -> Result<(), AccountError> {
        let position = self.keys.wait(self.users().revoke_consent(user_id, client_id))?;
        Ok(position.map_or(Ok(()), |position| self.keys.in_force(position.number))?)
    }

    /// Registers an OAuth client under the id that it picked, and makes its secret.
    ///
    /// [`Client::new`] says what may be registered.
    ///
    /// # Errors
    /// [`AccountError::Invalid`]; [`Refusal::Field`]; [`Refusal::AlreadyExists`] when the id is taken.
    pub fn add_client(
        &self,
        client_id: &str,
        name: &str,
        scopes: &str,
        redirect_uris: &[&str],
    ) -> Result<NewKey, AccountError> {
        check("name", is_text(name, MAX_NAME_BYTES))?;
        let client = Client::new(client_id, name, scopes, redirect_uris.iter().copied(), now())?;
        let secret = self.keys.make(client_secret(&client)?)?;
        self.keys.run(Command::AddClient { client, secret: Some(secret.stored.clone()) })?;
        Ok(secret)
    }

    /// Makes an API key for a user. `scopes`: at most those of the user; `expires_at`: seconds since the Unix epoch.
    ///
    /// # Errors
    /// [`AccountError::Invalid`], [`AccountError::NotFound`]; [`Refusal::Disabled`] when the user is disabled; [`Refusal::TooMany`] when
    /// the user has as many as are allowed.
    pub fn add_api_key(
        &self,
        user_id: &str,
        name: &str,
        scopes: &str,
        expires_at: Option<i64>,
    ) -> Result<NewKey, AccountError> {
        self.add_api_key_with(user_id, name, scopes, expires_at, None)
    }

    /// As [`add_api_key`](Self::add_api_key), with `maker`: the new key can do no more than that one, and ends with it.
    pub(crate) fn add_api_key_with(
        &self,
        user_id: &str,
        name: &str,
        scopes: &str,
        expires_at: Option<i64>,
        maker: Option<&StoredKey>,
    ) -> Result<NewKey, AccountError> {
        check("name", is_text(name, MAX_NAME_BYTES))?;
        let user = self.keys.wait(self.store.user_by_id(user_id))?.ok_or(AccountError::NotFound { what: "user" })?;
        let within = scopes.is_empty() || scope::narrow(Some(scopes), &user.scopes).is_some();
        check("scopes", within)?;
        check("expires_at", expires_at.is_none_or(|expires_at| expires_at > now()))?;
        let id = new_key_id("key")?;
        let (expires_at, addresses) = match maker {
            None => (expires_at, &[][..]),
            Some(maker) => (expires_at.or(maker.ends_at()), maker.record.allowed_addresses()),
        };
        let record = KeyRecord::api_key(&id, user_id).name(name).scopes(scopes.split(' ')).expires_at(expires_at);
        let mut new = self.keys.make(record.allowed_addresses(addresses.iter().copied()))?;
        new.stored.parent = maker.map(|maker| maker.record.id().into());
        self.check_active(user_id)?;
        self.keys.run(Command::AddKey { key: new.stored.clone(), max: Some(MAX_API_KEYS_PER_USER) })?;
        // Whoever disables a user writes that down first and then disables the keys; this key is written down first and then looks for
        // that. So one of the two sees the other.
        if let Err(refused) = self.check_active(user_id) {
            self.keys.run(Command::PutKeyInState { id: id.clone(), state: KeyState::Revoked })?;
            return Err(refused);
        }
        Ok(new)
    }

    /// Refuses the id of a user who is disabled or was removed meanwhile.
    pub(crate) fn check_active(&self, user_id: &str) -> Result<(), AccountError> {
        let user = self.keys.wait(self.store.user_by_id(user_id))?;
        let is_active = user.is_some_and(|user| user.disabled_at.is_none());
        if is_active { Ok(()) } else { Err(Refusal::Disabled { what: "user" }.into()) }
    }

    /// Puts a new API key in the place of `old`, with its name, scopes and expiry. The old one stops working at once.
    ///
    /// # Errors
    /// [`StorageError::Refused`] when the old one is not active, has ended, or was rotated already.
    pub fn rotate_api_key(&self, old: &StoredKey) -> Result<NewKey, AccountError> {
        let new = old.successor(&new_key_id("key")?, now());
        Ok(self.keys.rotate(old, new, 0)?)
    }

    /// Revokes a user's API key. It stops working at once.
    ///
    /// # Errors
    /// [`AccountError::NotFound`] when the user has no such key.
    pub fn revoke_api_key(&self, user_id: &str, id: &str) -> Result<(), AccountError> {
        let key = self.keys.wait(self.keys.store.key(id))?;
        let is_theirs = |key: &StoredKey| key.record.subject() == user_id && key.record.kind() == KeyKind::ApiKey;
        let revoke = || self.keys.run(Command::PutKeyInState { id: id.to_owned(), state: KeyState::Revoked });
        let revoked = if key.as_ref().is_some_and(is_theirs) { revoke()? } else { 0 };
        if revoked == 0 { Err(AccountError::NotFound { what: "API key" }) } else { Ok(()) }
    }

    /// A user's API keys that are neither revoked nor expired, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn api_keys_of(&self, user_id: &str) -> Result<Vec<StoredKey>, AccountError> {
        Ok(self.keys.wait(self.keys.store.live_keys_of(user_id, KeyKind::ApiKey, now()))?)
    }

    /// Registers a public OAuth client, or one with settings of its own: with a secret where it authenticates by one.
    ///
    /// # Errors
    /// [`Refusal::AlreadyExists`] when the id is taken.
    pub fn register_client(&self, client: &Client) -> Result<Option<NewKey>, AccountError> {
        let secret = if client.has_secret() { Some(self.keys.make(client_secret(client)?)?) } else { None };
        let stored = secret.as_ref().map(|secret| secret.stored.clone());
        self.keys.run(Command::AddClient { client: client.clone(), secret: stored })?;
        Ok(secret)
    }

    /// The client of that id, unless it or all its secrets are disabled, revoked or expired.
    ///
    /// # Errors
    /// When the store cannot be followed, or the secrets cannot be read.
    pub fn active_client(&self, id: &str) -> Result<Option<Arc<Client>>, AccountError> {
        let Some(client) = self.keys.client(id)?.filter(|client| !client.settings().is_disabled) else {
            return Ok(None);
        };
        if client.has_secret() {
            let secrets = self.keys.wait(self.keys.store.live_keys_of(id, KeyKind::ClientSecret, now()))?;
            if !secrets.iter().any(|secret| secret.record.state() == KeyState::Active) {
                return Ok(None);
            }
        }
        Ok(Some(client))
    }
}

/// A secret for that client.
pub(crate) fn client_secret(client: &Client) -> Result<KeyRecord, StorageError> {
    let id = new_key_id("secret")?;
    Ok(KeyRecord::client_secret(&id, client.id()).name(client.name()).scopes(client.scopes().split(' ')).build())
}

/// Whether that is the id of a user, and not of a client.
pub(crate) fn is_user_id(id: &str) -> bool {
    id.starts_with(USER_ID_PREFIX)
}

impl From<Refusal> for AccountError {
    fn from(refusal: Refusal) -> Self {
        Self::Store(refusal.into())
    }
}

/// [`AccountError::Invalid`] unless it `holds`.
pub(crate) fn check(what: &'static str, holds: bool) -> Result<(), AccountError> {
    if holds { Ok(()) } else { Err(AccountError::Invalid { what }) }
}

/// Whether that is a line of text, not empty and not too long.
pub(crate) fn is_text(text: &str, max_bytes: usize) -> bool {
    !text.is_empty() && text.len() <= max_bytes && !text.contains(char::is_control)
}
