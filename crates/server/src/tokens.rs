use crate::error::ServerError;
use std::sync::Arc;
use tollgate_issuer::{IssuerError, Minter, SigningKeys};

/// Mints the service's tokens: `iss` and `aud` are its public origin.
pub(crate) struct Tokens {
    minter: Minter,
    origin: String,
    session_ttl: i64,
    access_token_ttl: i64,
}

/// A token and its times, in seconds.
pub(crate) struct Minted {
    pub(crate) token: String,
    pub(crate) expires_at: i64,
    pub(crate) expires_in: i64,
}

impl Tokens {
    /// Both lifetimes in seconds; the keys' overlap must cover them.
    pub(crate) fn new(
        origin: &str,
        keys: Arc<SigningKeys>,
        session_ttl: i64,
        access_token_ttl: i64,
    ) -> Result<Self, ServerError> {
        let minter = Minter::new(origin, keys)?;
        Ok(Self { minter, origin: origin.to_owned(), session_ttl, access_token_ttl })
    }

    /// A session token of Service A.
    pub(crate) fn session(&self, user_id: &str, scope: &str, now: i64) -> Result<Minted, IssuerError> {
        let builder = self.minter.token().subject(user_id).audience(&self.origin).scope(scope);
        let token = builder.lifetime(self.session_ttl).mint_at(now)?;
        Ok(Minted { token, expires_at: now.saturating_add(self.session_ttl), expires_in: self.session_ttl })
    }

    /// An access token (RFC 9068). `jti`: a random one when not given.
    pub(crate) fn access(
        &self,
        client_id: &str,
        subject: &str,
        scope: &str,
        jti: Option<String>,
        now: i64,
    ) -> Result<Minted, IssuerError> {
        let builder = self.minter.token().access_token().client_id(client_id).subject(subject);
        let mut builder = builder.audience(&self.origin).scope(scope).lifetime(self.access_token_ttl);
        if let Some(jti) = jti {
            builder = builder.jti(jti);
        }
        let token = builder.mint_at(now)?;
        Ok(Minted { token, expires_at: now.saturating_add(self.access_token_ttl), expires_in: self.access_token_ttl })
    }

    pub(crate) fn access_token_ttl(&self) -> i64 {
        self.access_token_ttl
    }
}
