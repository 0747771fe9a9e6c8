//! What is done to users, by whatever door: the one meaning of each verb.

mod consents;
mod sites;

use crate::accounts::{AccountError, is_user_id};
use crate::error::ServerError;
use crate::ids::now;
use crate::limits::MAX_TTL;
use crate::new_user::{NewUser, new_password_hash};
use crate::store::StoreUrl;
use crate::tokens::seconds;
use std::sync::Arc;
use tollgate::KeyState;
use tollgate_storage::accounts::{LoginSession, User, UserChange, UserChanged};
use tollgate_storage::{
    AccountStore, Actor, AuditRecord, Command, Door, Executed, Issued, KeyStore, Position, Refusal, RevocationKind,
    StorageError, StoredRevocation,
};

/// The users of a service, in its store, beside whichever processes serve them.
///
/// What ends a user's logins ends them everywhere: cookies and codes are in the store, and what was issued is revoked for every engine
/// that follows it. A change is durable when a method returns; each can be repeated when it failed.
///
/// ```
/// use tollgate_service::{NewUser, StoreUrl, Users};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let users = Users::open(&StoreUrl::from(folder)).await?;
/// let ada = users.add(&NewUser::new("ada@example.com", "the-analytical-engine", "read:sites")?).await?;
/// users.disable(&ada.id).await?;
/// assert!(users.find("Ada@example.com").await?.is_some_and(|user| user.disabled_at.is_some()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Users {
    accounts: Arc<dyn AccountStore>,
    keys: Arc<dyn KeyStore>,
    by: Actor,
}

/// What a change that ends logins is called in the audit log.
fn action(change: &UserChange) -> &'static str {
    match change {
        UserChange::Disable { .. } => "user.disable",
        UserChange::Password { .. } => "user.set-password",
        UserChange::EndLogins => "user.log-out",
        UserChange::Remove => "user.remove",
        _ => "user.enable",
    }
}

/// The end of a login session, as the audit log has it.
pub(crate) const SESSION_END: &str = "session.end";

/// What came of a change that ends logins.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The user as it is now; one that was removed as it was.
    pub user: User,
    /// Where the log of the keys ended once it was done: an engine that has applied it accepts nothing of what was ended.
    pub position: Position,
}

impl Users {
    /// Opens the store, and makes it when it is missing.
    ///
    /// # Errors
    /// As [`StoreUrl::open_accounts`].
    pub async fn open(url: &StoreUrl) -> Result<Self, ServerError> {
        // First, since it makes the folder.
        let accounts = url.open_accounts().await?;
        Ok(Self::new(accounts, url.open_keys().await?))
    }

    /// The users of a store that is open already.
    #[must_use]
    pub fn new(accounts: Arc<dyn AccountStore>, keys: Arc<dyn KeyStore>) -> Self {
        Self { accounts, keys, by: Actor::unknown(Door::Service) }
    }

    /// For whom changes are made, as the audit log has it; otherwise for the service itself.
    #[must_use]
    pub fn by(self, by: Actor) -> Self {
        Self { by, ..self }
    }

    /// Adds a user.
    ///
    /// # Errors
    /// [`Refusal::AlreadyExists`] when the address is taken.
    pub async fn add(&self, new: &NewUser) -> Result<User, AccountError> {
        let record = self.record("user.add", &new.user.id)?;
        self.told(self.accounts.add_user(&new.user, &new.password_hash, &record).await, record).await?;
        Ok(new.user.clone())
    }

    /// The user of that id or that address.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn find(&self, name: &str) -> Result<Option<User>, AccountError> {
        if is_user_id(name) && !name.contains('@') {
            return Ok(self.accounts.user_by_id(name).await?);
        }
        Ok(self.accounts.user_by_email(&User::normal_email(name)).await?.map(|(user, _)| user))
    }

    /// The users after `after` in the order of their ids, which is that in which they were added; at most `max`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn list(&self, after: Option<&str>, max: usize) -> Result<Vec<User>, AccountError> {
        Ok(self.accounts.users(after, max).await?)
    }

    /// Ends the user's logins and every token of theirs, disables the user's API keys, and lets the user log in no more. To disable a user
    /// again ends what has come up since.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub async fn disable(&self, id: &str) -> Result<Ended, AccountError> {
        self.end(id, UserChange::Disable { at: now() }, Some(KeyState::Disabled)).await
    }

    /// Lets the user log in again. What was ended stays so, and the API keys stay disabled until each is enabled: one of them may have
    /// been the reason.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub async fn enable(&self, id: &str) -> Result<User, AccountError> {
        let record = self.record("user.enable", id)?;
        Ok(self.told(self.accounts.change_user(id, &UserChange::Enable, &record).await, record).await?.user)
    }

    /// Gives the user another password, and ends the user's logins and every token of theirs. API keys stay as they are. Hashing takes tens
    /// of milliseconds: call it where blocking is allowed.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; [`AccountError::Password`] when the password is not taken.
    pub async fn set_password(&self, id: &str, password: &str) -> Result<Ended, AccountError> {
        let user = self.known(id).await?;
        let hash = new_password_hash(password, &user.email)?;
        self.end(id, UserChange::Password { hash }, None).await
    }

    /// Ends the user's logins and every token of theirs.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub async fn log_out(&self, id: &str) -> Result<Ended, AccountError> {
        self.end(id, UserChange::EndLogins, None).await
    }

    /// The user's logins that have not ended, the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn sessions(&self, id: &str) -> Result<Vec<LoginSession>, AccountError> {
        Ok(self.accounts.login_sessions_of(id, now()).await?)
    }

    /// Ends one login of the user, and the tokens that came of it; returns where the log of the keys ended once it was done.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] when the user has no such session.
    pub async fn end_session(&self, id: &str, session_id: &str) -> Result<Position, AccountError> {
        let record = self.record(SESSION_END, session_id)?.concerning(id);
        let sessions = self.accounts.login_sessions_of(id, i64::MIN).await?;
        if !sessions.iter().any(|session| session.id == session_id) {
            return self.told(Err(Refusal::NotFound { what: "session" }.into()), record).await;
        }
        let until = now().saturating_add(1).saturating_add(seconds(MAX_TTL));
        let revoked = |issuer: &String| {
            let revocation = StoredRevocation::new(RevocationKind::Session, issuer, session_id);
            Command::Revoke { revocation: StoredRevocation { until, ..revocation }, with_opaque: true }
        };
        // First: where the other fails, this has ended what counts.
        let commands = self.accounts.issuers().await?.iter().map(revoked).collect();
        let Executed { outcomes, position } = self.keys.execute(commands).await?;
        outcomes.into_iter().try_for_each(|outcome| outcome.map(drop))?;
        self.accounts.end_login_session(id, session_id, &record).await?;
        Ok(position)
    }

    /// Ends the user's logins and every token of theirs, revokes the user's API keys, and forgets the user and the user's sites.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub async fn remove(&self, id: &str) -> Result<Ended, AccountError> {
        self.end(id, UserChange::Remove, Some(KeyState::Revoked)).await
    }

    /// What is revoked is revoked before the user is changed: where the second fails, the first has ended too much, and not too little.
    async fn end(&self, id: &str, change: UserChange, keys: Option<KeyState>) -> Result<Ended, AccountError> {
        let record = self.record(action(&change), id)?;
        if let Err(refused) = self.known(id).await {
            return self.told(Err(refused), record).await;
        }
        let sessions = self.accounts.login_sessions_of(id, i64::MIN).await?;
        let sessions: Vec<String> = sessions.into_iter().map(|session| session.id).collect();
        let mut position = self.end_issued(id, keys, sessions.clone()).await?;
        let UserChanged { user, ended } = self.accounts.change_user(id, &change, &record).await?;
        let late: Vec<String> = ended.into_iter().filter(|session| !sessions.contains(session)).collect();
        // What was made in between, by whom the change had not reached yet.
        if keys.is_some() || !late.is_empty() {
            position = self.end_issued(id, keys, late).await?;
        }
        Ok(Ended { user, position })
    }

    async fn end_issued(
        &self,
        id: &str,
        keys: Option<KeyState>,
        sessions: Vec<String>,
    ) -> Result<Position, AccountError> {
        let issuers = self.accounts.issuers().await?;
        let made_before = now();
        let issued = Issued { issuers, made_before, until: made_before.saturating_add(seconds(MAX_TTL)) };
        let command = Command::EndSubject { subject: id.to_owned(), keys, sessions, issued };
        let (_, position) = self.keys.run(command).await?;
        Ok(position)
    }

    async fn known(&self, id: &str) -> Result<User, StorageError> {
        Ok(self.accounts.user_by_id(id).await?.ok_or(Refusal::NotFound { what: "user" })?)
    }

    fn record(&self, action: &str, target: &str) -> Result<AuditRecord, StorageError> {
        AuditRecord::new(&self.by, action, target)
    }

    /// What came of a change, of which the record is written by itself where it was refused.
    async fn told<T>(&self, changed: Result<T, StorageError>, record: AuditRecord) -> Result<T, AccountError> {
        if let Err(StorageError::Refused(refusal)) = &changed {
            self.accounts.record(&[record.refused(refusal)]).await?;
        }
        Ok(changed?)
    }
}
