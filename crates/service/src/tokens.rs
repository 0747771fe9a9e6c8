use crate::audit;
use crate::config::{AccessTokenFormat, Config};
use crate::confirmation::{Confirmation, cnf};
use crate::error::ServerError;
use crate::key_store::FollowedStore;
use crate::oauth::ACR;
use crate::revocations;
use std::sync::Arc;
use std::time::Duration;
use tollgate::{KeyRecord, KeyRecordBuilder, KeyState};
use tollgate_issuer::{Minter, SigningKeys, TokenBuilder};
use tollgate_storage::{AuditRecord, Command, new_key_id};
use zeroize::Zeroizing;

/// Makes the service's tokens: `iss` and `aud` are its public origin.
pub(crate) struct Tokens {
    minter: Minter,
    keys: Arc<FollowedStore>,
    origin: String,
    format: AccessTokenFormat,
    session_ttl: i64,
    access_token_ttl: i64,
}

/// A token and its times, in seconds.
pub(crate) struct Minted {
    pub(crate) token: Zeroizing<String>,
    pub(crate) expires_at: i64,
    pub(crate) expires_in: i64,
}

/// What an access token is to say.
pub(crate) struct Grant<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) scope: &'a str,
    /// The token's id; a random one when not given.
    pub(crate) token_id: Option<&'a str>,
    /// The login session that it comes of, unless the client speaks for itself.
    pub(crate) session_id: Option<&'a str>,
    /// When that session ends, in seconds since the Unix epoch: the token lives no longer.
    pub(crate) ends_at: Option<i64>,
    /// When the user last gave the password in that session, in seconds since the Unix epoch.
    pub(crate) authenticated_at: Option<i64>,
    /// What it is bound to.
    pub(crate) confirmation: Confirmation,
}

impl<'a> Grant<'a> {
    /// Of that client for that subject, with no scope and of no session.
    pub(crate) fn of(client_id: &'a str, subject: &'a str) -> Self {
        Self {
            client_id,
            subject,
            scope: "",
            token_id: None,
            session_id: None,
            ends_at: None,
            authenticated_at: None,
            confirmation: Confirmation::default(),
        }
    }
}

/// A session that a session token stands for.
pub(crate) struct Session<'a> {
    pub(crate) id: &'a str,
    pub(crate) user_id: &'a str,
    pub(crate) scope: &'a str,
    /// In seconds since the Unix epoch.
    pub(crate) expires_at: i64,
}

impl Grant<'_> {
    /// What the client has shown beside its own id: that a user let it have the token.
    fn credential(&self) -> Option<String> {
        self.session_id.map(|session_id| format!("code {session_id}"))
    }
}

impl Tokens {
    /// The signing keys' overlap must cover both lifetimes.
    pub(crate) fn new(
        origin: &str,
        signing_keys: Arc<SigningKeys>,
        keys: Arc<FollowedStore>,
        config: &Config,
    ) -> Result<Self, ServerError> {
        Ok(Self {
            minter: Minter::new(origin, signing_keys)?,
            keys,
            origin: origin.to_owned(),
            format: config.access_token_format,
            session_ttl: seconds(config.session_ttl),
            access_token_ttl: seconds(config.access_token_ttl),
        })
    }

    /// A session token of Service A: a JWT, whatever the format of access tokens.
    pub(crate) fn session(&self, session: &Session<'_>, now: i64) -> Result<Minted, ServerError> {
        let builder = self.minter.token().subject(session.user_id).audience(&self.origin).scope(session.scope);
        // By which a session can be revoked, whatever tokens it will have (OpenID Connect Front-Channel Logout section 3).
        let builder = builder.claim("sid", session.id.into());
        let lifetime = session.expires_at.saturating_sub(now);
        Ok(minted(builder.lifetime(lifetime).mint_at(now)?, now, lifetime))
    }

    /// How long a session token lives, in seconds.
    pub(crate) fn session_ttl(&self) -> i64 {
        self.session_ttl
    }

    /// An access token: a JWT (RFC 9068), or an opaque one whose record is in the store. Blocks.
    pub(crate) fn access(&self, grant: &Grant<'_>, now: i64) -> Result<Minted, ServerError> {
        match self.format {
            AccessTokenFormat::Jwt => self.keys.wait(self.jwt(grant, now)),
            AccessTokenFormat::Opaque => self.opaque(grant, now),
        }
    }

    /// Whether access tokens are JWTs, which [`jwt`](Self::jwt) makes without blocking.
    pub(crate) fn are_jwts(&self) -> bool {
        self.format == AccessTokenFormat::Jwt
    }

    /// A token of another kind, under the same key.
    pub(crate) fn builder(&self) -> TokenBuilder<'_> {
        self.minter.token()
    }

    pub(crate) fn access_token_ttl(&self) -> i64 {
        self.access_token_ttl
    }

    /// An access token as a JWT. It is handed out only when it is written down who got it.
    pub(crate) async fn jwt(&self, grant: &Grant<'_>, now: i64) -> Result<Minted, ServerError> {
        let (id, lifetime) = self.id_and_lifetime(grant, now)?;
        let builder = self.minter.token().access_token().client_id(grant.client_id).subject(grant.subject);
        let mut builder = builder.audience(&self.origin).scope(grant.scope).lifetime(lifetime).jti(&id);
        if let Some(session_id) = grant.session_id {
            builder = builder.claim("sid", session_id.into());
        }
        // What a resource server can ask for anew (RFC 9068 section 2.2.1, RFC 9470 section 6.1).
        if let Some(authenticated_at) = grant.authenticated_at {
            builder = builder.claim("auth_time", authenticated_at.into()).claim("acr", ACR.into());
        }
        if let Some(cnf) = cnf(grant.confirmation.methods()) {
            builder = builder.claim("cnf", cnf);
        }
        let token = builder.mint_at(now)?;
        let issued = AuditRecord::new(&audit::caller_as(grant.client_id, grant.credential()), ISSUED, &id)?;
        self.keys.store.record(&[issued.concerning(grant.subject)]).await?;
        Ok(minted(token, now, lifetime))
    }

    /// The lifetime in seconds.
    fn id_and_lifetime(&self, grant: &Grant<'_>, now: i64) -> Result<(String, i64), ServerError> {
        let left = grant.ends_at.map_or(i64::MAX, |ends_at| ends_at.saturating_sub(now));
        let id = grant.token_id.map_or_else(|| new_key_id("token"), |id| Ok(id.to_owned()))?;
        Ok((id, self.access_token_ttl.min(left)))
    }

    fn opaque(&self, grant: &Grant<'_>, now: i64) -> Result<Minted, ServerError> {
        let (id, lifetime) = self.id_and_lifetime(grant, now)?;
        let record = KeyRecord::access_token(&id, grant.subject)
            .client_id(grant.client_id)
            .scopes(grant.scope.split(' '))
            .expires_at(now.saturating_add(lifetime));
        let record = grant.confirmation.methods().fold(record, KeyRecordBuilder::bound_to);
        let mut new = self.keys.make(record)?;
        // So that it ends with the login session, as a JWT does by its `sid`.
        new.stored.parent = grant.session_id.map(Into::into);
        let caller = audit::caller_as(grant.client_id, grant.credential());
        self.keys.run_for(&caller, Command::AddKey { key: new.stored.clone(), max: None })?;
        // Whoever revokes all tokens of somebody writes that down first and then looks for tokens; this one is written down
        // first and then looks for that. So one of the two sees the other. As a JWT it would be issued and rejected too.
        if revocations::concern(&self.keys, &self.origin, grant, now)? {
            self.keys.run(Command::PutKeyInState { id, state: KeyState::Revoked })?;
        }
        Ok(minted(new.secret.as_str().to_owned(), now, lifetime))
    }
}

/// As the audit log has it, of opaque tokens too.
const ISSUED: &str = "token.issue";

fn minted(token: String, now: i64, ttl: i64) -> Minted {
    Minted { token: Zeroizing::new(token), expires_at: now.saturating_add(ttl), expires_in: ttl }
}

pub(crate) fn seconds(ttl: Duration) -> i64 {
    i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX)
}
