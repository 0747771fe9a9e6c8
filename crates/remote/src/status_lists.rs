//! Token status lists (draft-ietf-oauth-status-list): fetched, verified and inflated.

mod builder;
mod document;
mod settings;

pub use builder::StatusListsBuilder;
pub use settings::StatusListSettings;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderValue, USER_AGENT};
use http::{Request, StatusCode};
use hyper::body::Bytes;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task;
use tokio::time::Instant;
use tollgate::{StatusListFetch, StatusListFetcher, StatusLists};

use crate::endpoint::{Endpoint, PlainHttp};
use crate::error::FetchError;
use crate::fetcher::{OUR_NAME, contained, essence, read_body};
use crate::headers::Headers;
use crate::http_client::HttpClient;
use crate::limits::MAX_STATUS_LIST_TOKEN_BYTES;
use crate::token_bucket::TokenBucket;

use document::Vetting;

/// Fetches the lists of one issuer: each once at a time, and all together within a budget.
struct Fetcher {
    client: Arc<dyn HttpClient>,
    headers: Headers,
    plain_http: PlainHttp,
    timeout: Duration,
    vetting: Arc<Vetting>,
    runtime: Handle,
    start: Instant,
    under_way: Mutex<UnderWay>,
}

struct UnderWay {
    by_uri: HashMap<Box<str>, Landing>,
    budget: TokenBucket,
}

type Landing = watch::Receiver<Option<Result<(), Box<str>>>>;

/// The fetcher itself, so that a fetch can go on when those who waited have gone.
struct Shared(Arc<Fetcher>);

impl StatusListFetcher for Shared {
    fn fetch<'r>(&'r self, lists: &'r StatusLists, uri: &'r str, now: i64) -> StatusListFetch<'r> {
        Box::pin(async move {
            let mut landing = self.board(lists, uri, now)?;
            let outcome = landing.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
            // The task ends without an outcome only with its runtime.
            outcome.unwrap_or_else(|| Err("the fetch was interrupted".into()))
        })
    }
}

impl Shared {
    fn board(&self, lists: &StatusLists, uri: &str, now: i64) -> Result<Landing, Box<str>> {
        let fetcher = &self.0;
        let mut under_way = fetcher.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(landing) = under_way.by_uri.get(uri) {
            return Ok(landing.clone());
        }
        if !under_way.budget.take(fetcher.start.elapsed()) {
            return Err("the budget of fetches is spent".into());
        }
        let (sender, landing) = watch::channel(None);
        under_way.by_uri.insert(uri.into(), landing.clone());
        drop(under_way);
        let (fetcher, lists, uri) = (Arc::clone(fetcher), lists.clone(), Box::<str>::from(uri));
        self.0.runtime.spawn(async move {
            let outcome = fetcher.refresh(&lists, &uri, now).await;
            if let Err(error) = &outcome {
                tracing::warn!(%uri, code = error.code(), %error, "status list not fetched");
            }
            fetcher.under_way.lock().unwrap_or_else(PoisonError::into_inner).by_uri.remove(&uri);
            sender.send_replace(Some(outcome.map_err(|error| error.to_string().into())));
        });
        Ok(landing)
    }
}

impl Fetcher {
    async fn refresh(&self, lists: &StatusLists, uri: &str, now: i64) -> Result<(), FetchError> {
        let exchange = contained(Box::pin(self.exchange(uri)));
        let token = tokio::time::timeout(self.timeout, exchange).await.unwrap_or(Err(FetchError::Timeout))?;
        let (vetting, expected) = (Arc::clone(&self.vetting), uri.to_owned());
        let vetted = task::spawn_blocking(move || vetting.vet(&token, &expected, now)).await;
        let list = vetted.unwrap_or(Err(FetchError::Interrupted))?;
        if lists.publish(uri, list) { Ok(()) } else { Err(FetchError::TooManyStatusLists) }
    }

    async fn exchange(&self, uri: &str) -> Result<Bytes, FetchError> {
        // What a token names may be no URI that is fetched.
        let endpoint = Endpoint::parse(uri, self.plain_http).map_err(|_| FetchError::Interrupted)?;
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = endpoint.uri().clone();
        let mut headers = self.headers.read().await?;
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(OUR_NAME));
        headers.insert(ACCEPT, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        *request.headers_mut() = headers;
        let response = self.client.send(request).await?;
        match response.status() {
            StatusCode::OK => {}
            status if status.is_redirection() => return Err(FetchError::Redirect { status: status.as_u16() }),
            status => return Err(FetchError::Status { status: status.as_u16() }),
        }
        let (essence, content_type) = essence(response.headers());
        if essence != MEDIA_TYPE {
            return Err(FetchError::ContentType { content_type });
        }
        read_body(response, MAX_STATUS_LIST_TOKEN_BYTES).await
    }
}

const MEDIA_TYPE: &str = "application/statuslist+jwt";
