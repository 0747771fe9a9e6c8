use std::fmt;
use std::sync::Arc;

use tollgate_jwt::json::{self, Value};
use tollgate_jwt::{ClaimLimits, Claims};

use super::{IntrospectionFailure, IntrospectionResponse, Introspector, TokenDigest};
use crate::clock::Now;
use crate::rejection::Rejection;
use crate::unavailable::Unavailable;

/// An opaque token that nobody here knows, or a JWT whose issuer is to [confirm](crate::Issuer::introspect) it, and who is to be asked
/// about it: [`Engine::unknown_token`].
///
/// [`Engine::unknown_token`]: crate::Engine::unknown_token
pub struct UnknownToken<'r> {
    pub(super) text: &'r str,
    pub(super) issuer: Arc<str>,
    pub(super) introspector: Arc<dyn Introspector>,
    pub(super) digest: TokenDigest,
}

impl<'r> UnknownToken<'r> {
    /// The issuer, as it is configured.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The token. It is a credential: for its issuer's endpoint alone.
    #[must_use]
    pub fn text(&self) -> &'r str {
        self.text
    }

    /// Asks the issuer.
    #[must_use]
    pub fn introspector(&self) -> &Arc<dyn Introspector> {
        &self.introspector
    }

    /// What the issuer answered about this token, for [`Request::introspected`](crate::Request::introspected).
    #[must_use]
    pub fn answered(&self, response: IntrospectionResponse) -> IntrospectionAnswer {
        IntrospectionAnswer { digest: self.digest, response }
    }

    /// The rejection where there is no answer: 503, to be asked again.
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

/// Without the token.
impl fmt::Debug for UnknownToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnknownToken").field("issuer", &self.issuer()).finish_non_exhaustive()
    }
}

/// What an issuer answered about one token. It counts for that token alone, and for the engine that named it unknown.
#[derive(Clone, Debug)]
pub struct IntrospectionAnswer {
    pub(super) digest: TokenDigest,
    pub(super) response: IntrospectionResponse,
}

impl IntrospectionAnswer {
    /// When the question was sent, in seconds since the Unix epoch.
    pub(super) fn asked_at(&self, now: Now) -> i64 {
        // Its age is rounded up, so that an answer never serves for longer.
        let age = self.response.asked_at.elapsed().as_millis().div_ceil(1000);
        now.earliest.saturating_sub(i64::try_from(age).unwrap_or(i64::MAX))
    }

    /// What it says of a token that is active (RFC 7662 section 2.2); `None` of one that is not. What cannot be read is no answer, and
    /// nothing follows from it for the token.
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
