use crate::error::ServerError;
use crate::ids::{new_id, now};
use crate::limits::{
    MAX_API_KEYS_PER_USER, MAX_EMAIL_BYTES, MAX_NAME_BYTES, MAX_PARAMETER_BYTES, MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS,
};
use crate::oauth::is_registrable;
use crate::passwords::Passwords;
use crate::scope;
use crate::storage::{Client, Credential, CredentialKind, Site, StorageError, Store, User};
use std::sync::Arc;
use tollgate::{ApiKey, ApiKeyTable, Digest, KeyFormat, KeyRecord};

/// Users, clients and their credentials: in the store, and in the table that the engine looks keys up in.
///
/// A change is durable when a method returns, and the engine has it by then: what was revoked is not accepted by any
/// request that begins later. Every method may wait for the disk: call it where blocking is allowed.
///
/// ```
/// use std::net::{Ipv4Addr, SocketAddr};
/// use tollgate_server::{Config, Server};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
/// let server = Server::bind(Config { data_dir: None, listen, ..Config::default() }).await?;
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
    pub(crate) store: Arc<Store>,
    pub(crate) passwords: Passwords,
    table: Arc<ApiKeyTable<KeyRecord>>,
    format: KeyFormat,
}

/// A credential just made, with its secret: the only time that it is to be had.
#[derive(Debug)]
pub struct NewCredential {
    /// What the store keeps of it.
    pub credential: Credential,
    /// The secret.
    pub secret: ApiKey,
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
    /// The user has as many API keys as are allowed.
    #[error("a user can have {max} API keys: revoke one first")]
    TooManyKeys {
        /// How many.
        max: u32,
    },
    /// There is no such user, or no such key of that user.
    #[error("no such {what}")]
    NotFound {
        /// Which: `user` or `API key`.
        what: &'static str,
    },
    /// The store failed, or what was to be added is there already.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A secret or a password's hash could not be made.
    #[error(transparent)]
    Server(#[from] ServerError),
}

impl AccountError {
    /// The stable kebab-case name of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::TooManyKeys { .. } => "too-many-keys",
            Self::NotFound { .. } => "not-found",
            Self::Storage(error) => error.code(),
            Self::Server(error) => error.code(),
        }
    }
}

impl Accounts {
    /// Opens the accounts in `store` and fills a table with every credential in it.
    pub(crate) fn load(store: Arc<Store>) -> Result<(Self, Arc<ApiKeyTable<KeyRecord>>), ServerError> {
        let format = KeyFormat::new(KEY_PREFIX, KEY_ENVIRONMENT).map_err(|_| ServerError::KeyFormat)?;
        let table = Arc::new(ApiKeyTable::new(format.clone()));
        let now = now();
        store.for_each_credential(|credential| {
            if credential.expires_at.is_none_or(|expires_at| now < expires_at) {
                table.insert(Digest::from_bytes(credential.digest), Arc::new(record(&credential)));
            }
        })?;
        let passwords = Passwords::new()?;
        Ok((Self { store, passwords, table: Arc::clone(&table), format }, table))
    }

    /// Adds a user. `scopes`: scope-tokens joined by single spaces.
    ///
    /// # Errors
    /// [`AccountError::Invalid`]; [`StorageError::AlreadyExists`] when the address is taken.
    pub fn add_user(&self, email: &str, password: &str, scopes: &str) -> Result<User, AccountError> {
        let email = User::normal_email(email);
        let has_parts = email.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
        check("email", has_parts && is_text(&email, MAX_EMAIL_BYTES) && !email.contains(' '))?;
        check("password", password.chars().count() >= MIN_PASSWORD_CHARS && password.len() <= MAX_PASSWORD_BYTES)?;
        check("scopes", scope::is_valid(scopes))?;
        let user = User { id: new_id(USER_ID_PREFIX)?, email, scopes: scopes.to_owned(), created_at: now() };
        self.store.add_user(&user, &self.passwords.hash(password.as_bytes())?)?;
        Ok(user)
    }

    /// Adds a site to a user's.
    ///
    /// # Errors
    /// [`AccountError::Invalid`]; [`AccountError::NotFound`] when there is no such user.
    pub fn add_site(&self, user_id: &str, name: &str, url: &str) -> Result<Site, AccountError> {
        check("name", is_text(name, MAX_NAME_BYTES))?;
        check("url", is_text(url, MAX_PARAMETER_BYTES))?;
        if self.store.user_by_id(user_id)?.is_none() {
            return Err(AccountError::NotFound { what: "user" });
        }
        let (user_id, name, url) = (user_id.to_owned(), name.to_owned(), url.to_owned());
        let site = Site { id: new_id("site")?, user_id, name, url, created_at: now() };
        self.store.add_site(&site)?;
        Ok(site)
    }

    /// Registers an OAuth client under the id that it picked, and makes its secret.
    ///
    /// The id may hold unreserved characters only (RFC 3986 section 2.3), so that it reads the same in a form, in a query
    /// and in Basic credentials; and it may not look like a user's id, because the `sub` of the client's own tokens is
    /// its id (RFC 9700 section 4.15).
    ///
    /// # Errors
    /// [`AccountError::Invalid`]; [`StorageError::AlreadyExists`] when the id is taken.
    pub fn add_client(
        &self,
        client_id: &str,
        name: &str,
        scopes: &str,
        redirect_uris: &[&str],
    ) -> Result<NewCredential, AccountError> {
        let unreserved = client_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        check("client_id", is_text(client_id, MAX_NAME_BYTES) && unreserved && !is_user_id(client_id))?;
        check("name", is_text(name, MAX_NAME_BYTES))?;
        check("scopes", scope::is_valid(scopes))?;
        check("redirect_uri", redirect_uris.iter().copied().all(is_registrable))?;
        let secret = self.generate(CredentialKind::ClientSecret, client_id, name, scopes, None)?;
        let client = Client {
            id: client_id.to_owned(),
            name: name.to_owned(),
            scopes: scopes.to_owned(),
            redirect_uris: redirect_uris.iter().copied().map(str::to_owned).collect(),
            created_at: secret.credential.created_at,
        };
        self.store.add_client(&client, &secret.credential)?;
        self.admit(&secret.credential);
        Ok(secret)
    }

    /// Makes an API key for a user. `scopes`: at most those of the user; `expires_at`: seconds since the Unix epoch.
    ///
    /// # Errors
    /// [`AccountError::Invalid`], [`AccountError::NotFound`], [`AccountError::TooManyKeys`].
    pub fn add_api_key(
        &self,
        user_id: &str,
        name: &str,
        scopes: &str,
        expires_at: Option<i64>,
    ) -> Result<NewCredential, AccountError> {
        check("name", is_text(name, MAX_NAME_BYTES))?;
        let user = self.store.user_by_id(user_id)?.ok_or(AccountError::NotFound { what: "user" })?;
        let within = scopes.is_empty() || scope::narrow(Some(scopes), &user.scopes).is_some();
        check("scopes", within)?;
        let new = self.generate(CredentialKind::ApiKey, user_id, name, scopes, expires_at)?;
        check("expires_at", expires_at.is_none_or(|expires_at| expires_at > new.credential.created_at))?;
        if !self.store.add_credential_within(&new.credential, MAX_API_KEYS_PER_USER)? {
            return Err(AccountError::TooManyKeys { max: MAX_API_KEYS_PER_USER });
        }
        self.admit(&new.credential);
        Ok(new)
    }

    /// Puts a new API key in the place of `old`, with its name, scopes and expiry. The old one stops working at once.
    ///
    /// # Errors
    /// [`AccountError::NotFound`] when the old one is revoked already.
    pub fn rotate_api_key(&self, old: &Credential) -> Result<NewCredential, AccountError> {
        let new = self.generate(CredentialKind::ApiKey, &old.subject, &old.name, &old.scopes, old.expires_at)?;
        let rotated = self.store.rotate_credential(&old.id, &new.credential, new.credential.created_at)?;
        let old = rotated.ok_or(AccountError::NotFound { what: "API key" })?;
        self.admit(&new.credential);
        self.table.remove(&Digest::from_bytes(old.digest));
        Ok(new)
    }

    /// Revokes a user's API key. It stops working at once.
    ///
    /// # Errors
    /// [`AccountError::NotFound`] when the user has no such key.
    pub fn revoke_api_key(&self, user_id: &str, id: &str) -> Result<Credential, AccountError> {
        let revoked = self.store.revoke_credential(user_id, CredentialKind::ApiKey, id, now())?;
        let old = revoked.ok_or(AccountError::NotFound { what: "API key" })?;
        self.table.remove(&Digest::from_bytes(old.digest));
        Ok(old)
    }

    /// A user's API keys that are neither revoked nor expired, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn api_keys_of(&self, user_id: &str) -> Result<Vec<Credential>, AccountError> {
        let mut keys = self.store.credentials_of(user_id, CredentialKind::ApiKey)?;
        let now = now();
        keys.retain(|key| key.expires_at.is_none_or(|expires_at| now < expires_at));
        Ok(keys)
    }

    fn generate(
        &self,
        kind: CredentialKind,
        subject: &str,
        name: &str,
        scopes: &str,
        expires_at: Option<i64>,
    ) -> Result<NewCredential, AccountError> {
        let secret = ApiKey::generate(&self.format).map_err(|_| ServerError::NoRandomness)?;
        let credential = Credential {
            id: new_id(if kind == CredentialKind::ClientSecret { "secret" } else { "key" })?,
            digest: *secret.digest().as_bytes(),
            kind,
            subject: subject.to_owned(),
            name: name.to_owned(),
            scopes: scopes.to_owned(),
            created_at: now(),
            not_before: None,
            expires_at,
            revoked_at: None,
        };
        Ok(NewCredential { credential, secret })
    }

    /// Lets the engine accept what the store has made durable.
    fn admit(&self, credential: &Credential) {
        self.table.insert(Digest::from_bytes(credential.digest), Arc::new(record(credential)));
    }
}

/// Whether that is the id of a user, and not of a client.
pub(crate) fn is_user_id(id: &str) -> bool {
    id.strip_prefix(USER_ID_PREFIX).is_some_and(|rest| rest.starts_with('_'))
}

fn record(credential: &Credential) -> KeyRecord {
    let make = match credential.kind {
        CredentialKind::ApiKey => KeyRecord::api_key,
        CredentialKind::ClientSecret => KeyRecord::client_secret,
        CredentialKind::AccessToken => KeyRecord::access_token,
    };
    let mut record = make(&credential.id, &credential.subject).scopes(credential.scopes.split(' '));
    if let Some(not_before) = credential.not_before {
        record = record.not_before(not_before);
    }
    if let Some(expires_at) = credential.expires_at {
        record = record.expires_at(expires_at);
    }
    record
}

fn check(what: &'static str, holds: bool) -> Result<(), AccountError> {
    if holds { Ok(()) } else { Err(AccountError::Invalid { what }) }
}

fn is_text(text: &str, max_bytes: usize) -> bool {
    !text.is_empty() && text.len() <= max_bytes && !text.contains(char::is_control)
}

const KEY_PREFIX: &str = "tg";
const KEY_ENVIRONMENT: &str = "live";
const USER_ID_PREFIX: &str = "usr";
