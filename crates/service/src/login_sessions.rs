//! Logins as records: begun, found by a cookie, ended.

use crate::app::App;
use crate::client_address::ClientAddress;
use crate::ids::{digest, new_secret, now};
use crate::limits::{LOGIN_SESSION_TTL_SECONDS, MAX_AGENT_BYTES, MAX_SESSIONS_PER_USER};
use crate::problem::Problem;
use crate::revocations;
use crate::tokens::{Grant, Minted, Session};
use axum::http::{HeaderMap, header};
use tollgate::Rejection;
use tollgate_storage::accounts::{LoginSession, User};
use tollgate_storage::{Refusal, StorageError, new_key_id};
use zeroize::Zeroizing;

/// Who logs in, for the people who look at their sessions.
pub(crate) struct Visitor {
    agent: String,
    address: Option<String>,
}

impl Visitor {
    pub(crate) fn new(client: ClientAddress, headers: &HeaderMap) -> Self {
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        // Visible ASCII and spaces, by what `to_str` takes.
        let agent = agent.get(..MAX_AGENT_BYTES).unwrap_or(agent).to_owned();
        Self { agent, address: client.known().map(|address| address.to_string()) }
    }

    /// Nobody in particular.
    pub(crate) fn unknown() -> Self {
        Self { agent: String::new(), address: None }
    }
}

/// Each of these waits for the disk.
impl App {
    /// Begins a browser's session; the value of its cookie.
    pub(crate) fn begin_browser_session(
        &self,
        user: &User,
        visitor: Visitor,
    ) -> Result<(LoginSession, Zeroizing<String>), Problem> {
        let (value, digest) = new_secret()?;
        let expires_at = now().saturating_add(LOGIN_SESSION_TTL_SECONDS);
        let session = self.begin(user, visitor, Some(digest), None, expires_at)?;
        Ok((session, value))
    }

    /// Begins a program's session, with a password or with the API key of that id, which ends at `key_ends_at`; its token.
    pub(crate) fn begin_token_session(
        &self,
        user: &User,
        visitor: Visitor,
        scope: &str,
        key: Option<(&str, Option<i64>)>,
    ) -> Result<Minted, Problem> {
        let now = now();
        let (key_id, key_ends_at) = key.map_or((None, None), |(id, ends_at)| (Some(id.to_owned()), ends_at));
        let longest = now.saturating_add(self.tokens.session_ttl());
        // What comes of a key lives no longer than the key.
        let expires_at = key_ends_at.map_or(longest, |ends_at| longest.min(ends_at));
        if expires_at <= now {
            return Err(Problem::Rejected(Rejection::CredentialNotAccepted));
        }
        let session = self.begin(user, visitor, None, key_id, expires_at)?;
        let session = Session { id: &session.id, user_id: &user.id, scope, expires_at };
        Ok(self.tokens.session(&session, now)?)
    }

    /// Refused when the user has changed since `user` was read: the password that was checked may be another by now. What ends sessions
    /// later revokes the tokens of this one too, by its id, also those that are made after it.
    fn begin(
        &self,
        user: &User,
        visitor: Visitor,
        digest: Option<[u8; 32]>,
        key_id: Option<String>,
        expires_at: i64,
    ) -> Result<LoginSession, Problem> {
        let Visitor { agent, address } = visitor;
        let (id, user_id, created_at) = (new_key_id("session")?, user.id.clone(), now());
        let session = LoginSession { id, user_id, digest, key_id, agent, address, created_at, expires_at };
        let added = self.accounts.store.add_login_session(&session, user.epoch, MAX_SESSIONS_PER_USER);
        match self.accounts.keys.wait(added) {
            Ok(()) => Ok(session),
            Err(StorageError::Refused(Refusal::Changed { .. })) => Err(Problem::WrongPassword),
            Err(StorageError::Refused(Refusal::TooMany { .. })) => {
                Err(Problem::Conflict("there are as many sessions as may be: end some first"))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The session and the user that a cookie stands for, unless they have ended or are revoked.
    pub(crate) fn browser_session(&self, cookie: &str) -> Result<Option<(LoginSession, User)>, Problem> {
        let (keys, store) = (&self.accounts.keys, &self.accounts.store);
        let Some(session) = keys.wait(store.login_session(&digest(cookie), now()))? else { return Ok(None) };
        let Some(user) = keys.wait(store.user_by_id(&session.user_id))? else { return Ok(None) };
        let (subject, session_id) = (user.id.as_str(), Some(session.id.as_str()));
        let grant = Grant { client_id: "", subject, scope: "", token_id: None, session_id };
        let is_revoked = revocations::concern(keys, &self.origin, &grant, session.created_at)?;
        let is_good = user.disabled_at.is_none() && !is_revoked;
        Ok(is_good.then_some((session, user)))
    }
}
