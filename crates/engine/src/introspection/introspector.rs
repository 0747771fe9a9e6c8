use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

/// Asks the introspection endpoint of one authorization server (RFC 7662 section 2).
///
/// `tollgate-remote` has an implementation. An engine gets it with the [`OpaqueIssuer`](crate::OpaqueIssuer), and never
/// calls it itself.
pub trait Introspector: Send + Sync {
    /// Asks what `token` is. A call takes a bounded time, and many calls send a bounded number of requests.
    ///
    /// `token` is a credential: it must go to the endpoint only, and into no log.
    fn introspect<'r>(&'r self, token: &'r str) -> Introspecting<'r>;
}

/// A pending question: see [`Introspector::introspect`].
pub type Introspecting<'r> =
    Pin<Box<dyn Future<Output = Result<IntrospectionResponse, IntrospectionFailure>> + Send + 'r>>;

/// The endpoint's answer: the body of a response with valid status, media type and size. Clones share the body.
#[derive(Clone)]
pub struct IntrospectionResponse {
    pub(crate) json: Arc<[u8]>,
    pub(crate) asked_at: Instant,
}

impl IntrospectionResponse {
    /// `json`: the body. `asked_at`: a time before the question was sent, from which the answer's age is counted.
    #[must_use]
    pub fn new(json: impl Into<Arc<[u8]>>, asked_at: Instant) -> Self {
        IntrospectionResponse { json: json.into(), asked_at }
    }
}

/// Omits the body, which may name people.
impl fmt::Debug for IntrospectionResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionResponse").field("bytes", &self.json.len()).finish_non_exhaustive()
    }
}

/// Why there is no answer. This decides nothing about the token.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum IntrospectionFailure {
    /// The endpoint is unreachable, is too slow, or its response is not an introspection response.
    NoAnswer {
        /// What happened, for the server's own log, without anything of the token.
        reason: Box<str>,
    },
    /// The endpoint was asked as often as allowed.
    BudgetSpent {
        /// The seconds after which it may be asked again.
        retry_after: u32,
    },
}
