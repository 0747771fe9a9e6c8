use std::error::Error;
use std::io;
use std::time::Duration;

use http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderValue,
    IF_NONE_MATCH, USER_AGENT,
};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{HttpConnector, HttpInfo};
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;

use crate::cache_control::max_age;
use crate::endpoint::Endpoint;
use crate::error::FetchError;
use crate::limits::{MAX_ETAG_BYTES, MAX_RESPONSE_HEAD_BYTES};

/// Fetches one small JSON document at a time. It follows no redirect, keeps no connection and no cookie, takes no proxy
/// from the environment, and asks for no compression.
#[derive(Clone, Debug)]
pub(crate) struct HttpClient {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    timeout: Duration,
    max_bytes: usize,
    any_content_type: bool,
}

/// What is asked for besides the document.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Conditions<'c> {
    /// Answer only if the document is no longer this one.
    pub(crate) if_none_match: Option<&'c HeaderValue>,
    /// Let no cache on the way answer on its own.
    pub(crate) revalidate: bool,
}

/// What came.
#[derive(Debug)]
pub(crate) enum Answer {
    NotModified { max_age: Option<Duration> },
    Document { bytes: Bytes, max_age: Option<Duration>, etag: Option<HeaderValue> },
}

impl HttpClient {
    pub(crate) fn new(tls: ClientConfig, timeout: Duration, max_bytes: usize, any_content_type: bool) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        // An endpoint is HTTPS, or on this machine: that is vetted before it gets here.
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .http1_max_buf_size(MAX_RESPONSE_HEAD_BYTES)
            .build(connector.wrap_connector(tcp));
        HttpClient { client, timeout, max_bytes, any_content_type }
    }

    /// The longest document that is read.
    pub(crate) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    pub(crate) async fn get(&self, endpoint: &Endpoint, conditions: Conditions<'_>) -> Result<Answer, FetchError> {
        let request = self.request(endpoint, conditions)?;
        let exchange = self.exchange(request, endpoint.is_plain(), conditions.if_none_match.is_some());
        tokio::time::timeout(self.timeout, exchange).await.unwrap_or(Err(FetchError::Timeout))
    }

    fn request(&self, endpoint: &Endpoint, conditions: Conditions<'_>) -> Result<Request<Empty<Bytes>>, FetchError> {
        let mut request = Request::get(endpoint.uri())
            .header(ACCEPT, "application/json, application/jwk-set+json")
            .header(ACCEPT_ENCODING, "identity")
            .header(USER_AGENT, concat!("tollgate/", env!("CARGO_PKG_VERSION")));
        if let Some(etag) = conditions.if_none_match {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if conditions.revalidate {
            request = request.header(CACHE_CONTROL, "no-cache");
        }
        request.body(Empty::new()).map_err(|_| FetchError::Connect)
    }

    async fn exchange(
        &self,
        request: Request<Empty<Bytes>>,
        plain: bool,
        conditional: bool,
    ) -> Result<Answer, FetchError> {
        let response = self.client.request(request).await.map_err(|error| failure(&error))?;
        let peer = response.extensions().get::<HttpInfo>().map(|info| info.remote_addr().ip());
        if plain && !peer.is_some_and(|peer| peer.to_canonical().is_loopback()) {
            return Err(FetchError::NotLoopback);
        }
        match response.status() {
            StatusCode::OK => self.document(response).await,
            StatusCode::NOT_MODIFIED if conditional => Ok(Answer::NotModified { max_age: max_age(response.headers()) }),
            status if status.is_redirection() && status != StatusCode::NOT_MODIFIED => {
                Err(FetchError::Redirect { status: status.as_u16() })
            }
            status => Err(FetchError::Status { status: status.as_u16() }),
        }
    }

    async fn document(&self, response: Response<Incoming>) -> Result<Answer, FetchError> {
        let headers = response.headers();
        if !self.any_content_type {
            vet_content_type(headers)?;
        }
        if headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
            return Err(FetchError::ContentEncoding);
        }
        let too_large = FetchError::TooLarge { max: self.max_bytes };
        let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if length.is_some_and(|length| length > self.max_bytes) {
            return Err(too_large);
        }
        let max_age = max_age(headers);
        let etag = headers.get(ETAG).filter(|etag| etag.len() <= MAX_ETAG_BYTES).cloned();
        let body = Limited::new(response.into_body(), self.max_bytes).collect().await;
        let bytes =
            body.map_err(|error| if error.is::<LengthLimitError>() { too_large } else { FetchError::Interrupted });
        Ok(Answer::Document { bytes: bytes?.to_bytes(), max_age, etag })
    }
}

/// `application/json`, `application/jwk-set+json` (RFC 7517 section 8.5.2) or another JSON type (RFC 6839 section 3.1).
fn vet_content_type(headers: &HeaderMap) -> Result<(), FetchError> {
    let content_type = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let content_type = String::from_utf8_lossy(content_type);
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let subtype = essence.strip_prefix("application/").unwrap_or_default();
    if subtype == "json" || subtype.ends_with("+json") {
        Ok(())
    } else {
        Err(FetchError::ContentType { content_type: content_type.chars().take(100).collect() })
    }
}

fn failure(error: &hyper_util::client::legacy::Error) -> FetchError {
    match tls_failure(error) {
        Some(reason) => FetchError::Tls { reason },
        None if error.is_connect() => FetchError::Connect,
        None => FetchError::Interrupted,
    }
}

/// What rustls found wrong, if it was that: it lies below several other errors.
fn tls_failure(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(failure) = error.downcast_ref::<rustls::Error>() {
        return Some(failure.to_string());
    }
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        // What an io::Error wraps is not its source.
        Some(wrapped) => tls_failure(wrapped),
        None => error.source().and_then(tls_failure),
    }
}
