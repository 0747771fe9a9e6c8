use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT,
};
use http::{Method, Request, StatusCode};
use hyper::body::Bytes;
use serde::Deserialize;
use tollgate::IntrospectionResponse;
use zeroize::Zeroizing;

use super::authentication::{Authentication, Proof, form_encoded};
use crate::endpoint::Endpoint;
use crate::error::FetchError;
use crate::fetcher::{OUR_NAME, catch_panic, essence, read_body};
use crate::headers::Headers;
use crate::http_client::HttpClient;
use crate::limits::MAX_INTROSPECTION_BYTES;

/// Sends one introspection request at a time. Follows no redirect and requests no compression.
pub(super) struct Client {
    pub(super) http: Arc<dyn HttpClient>,
    pub(super) endpoint: Endpoint,
    pub(super) authentication: Option<Authentication>,
    pub(super) headers: Headers,
    pub(super) timeout: Duration,
}

impl Client {
    pub(super) async fn ask(&self, token: &str) -> Result<IntrospectionResponse, FetchError> {
        let exchange = catch_panic(Box::pin(self.exchange(token)));
        tokio::time::timeout(self.timeout, exchange).await.unwrap_or(Err(FetchError::Timeout))
    }

    async fn exchange(&self, token: &str) -> Result<IntrospectionResponse, FetchError> {
        let request = self.request(token).await?;
        let asked_at = Instant::now();
        let response = self.http.send(request).await?;
        match response.status() {
            StatusCode::OK => {}
            status if status.is_redirection() => return Err(FetchError::Redirect { status: status.as_u16() }),
            status => return Err(FetchError::Status { status: status.as_u16() }),
        }
        vet_content_type(response.headers())?;
        let body = read_body(response, MAX_INTROSPECTION_BYTES).await?;
        // The engine reads the other members.
        serde_json::from_slice::<ActiveMember>(&body).map_err(|_| FetchError::NotAnIntrospectionResponse)?;
        Ok(IntrospectionResponse::new(&*body, asked_at))
    }

    /// RFC 7662 section 2.1.
    async fn request(&self, token: &str) -> Result<Request<Bytes>, FetchError> {
        let token = form_encoded(token.as_bytes());
        let proof = match &self.authentication {
            Some(authentication) => authentication.prove().await?,
            None => Proof::default(),
        };
        let body = ["token=", &token, "&token_type_hint=access_token", &proof.form].concat();
        let body = Zeroizing::new(body.into_bytes());
        let mut request = Request::new(Bytes::from_owner(WipedBody(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.uri().clone();
        let mut headers = self.headers.read().await?;
        if let Some(authorization) = proof.authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(OUR_NAME));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        *request.headers_mut() = headers;
        Ok(request)
    }
}

/// The member that every introspection response has.
#[derive(Deserialize)]
struct ActiveMember {
    #[serde(rename = "active")]
    _active: bool,
}

/// A request body that is wiped after it was sent.
struct WipedBody(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for WipedBody {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// RFC 7662 section 2.2: `application/json`. A document of any other type is not about a token.
fn vet_content_type(headers: &HeaderMap) -> Result<(), FetchError> {
    let (essence, content_type) = essence(headers);
    if essence == "application/json" { Ok(()) } else { Err(FetchError::ContentType { content_type }) }
}
