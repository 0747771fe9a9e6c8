use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

/// Asks the introspection endpoint of one authorization server (RFC 7662 section 2).
///
/// `tollgate-remote` has one; an engine is given it with the [`OpaqueIssuer`](crate::OpaqueIssuer) and never calls it itself.
pub trait Introspector: Send + Sync {
    /// Asks what `token` is. It takes a bounded time, and what many calls lead to is bounded too.
    ///
    /// `token` is a credential: it goes to the endpoint and nowhere else, no log either.
    fn introspect<'r>(&'r self, token: &'r str) -> Introspecting<'r>;
}

/// A question under way: [`Introspector::introspect`].
pub type Introspecting<'r> =
    Pin<Box<dyn Future<Output = Result<IntrospectionResponse, IntrospectionFailure>> + Send + 'r>>;

/// What the endpoint answered: the body of a response whose status, media type and size were in order. Clones share it.
#[derive(Clone)]
pub struct IntrospectionResponse {
    pub(crate) json: Arc<[u8]>,
    pub(crate) asked_at: Instant,
}

impl IntrospectionResponse {
    /// `json`: the body. `asked_at`: before the question was sent, from when on its age is counted.
    #[must_use]
    pub fn new(json: impl Into<Arc<[u8]>>, asked_at: Instant) -> Self {
        IntrospectionResponse { json: json.into(), asked_at }
    }
}

/// Shows nothing of the body, which may name people.
impl fmt::Debug for IntrospectionResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionResponse").field("bytes", &self.json.len()).finish_non_exhaustive()
    }
}

/// Why there is no answer. Nothing follows from it for the token.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum IntrospectionFailure {
    /// The endpoint cannot be reached, is too slow, or answers what is no introspection response.
    NoAnswer {
        /// What happened, for the server's own log. It holds nothing of the token.
        reason: Box<str>,
    },
    /// The endpoint was asked as often as it may be.
    BudgetSpent {
        /// After how many seconds it may be asked again.
        retry_after: u32,
    },
}
