//! The client that sends the requests: the built-in one, or one of the caller's own.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes};

use crate::error::FetchError;

/// Sends the requests of remote key sets and to introspection endpoints: for
/// [`RemoteKeysBuilder::http_client`](crate::RemoteKeysBuilder::http_client) and
/// [`IntrospectionBuilder::http_client`](crate::IntrospectionBuilder::http_client).
///
/// The client is in charge of the connection: name resolution, TLS and whose certificates it trusts, proxies, client
/// certificates. All else is done before and after it: which URIs are fetched, the header fields, the time limit (which
/// drops the future), the status, the content type, and the size of the body, which is read as it comes.
///
/// **A client must not follow redirects**, nor answer from a cache or decompress: a redirect is refused here, and a client
/// that followed one would carry the credentials of the request to whatever the answer names.
///
/// ```
/// use http::{Request, Response};
/// use hyper::body::Bytes;
/// use tollgate_remote::{HttpClient, ResponseBody, Sending};
///
/// /// Answers from memory, as a test or an air-gapped machine might.
/// struct InMemory(&'static str);
///
/// impl HttpClient for InMemory {
///     fn send(&self, _: Request<Bytes>) -> Sending<'_> {
///         let response = Response::builder().header("content-type", "application/json");
///         let body = ResponseBody::from(self.0.as_bytes().to_vec());
///         Box::pin(async move { Ok(response.body(body).expect("a response")) })
///     }
/// }
/// ```
pub trait HttpClient: Send + Sync {
    /// Sends `request`, a GET without a body or a POST with one, and returns the answer with its body unread.
    ///
    /// # Errors
    /// [`FetchError::Connect`], [`FetchError::Tls`], or [`FetchError::Client`] for whatever else.
    fn send(&self, request: Request<Bytes>) -> Sending<'_>;
}

/// A request under way.
pub type Sending<'c> = Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, FetchError>> + Send + 'c>>;

/// The body of an answer.
pub struct ResponseBody(pub(crate) UnsyncBoxBody<Bytes, BodyError>);

/// Whatever ended a body before its end.
#[derive(Debug, thiserror::Error)]
#[error("the body ended early")]
pub(crate) struct BodyError(#[source] Box<dyn Error + Send + Sync>);

impl ResponseBody {
    /// A body of any kind, such as that of a `reqwest::Response` that was turned into an [`http::Response`].
    pub fn new<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        ResponseBody(body.map_err(|error| BodyError(error.into())).boxed_unsync())
    }
}

impl From<Vec<u8>> for ResponseBody {
    fn from(bytes: Vec<u8>) -> Self {
        ResponseBody::new(Full::from(bytes))
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseBody")
    }
}
