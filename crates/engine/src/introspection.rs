//! Tokens whose issuer is asked about them (RFC 7662): opaque tokens, which only their issuer can read, and JWTs, which
//! their issuer may have revoked.
//!
//! An issuer's answer about an opaque token becomes facts in a cache like that of JWTs, by a keyed digest of the token.
//! Rejected tokens are remembered for some seconds. The engine asks nobody: it rejects a token without an answer and
//! says so. An async caller asks ([`Introspector`]) and passes the answer in with the request.

mod admit;
mod answer;
mod asked_issuer;
mod digest;
mod introspector;
mod jwts;
mod rejected_tokens;

pub use answer::{IntrospectionAnswer, UnknownToken};
pub use introspector::{Introspecting, IntrospectionFailure, IntrospectionResponse, Introspector};

pub(crate) use digest::TokenDigest;
pub(crate) use jwts::{JwtIntrospection, JwtIntrospector, confirm};

use std::sync::Arc;

use crate::builder::BuildError;
use crate::cache::{Cache, CacheConfig};
use crate::issuer::OpaqueIssuer;
use crate::limits::{ANSWER_CACHE_BYTES, ANSWER_SLOTS_PER_THREAD, MAX_ANSWER_AGE, REJECTED_TOKENS};

use asked_issuer::AskedIssuer;
use digest::Digester;
use rejected_tokens::RejectedTokens;

/// An engine's state for the opaque tokens of other servers.
#[derive(Debug)]
pub(crate) struct Introspection {
    issuers: Box<[Arc<AskedIssuer>]>,
    digester: Digester,
    /// The active tokens.
    answers: Cache,
    /// The tokens that are inactive, or not for this server.
    rejected: RejectedTokens,
}

impl Introspection {
    /// `None` if there is no issuer to ask. `own`: the prefix of the engine's own keys.
    pub(crate) fn new(issuers: &[OpaqueIssuer], own: Option<&str>) -> Result<Option<Self>, BuildError> {
        if issuers.is_empty() {
            return Ok(None);
        }
        let asked: Box<[_]> =
            issuers.iter().map(|issuer| AskedIssuer::new(issuer).map(Arc::new)).collect::<Result<_, BuildError>>()?;
        for (index, issuer) in asked.iter().enumerate() {
            if let Some(other) = asked[..index].iter().find(|other| other.overlaps(issuer)) {
                let [issuer, other] = [issuer, other].map(|one| one.name().as_ref().into());
                return Err(BuildError::TokenPrefixesOverlap { issuer, other });
            }
            if let (Some(prefix), Some(own)) = (issuer.prefix(), own)
                && prefix.starts_with(own)
            {
                return Err(BuildError::TokenPrefixOfKeys { issuer: issuer.name().as_ref().into() });
            }
        }
        let config = CacheConfig {
            bytes: ANSWER_CACHE_BYTES,
            per_thread_slots: ANSWER_SLOTS_PER_THREAD,
            max_token_age: MAX_ANSWER_AGE,
        };
        Ok(Some(Introspection {
            issuers: asked,
            digester: Digester::new().ok_or(BuildError::NoRandomness)?,
            answers: Cache::new(config),
            rejected: RejectedTokens::new(REJECTED_TOKENS),
        }))
    }

    /// A token's issuer, decided by the token's prefix alone. No prefix begins with another.
    fn issuer_of(&self, token: &[u8]) -> Option<&Arc<AskedIssuer>> {
        let prefixed = self.issuers.iter().find(|issuer| issuer.has_prefix_of(token));
        prefixed.or_else(|| self.issuers.iter().find(|issuer| issuer.prefix().is_none()))
    }
}
