//! Refresh tokens (RFC 6749 section 6, RFC 9700 section 4.14): made with a grant, exchanged, ended.

use crate::app::App;
use crate::audit;
use crate::confirmation::Confirmation;
use crate::error::ServerError;
use crate::ids::{digest, new_secret, now};
use crate::limits::{MAX_REFRESH_FAMILIES, MAX_TOKENS_PER_FAMILY, REFRESH_RETRY_SECONDS, SECRET_BYTES};
use crate::problem::Problem;
use crate::revocations;
use crate::routes::scopes::OFFLINE_ACCESS;
use crate::scope;
use crate::tokens::Grant;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use tollgate::jwt::base64url;
use tollgate_storage::accounts::{
    GrantedToken, LoginSession, PresentedRefreshToken, Refresh, RefreshFamily, SuccessorKey,
};
use tollgate_storage::{AuditRecord, Refusal, RevocationKind, StorageError, new_key_id};
use zeroize::Zeroizing;

/// How long refresh tokens live, in seconds.
#[derive(Clone, Copy)]
pub(crate) struct RefreshLifetimes {
    /// One that is not used.
    pub(crate) idle: i64,
    /// All of a grant, from its first one on.
    pub(crate) of_grant: i64,
}

/// What a user let a client have, which refresh tokens stand for.
pub(crate) struct RefreshGrant<'a> {
    /// The id of the access token that is issued along with the first refresh token.
    pub(crate) token_id: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) scope: &'a str,
    pub(crate) session: &'a LoginSession,
    /// What the refresh tokens are bound to.
    pub(crate) confirmation: Confirmation,
}

/// A refresh token as it arrived, of a client that is known.
pub(crate) struct ArrivedRefreshToken {
    pub(crate) token: Zeroizing<String>,
    pub(crate) client_id: String,
    /// What the client asks for; everything that was granted without it.
    pub(crate) scope: Option<String>,
    pub(crate) confirmation: Confirmation,
    /// Whether the client has authenticated, which a public client cannot.
    pub(crate) is_authenticated: bool,
}

/// A refresh token that was exchanged.
pub(crate) struct Exchanged {
    pub(crate) family: RefreshFamily,
    /// Of the access token to be issued.
    pub(crate) scope: String,
    /// The refresh token that is good now.
    pub(crate) successor: Zeroizing<String>,
    /// The id of the access token to be issued with it.
    pub(crate) token_id: String,
}

/// Each of these waits for the disk.
impl App {
    /// The first refresh token of a grant; `None` when the login session or the grant has ended meanwhile.
    pub(crate) fn first_refresh_token(&self, grant: RefreshGrant<'_>) -> Result<Option<Zeroizing<String>>, Problem> {
        let (keys, store) = (&self.accounts.keys, &self.accounts.store);
        let (token, digest) = new_secret()?;
        let mut successor_key = [0; SECRET_BYTES];
        SystemRandom::new().fill(&mut successor_key).map_err(|_| ServerError::NoRandomness)?;
        let created_at = now();
        let ends_at = created_at.saturating_add(self.refresh_lifetimes.of_grant);
        let family = RefreshFamily {
            id: grant.token_id.to_owned(),
            client_id: grant.client_id.to_owned(),
            user_id: grant.session.user_id.clone(),
            session_id: grant.session.id.clone(),
            scope: grant.scope.to_owned(),
            is_offline: scope::contains(grant.scope, OFFLINE_ACCESS),
            confirmation: grant.confirmation.methods().collect(),
            successor_key: SuccessorKey::new(successor_key),
            number: 1,
            authenticated_at: grant.session.authenticated_at,
            created_at,
            rotated_at: created_at,
            expires_at: ends_at.min(created_at.saturating_add(self.refresh_lifetimes.idle)),
            ends_at,
            is_ended: false,
        };
        let access = self.granted(grant.token_id.to_owned(), created_at);
        match keys.wait(store.add_refresh_family(&family, &digest, &access, MAX_REFRESH_FAMILIES)) {
            Ok(()) => {}
            Err(StorageError::Refused(Refusal::Changed { .. })) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        // Whoever finds a code used twice revokes its token first and then ends its family; this one is written down first and then looks
        // for that. So one of the two sees the other.
        if keys.wait(keys.store.revocation(RevocationKind::Token, &self.origin, grant.token_id))?.is_some() {
            self.end_refresh_family(&family)?;
            return Ok(None);
        }
        Ok(Some(token))
    }

    /// The family of the token and the token's number in it, when the token is the client's, whatever its state.
    pub(crate) fn refresh_family(&self, token: &str, client_id: &str) -> Result<Option<(RefreshFamily, i64)>, Problem> {
        let found = self.accounts.keys.wait(self.accounts.store.refresh_family(&digest(token)))?;
        Ok(found.filter(|(family, _)| family.client_id == client_id))
    }

    /// Whether the token of that number would be exchanged at `now`, in seconds since the Unix epoch, by its client; but for a retry.
    pub(crate) fn is_active(&self, family: &RefreshFamily, number: i64, now: i64) -> Result<bool, Problem> {
        if family.is_ended || number != family.number || now >= family.expires_at.min(family.ends_at) {
            return Ok(false);
        }
        let (keys, session_id) = (&self.accounts.keys, Some(family.session_id.as_str()));
        let grant = Grant { session_id, ..Grant::of(&family.client_id, &family.user_id) };
        if revocations::concern(keys, &self.origin, &grant, family.created_at)? {
            return Ok(false);
        }
        let sessions = keys.wait(self.accounts.store.login_sessions_of(&family.user_id, now))?;
        Ok(family.is_offline || sessions.iter().any(|session| session.id == family.session_id))
    }

    /// Exchanges the token for its successor; otherwise the reason is what the store says. A token that was used before ends its family, and
    /// the access tokens that were issued in it are revoked.
    pub(crate) fn exchange(
        &self,
        arrived: &ArrivedRefreshToken,
        family: &RefreshFamily,
    ) -> Result<Result<Exchanged, Refresh>, Problem> {
        let now = now();
        let successor = successor(&family.successor_key, &arrived.token);
        let scope = scope::narrow(arrived.scope.as_deref(), &family.scope);
        let is_shown = arrived.is_authenticated || !family.confirmation.is_empty();
        let presented = PresentedRefreshToken {
            digest: digest(&arrived.token),
            client_id: arrived.client_id.clone(),
            confirmation: arrived.confirmation.methods().collect(),
            is_scope_granted: scope.is_some(),
            retry_within: if is_shown { REFRESH_RETRY_SECONDS } else { 0 },
            successor: digest(&successor),
            successor_expires_at: family.ends_at.min(now.saturating_add(self.refresh_lifetimes.idle)),
            token: self.granted(new_key_id("token")?, now),
            max: MAX_TOKENS_PER_FAMILY,
        };
        let caller = audit::caller_as(&arrived.client_id, None);
        let reused = AuditRecord::new(&caller, REUSED, &family.id)?.concerning(&family.user_id);
        match (self.accounts.keys.wait(self.accounts.store.refresh(&presented, &reused, now))?, scope) {
            (Refresh::Rotated(family) | Refresh::Again(family), Some(scope)) => {
                Ok(Ok(Exchanged { family, scope, successor, token_id: presented.token.id }))
            }
            (Refresh::Reused(family), _) => {
                tracing::warn!(
                    client_id = ?family.client_id,
                    user_id = ?family.user_id,
                    "a refresh token was used twice: its grant has ended"
                );
                self.revoke_tokens_of(&family.id)?;
                Ok(Err(Refresh::Reused(family)))
            }
            (refused, _) => Ok(Err(refused)),
        }
    }

    /// Ends the family, and revokes the access tokens that were issued in it. Returns when that is in force.
    pub(crate) fn end_refresh_family(&self, family: &RefreshFamily) -> Result<(), Problem> {
        self.end_grant(&family.id, &family.user_id)
    }

    /// Ends the refresh tokens of the grant whose first access token has that id, if there are any, and revokes every access token of it.
    pub(crate) fn end_grant(&self, token_id: &str, user_id: &str) -> Result<(), Problem> {
        // First: who is making the family of it looks for this.
        self.revoke_tokens(&[token_id.to_owned()])?;
        let record = AuditRecord::new(&audit::caller(), ENDED, token_id)?.concerning(user_id);
        self.accounts.keys.wait(self.accounts.store.end_refresh_family(token_id, &record))?;
        self.revoke_tokens_of(token_id)
    }

    fn revoke_tokens_of(&self, family_id: &str) -> Result<(), Problem> {
        let tokens = self.accounts.keys.wait(self.accounts.store.tokens_of_family(family_id))?;
        self.revoke_tokens(&tokens)
    }

    /// Revokes the access tokens of these ids. Returns when that is in force.
    pub(crate) fn revoke_tokens(&self, ids: &[String]) -> Result<(), Problem> {
        let (keys, until) = (&self.accounts.keys, now().saturating_add(1 + self.tokens.access_token_ttl()));
        let issuers = keys.wait(self.accounts.store.issuers())?;
        Ok(revocations::revoke_tokens(keys, &issuers, ids, until)?)
    }

    /// An access token that is issued at `now`.
    fn granted(&self, id: String, now: i64) -> GrantedToken {
        GrantedToken { id, expires_at: now.saturating_add(self.tokens.access_token_ttl()) }
    }
}

/// The token after `token`: the same for every process and every retry.
fn successor(key: &SuccessorKey, token: &str) -> Zeroizing<String> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    Zeroizing::new(base64url::encode(hmac::sign(&key, token.as_bytes()).as_ref()))
}

/// As the audit log has them.
const REUSED: &str = "refresh-token.reuse";
const ENDED: &str = "grant.end";
