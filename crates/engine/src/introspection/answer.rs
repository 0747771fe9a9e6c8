use std::fmt;
use std::sync::Arc;

use tollgate_jwt::json::{self, Value};
use tollgate_jwt::{ClaimLimits, Claims};

use super::{IntrospectionFailure, IntrospectionResponse, Introspector, TokenDigest};
use crate::clock::Now;
use crate::rejection::Rejection;
use crate::unavailable::Unavailable;

/// An opaque token that the engine does not know, or a JWT whose issuer has to [confirm](crate::Issuer::introspect) it,
/// with the introspector that asks about it: see [`Engine::unknown_token`].
///
/// [`Engine::unknown_token`]: crate::Engine::unknown_token
pub struct UnknownToken<'r> {
    pub(super) text: &'r str,
    pub(super) issuer: Arc<str>,
    pub(super) introspector: Arc<dyn Introspector>,
    pub(super) digest: TokenDigest,
}

impl<'r> UnknownToken<'r> {
    /// The configured name of the issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The token. It is a credential: send it to its issuer's endpoint only.
    #[must_use]
    pub fn text(&self) -> &'r str {
        self.text
    }

    /// The introspector that asks the issuer.
    #[must_use]
    pub fn introspector(&self) -> &Arc<dyn Introspector> {
        &self.introspector
    }

    /// The issuer's answer about this token, for [`Request::introspected`](crate::Request::introspected).
    #[must_use]
    pub fn answered(&self, response: IntrospectionResponse) -> IntrospectionAnswer {
        IntrospectionAnswer { digest: self.digest, response }
    }

    /// The rejection if there is no answer: 503, to be retried.
    #[must_use]
    pub fn not_answered(&self, failure: IntrospectionFailure) -> Rejection {
        let issuer = self.issuer.clone();
        match failure {
            IntrospectionFailure::NoAnswer { reason } => Unavailable::no_answer(issuer, reason).into(),
            IntrospectionFailure::BudgetSpent { retry_after } => {
                Rejection::Unavailable { cause: Unavailable::BudgetSpent { issuer }, retry_after }
            }
        }
    }
}

/// Omits the token.
impl fmt::Debug for UnknownToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnknownToken").field("issuer", &self.issuer()).finish_non_exhaustive()
    }
}

/// An issuer's answer about one token. It is used for that token only, and by the engine that reported it unknown.
#[derive(Clone, Debug)]
pub struct IntrospectionAnswer {
    pub(super) digest: TokenDigest,
    pub(super) response: IntrospectionResponse,
}

impl IntrospectionAnswer {
    /// The time at which the question was sent, in seconds since the Unix epoch.
    pub(super) fn asked_at(&self, now: Now) -> i64 {
        // The age is rounded up, so that an answer is never used for longer.
        let age = self.response.asked_at.elapsed().as_millis().div_ceil(1000);
        now.earliest.saturating_sub(i64::try_from(age).unwrap_or(i64::MAX))
    }

    /// The claims of an active token (RFC 7662 section 2.2); `None` if the token is inactive. An unreadable response is
    /// no answer, and decides nothing about the token.
    pub(super) fn read<'s>(
        &self,
        issuer: &Arc<str>,
        buffer: &'s mut json::Buffer,
    ) -> Result<Option<Claims<'s>>, Rejection> {
        let claims = Claims::of_json(&self.response.json, &ClaimLimits::default(), buffer);
        let claims = claims.map_err(|error| Unavailable::no_answer(issuer.clone(), error))?;
        match claims.get("active") {
            Some(Value::Bool(true)) => Ok(Some(claims)),
            Some(Value::Bool(false)) => Ok(None),
            _ => Err(Unavailable::no_answer(issuer.clone(), "active is neither true nor false").into()),
        }
    }
}

#[cold]
pub(super) fn not_asked(issuer: &Arc<str>) -> Rejection {
    Unavailable::NotAsked { issuer: issuer.clone() }.into()
}

#[cold]
pub(super) fn inactive(issuer: &Arc<str>) -> Rejection {
    Rejection::InactiveToken { issuer: issuer.clone() }
}
