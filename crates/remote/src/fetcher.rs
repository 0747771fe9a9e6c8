use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderValue,
    IF_NONE_MATCH, USER_AGENT,
};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Bytes;

use crate::cache_control::max_age;
use crate::endpoint::Endpoint;
use crate::error::FetchError;
use crate::headers::Headers;
use crate::http_client::{HttpClient, ResponseBody};
use crate::limits::MAX_ETAG_BYTES;
use crate::sent_at::sent_at;

/// Fetches one small JSON document at a time. Follows no redirect and requests no compression.
#[derive(Clone)]
pub(crate) struct Fetcher {
    pub(crate) client: Arc<dyn HttpClient>,
    /// Sent only to the origin of `configured`.
    pub(crate) headers: Headers,
    /// The configured endpoint, or that of the configured issuer's metadata.
    pub(crate) configured: Endpoint,
    pub(crate) timeout: Duration,
    pub(crate) max_bytes: usize,
    pub(crate) any_content_type: bool,
}

/// Conditions of a request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Conditions<'c> {
    /// Request the document only if it has changed.
    pub(crate) if_none_match: Option<&'c HeaderValue>,
    /// Require intermediate caches to revalidate.
    pub(crate) revalidate: bool,
}

/// A successful answer.
#[derive(Debug)]
pub(crate) enum Answer {
    NotModified { times: Times },
    Document { bytes: Bytes, times: Times, etag: Option<HeaderValue> },
}

/// What the fields of an answer say of time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) max_age: Option<Duration>,
    /// The provider's time, in seconds since the Unix epoch.
    pub(crate) sent_at: Option<i64>,
}

impl Times {
    fn of(headers: &HeaderMap) -> Self {
        Times { max_age: max_age(headers), sent_at: sent_at(headers) }
    }
}

impl Fetcher {
    pub(crate) async fn get(&self, endpoint: &Endpoint, conditions: Conditions<'_>) -> Result<Answer, FetchError> {
        let exchange = catch_panic(Box::pin(self.exchange(endpoint, conditions)));
        tokio::time::timeout(self.timeout, exchange).await.unwrap_or(Err(FetchError::Timeout))
    }

    async fn exchange(&self, endpoint: &Endpoint, conditions: Conditions<'_>) -> Result<Answer, FetchError> {
        let request = self.request(endpoint, conditions).await?;
        let response = self.client.send(request).await?;
        match response.status() {
            StatusCode::OK => self.document(response).await,
            StatusCode::NOT_MODIFIED if conditions.if_none_match.is_some() => {
                Ok(Answer::NotModified { times: Times::of(response.headers()) })
            }
            status if status.is_redirection() && status != StatusCode::NOT_MODIFIED => {
                Err(FetchError::Redirect { status: status.as_u16() })
            }
            status => Err(FetchError::Status { status: status.as_u16() }),
        }
    }

    async fn request(&self, endpoint: &Endpoint, conditions: Conditions<'_>) -> Result<Request<Bytes>, FetchError> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = endpoint.uri().clone();
        let headers = request.headers_mut();
        // Metadata and failover URIs may name any host, which must not get the credentials of another one.
        if endpoint.has_origin_of(&self.configured) {
            *headers = self.headers.read().await?;
        }
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(OUR_NAME));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, application/jwk-set+json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(etag) = conditions.if_none_match {
            headers.insert(IF_NONE_MATCH, etag.clone());
        }
        if conditions.revalidate {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        }
        Ok(request)
    }

    async fn document(&self, response: Response<ResponseBody>) -> Result<Answer, FetchError> {
        let headers = response.headers();
        if !self.any_content_type {
            vet_content_type(headers)?;
        }
        let times = Times::of(headers);
        let etag = headers.get(ETAG).filter(|etag| etag.len() <= MAX_ETAG_BYTES).cloned();
        Ok(Answer::Document { bytes: read_body(response, self.max_bytes).await?, times, etag })
    }
}

/// Reads the body of an answer, at most `max` bytes.
pub(crate) async fn read_body(response: Response<ResponseBody>, max: usize) -> Result<Bytes, FetchError> {
    let headers = response.headers();
    if headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(FetchError::ContentEncoding);
    }
    let too_large = FetchError::TooLarge { max };
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > max) {
        return Err(too_large);
    }
    let body = Limited::new(response.into_body().0, max).collect().await;
    let body = body.map_err(|error| if error.is::<LengthLimitError>() { too_large } else { FetchError::Interrupted });
    Ok(body?.to_bytes())
}

pub(crate) const OUR_NAME: &str = concat!("tollgate/", env!("CARGO_PKG_VERSION"));

/// Accepts `application/json`, `application/jwk-set+json` (RFC 7517 section 8.5.2), other JSON types (RFC 6839 section
/// 3.1), and the types that storage services use for files of unknown type: `binary/octet-stream` (S3) and
/// `application/octet-stream`.
///
/// Those two mean "bytes", and browsers do not display them. Types that describe a document other than JSON are
/// refused: error and login pages are `text/html`, and texts that users paste are `text/plain`.
fn vet_content_type(headers: &HeaderMap) -> Result<(), FetchError> {
    let (essence, content_type) = essence(headers);
    let subtype = essence.strip_prefix("application/").unwrap_or_default();
    let is_json = subtype == "json" || subtype.ends_with("+json");
    if is_json || matches!(&*essence, "application/octet-stream" | "binary/octet-stream") {
        Ok(())
    } else {
        Err(FetchError::ContentType { content_type })
    }
}

/// The media type in lower case without parameters, and an excerpt of the whole field.
pub(crate) fn essence(headers: &HeaderMap) -> (String, String) {
    let content_type = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let content_type = String::from_utf8_lossy(content_type);
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    (essence, content_type.chars().take(100).collect())
}

/// Turns a panic of the caller's own client into a failed request. Otherwise the panic would end the task that
/// refreshes the keys.
pub(crate) async fn catch_panic<T>(mut exchange: Exchange<'_, T>) -> Result<T, FetchError> {
    poll_fn(move |context| {
        let polled = catch_unwind(AssertUnwindSafe(|| exchange.as_mut().poll(context)));
        polled.unwrap_or_else(|_| Poll::Ready(Err(FetchError::Client { reason: "it panicked".to_owned() })))
    })
    .await
}

type Exchange<'e, T> = Pin<Box<dyn Future<Output = Result<T, FetchError>> + Send + 'e>>;
