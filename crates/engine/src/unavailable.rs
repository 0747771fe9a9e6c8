use std::fmt;
use std::sync::Arc;

use crate::excerpt::{Brief, excerpt_of};
use crate::limits::RETRY_AFTER_SECONDS;
use crate::rejection::Rejection;
use crate::status_lists::MissingStatusList;

/// Something from outside the engine that a decision needs, and that is missing now. The credential may be valid, so
/// the rejection is neither 401 nor 403, but 503.
///
/// A verifier around the engine, such as an async one that asks an issuer, makes a [`Rejection`] of it:
///
/// ```
/// use tollgate::{Rejection, Unavailable};
///
/// let cause = Unavailable::no_answer("https://as.example/", "the connection was refused");
/// let rejection = Rejection::from(cause);
/// assert_eq!((rejection.status(), rejection.code()), (503, "issuer-unavailable"));
/// assert_eq!(rejection.retry_after(), Some(5));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Unavailable {
    /// Revocations made elsewhere may not be known here yet, and the issuer
    /// [requires](crate::Issuer::require_fresh_revocations) that they are.
    StaleRevocations {
        /// The configured name of the issuer, or `the store of API keys`.
        issuer: Arc<str>,
    },
    /// The issuer has to be asked about an opaque token that the engine does not know, or a JWT that it has to
    /// [confirm](crate::Issuer::introspect), and was not: an engine asks nobody. For callers that can ask,
    /// [`Engine::unknown_token`](crate::Engine::unknown_token) returns the token and its introspector.
    NotAsked {
        /// The configured name of the issuer.
        issuer: Arc<str>,
    },
    /// The status list that the token refers to is unknown here, or outdated. For callers that can wait,
    /// [`MissingStatusList::fetch`] fetches it.
    NoStatusList {
        /// The configured name of the issuer.
        issuer: Arc<str>,
        /// The list.
        list: MissingStatusList,
    },
    /// The issuer of the credential was asked, and gave no usable answer.
    NoAnswer {
        /// The configured name of the issuer.
        issuer: Arc<str>,
        /// An excerpt of the reason.
        reason: Box<str>,
    },
    /// The [`ReplayStore`](crate::ReplayStore) cannot say whether a DPoP proof was used before.
    ReplayStore,
    /// The issuer of the credential would have to be asked, and was asked too often recently.
    BudgetSpent {
        /// The configured name of the issuer.
        issuer: Arc<str>,
    },
}

impl Unavailable {
    /// The issuer with the configured name `issuer` gave no usable answer. `reason` is for the server's own log; an
    /// excerpt of it is kept.
    #[must_use]
    pub fn no_answer(issuer: impl Into<Arc<str>>, reason: impl fmt::Display) -> Self {
        Unavailable::NoAnswer { issuer: issuer.into(), reason: excerpt_of(reason) }
    }

    /// A stable kebab-case code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Unavailable::StaleRevocations { .. } => "revocations-stale",
            Unavailable::NotAsked { .. } => "not-introspected",
            Unavailable::NoStatusList { .. } => "no-status-list",
            Unavailable::NoAnswer { .. } => "issuer-unavailable",
            Unavailable::ReplayStore => "replay-store-unavailable",
            Unavailable::BudgetSpent { .. } => "budget-spent",
        }
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unavailable::StaleRevocations { issuer } => {
                write!(f, "{} requires fresh revocations, and those that are known are stale", Brief(issuer, 120))
            }
            Unavailable::NotAsked { issuer } => {
                write!(f, "{} has to be asked about the token, and was not", Brief(issuer, 120))
            }
            Unavailable::NoStatusList { issuer, list } => {
                let (issuer, uri) = (Brief(issuer, 60), Brief(list.uri(), 100));
                write!(f, "the status list {uri} of {issuer} is not known here, or outdated")
            }
            Unavailable::NoAnswer { issuer, reason } => {
                write!(f, "{} was asked and gave no answer: {}", Brief(issuer, 60), Brief(reason, 140))
            }
            Unavailable::ReplayStore => f.write_str("the store of used DPoP proofs gave no answer"),
            Unavailable::BudgetSpent { issuer } => {
                write!(f, "{} would have to be asked, and its budget of questions is spent", Brief(issuer, 120))
            }
        }
    }
}

impl std::error::Error for Unavailable {}

/// To be retried after [`RETRY_AFTER_SECONDS`].
impl From<Unavailable> for Rejection {
    #[cold]
    fn from(cause: Unavailable) -> Self {
        Rejection::Unavailable { cause, retry_after: RETRY_AFTER_SECONDS }
    }
}
