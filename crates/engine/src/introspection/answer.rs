use std::fmt;
use std::sync::Arc;

use super::asked_issuer::AskedIssuer;
use super::{IntrospectionFailure, IntrospectionResponse, Introspector, TokenDigest};
use crate::rejection::Rejection;
use crate::unavailable::Unavailable;

/// An opaque token that nobody here knows, and the issuer that is to be asked about it: [`Engine::unknown_token`].
///
/// [`Engine::unknown_token`]: crate::Engine::unknown_token
pub struct UnknownToken<'r> {
    pub(super) text: &'r str,
    pub(super) issuer: Arc<AskedIssuer>,
    pub(super) digest: TokenDigest,
}

impl<'r> UnknownToken<'r> {
    /// The issuer, as it is configured.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.issuer.name()
    }

    /// The token. It is a credential: for its issuer's endpoint alone.
    #[must_use]
    pub fn text(&self) -> &'r str {
        self.text
    }

    /// Asks the issuer.
    #[must_use]
    pub fn introspector(&self) -> &Arc<dyn Introspector> {
        self.issuer.introspector()
    }

    /// What the issuer answered about this token, for [`Request::introspected`](crate::Request::introspected).
    #[must_use]
    pub fn answered(&self, response: IntrospectionResponse) -> IntrospectionAnswer {
        IntrospectionAnswer { digest: self.digest, response }
    }

    /// The rejection where there is no answer: 503, to be asked again.
    #[must_use]
    pub fn not_answered(&self, failure: IntrospectionFailure) -> Rejection {
        let issuer = self.issuer.name().clone();
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
