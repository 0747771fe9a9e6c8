//! Logins as records: begun, found by a cookie, ended.

use crate::app::App;
use crate::audit;
use crate::client_address::ClientAddress;
use crate::ids::{digest, new_secret, now};
use crate::limits::{LOGIN_SESSION_TTL_SECONDS, MAX_AGENT_BYTES, MAX_SESSIONS_PER_USER};
use crate::login::LOGIN;
use crate::problem::Problem;
use crate::revocations;
use crate::tokens::{Grant, Minted, Session};
use crate::undelivered::{self, Made};
use crate::users::SESSION_END;
use axum::http::{HeaderMap, header};
use tollgate::{Principal, PrincipalKind, Rejection};
use tollgate_storage::accounts::{LoginSession, User};
use tollgate_storage::{AuditRecord, Command, KeySession, Refusal, StorageError, StoredKey, new_key_id};
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
    /// Begins a browser's session, or renews that which the user has there already, so that whatever came of it ends with one logout; the
    /// value of its cookie, which is another one.
    pub(crate) fn begin_browser_session(
        &self,
        user: &User,
        visitor: Visitor,
        old: Option<LoginSession>,
    ) -> Result<(LoginSession, Zeroizing<String>), Problem> {
        let (value, digest) = new_secret()?;
        if let Some(old) = old
            && let Some(renewed) = self.renew(old, user, &visitor, digest)?
        {
            return Ok((renewed, value));
        }
        let expires_at = now().saturating_add(LOGIN_SESSION_TTL_SECONDS);
        let session = self.begin(user, visitor, Some(digest), None, expires_at)?;
        Ok((session, value))
    }

    /// `None` when the session, or the user as it was read, is gone by now.
    fn renew(
        &self,
        old: LoginSession,
        user: &User,
        visitor: &Visitor,
        digest: [u8; 32],
    ) -> Result<Option<LoginSession>, Problem> {
        let now = now();
        let renewed = LoginSession {
            digest: Some(digest),
            agent: visitor.agent.clone(),
            address: visitor.address.clone(),
            authenticated_at: now,
            expires_at: now.saturating_add(LOGIN_SESSION_TTL_SECONDS),
            ..old
        };
        let by = audit::caller_as(&user.id, Some("password".to_owned()));
        let record = AuditRecord::new(&by, LOGIN, &renewed.id)?.concerning(&user.id);
        let is_renewed =
            self.accounts.keys.wait(self.accounts.store.renew_login_session(&renewed, user.epoch, &record))?;
        Ok(is_renewed.then_some(renewed))
    }

    /// Begins a program's session, with a password or with an API key, with which it ends; its token.
    pub(crate) fn begin_token_session(
        &self,
        user: &User,
        visitor: Visitor,
        scope: &str,
        key: Option<&StoredKey>,
    ) -> Result<Minted, Problem> {
        let now = now();
        if key.is_some_and(|key| !key.record.allowed_addresses().is_empty()) {
            return Err(Problem::KeyOfAddresses);
        }
        let (key_id, key_ends_at) = (key.map(|key| key.record.id().to_owned()), key.and_then(StoredKey::ends_at));
        let longest = now.saturating_add(self.tokens.session_ttl());
        // What comes of a key lives no longer than the key.
        let expires_at = key_ends_at.map_or(longest, |ends_at| longest.min(ends_at));
        if expires_at <= now {
            return Err(Problem::Rejected(Rejection::CredentialNotAccepted));
        }
        let session = self.begin(user, visitor, None, key_id, expires_at)?;
        if let Some(key) = key {
            self.end_with_key(&session, key, now)?;
        }
        let session = Session { id: &session.id, user_id: &user.id, scope, expires_at };
        Ok(self.tokens.session(&session, now)?)
    }

    /// Writes down that the session ends with the key, whatever ends that. Refused when the key has ended by now.
    fn end_with_key(&self, session: &LoginSession, key: &StoredKey, made_at: i64) -> Result<(), Problem> {
        let (id, issuer, key_id) = (session.id.clone(), self.origin.clone(), key.record.id().to_owned());
        let of_key = KeySession { id, issuer, key_id, ends_at: session.expires_at };
        let keys = &self.accounts.keys;
        match keys.wait(keys.store.run(Command::AddSession { session: of_key, made_at })) {
            Ok(_) => Ok(()),
            Err(StorageError::Refused(_)) => {
                let undone = AuditRecord::new(&audit::caller(), SESSION_END, &session.id)?.concerning(&session.user_id);
                keys.wait(self.accounts.store.end_login_session(&session.user_id, &session.id, &undone))?;
                Err(Problem::Rejected(Rejection::CredentialNotAccepted))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The API key that the credential is, or that its session was made with; `None` where there is only a password behind it. What is made
    /// with such a credential is made with that key.
    pub(crate) fn maker(&self, principal: &Principal, user_id: &str) -> Result<Option<StoredKey>, Problem> {
        let keys = &self.accounts.keys;
        let gone = || Problem::Rejected(Rejection::CredentialNotAccepted);
        let key_id = if principal.kind() == PrincipalKind::ApiKey {
            principal.credential_id().map(str::to_owned)
        } else {
            let session_id = principal.session_id().ok_or_else(gone)?;
            let sessions = keys.wait(self.accounts.store.login_sessions_of(user_id, i64::MIN))?;
            sessions.into_iter().find(|session| session.id == session_id).ok_or_else(gone)?.key_id
        };
        let Some(key_id) = key_id else { return Ok(None) };
        Ok(Some(keys.wait(keys.store.key(&key_id))?.ok_or_else(gone)?))
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
        let authenticated_at = created_at;
        let session =
            LoginSession { id, user_id, digest, key_id, agent, address, created_at, authenticated_at, expires_at };
        let by = audit::caller_as(
            &user.id,
            Some(session.key_id.as_ref().map_or_else(|| "password".to_owned(), |key_id| format!("api-key {key_id}"))),
        );
        let record = AuditRecord::new(&by, LOGIN, &session.id)?.concerning(&user.id);
        let added = self.accounts.store.add_login_session(&session, user.epoch, MAX_SESSIONS_PER_USER, &record);
        match self.accounts.keys.wait(added) {
            Ok(()) => {
                let (user_id, id) = (session.user_id.clone(), session.id.clone());
                undelivered::note(Made::Session { user_id, id });
                Ok(session)
            }
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
        let grant = Grant { session_id, ..Grant::of("", subject) };
        let is_revoked = revocations::concern(keys, &self.origin, &grant, session.created_at)?;
        let is_good = user.disabled_at.is_none() && !is_revoked;
        Ok(is_good.then_some((session, user)))
    }
}
