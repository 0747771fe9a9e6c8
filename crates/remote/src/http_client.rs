//! The HTTP client: the built-in one, or the caller's own.

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
/// The client is responsible for the connection: name resolution, TLS with its trusted certificates, proxies, client
/// certificates. This crate does the rest: it chooses the URIs and header fields, enforces the time limit (by dropping
/// the future), and checks the status, the content type and the size of the body while reading it.
///
/// **A client must not follow redirects**, answer from a cache or decompress. This crate refuses a redirect; a client
/// that followed one would send the request's credentials to the redirect's target.
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
    /// Sends `request`, a GET without a body or a POST with one. Returns the answer with its body unread.
    ///
    /// # Errors
    /// [`FetchError::Connect`], [`FetchError::Tls`], or [`FetchError::Client`] for anything else.
    fn send(&self, request: Request<Bytes>) -> Sending<'_>;
}

/// A request in flight.
pub type Sending<'c> = Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, FetchError>> + Send + 'c>>;

/// The body of an answer.
pub struct ResponseBody(pub(crate) UnsyncBoxBody<Bytes, BodyError>);

/// The error that ended a body early.
#[derive(Debug, thiserror::Error)]
#[error("the body ended early")]
pub(crate) struct BodyError(#[source] Box<dyn Error + Send + Sync>);

impl ResponseBody {
    /// Wraps any body, such as that of a `reqwest::Response` converted into an [`http::Response`].
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
