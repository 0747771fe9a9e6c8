//! Token status lists (draft-ietf-oauth-status-list): fetched, verified and inflated.

mod builder;
mod document;
mod settings;

pub use builder::StatusListsBuilder;
pub use settings::StatusListSettings;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderValue, USER_AGENT};
use http::{Request, StatusCode};
use hyper::body::Bytes;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{self, AbortHandle};
use tokio::time::{Instant, sleep};
use tollgate::{StatusListFetch, StatusListFetcher, StatusLists, WeakStatusLists};

use crate::endpoint::{Endpoint, PlainHttp};
use crate::error::FetchError;
use crate::fetcher::{OUR_NAME, contained, essence, read_body};
use crate::headers::Headers;
use crate::http_client::HttpClient;
use crate::limits::{
    JITTER, MAX_STATUS_LIST_TOKEN_BYTES, MIN_KEPT_STATUS_LIST_AGE, RETRY_FIRST, RETRY_MAX, UNUSED_STATUS_LIST_AGE,
};
use crate::token_bucket::TokenBucket;

use document::Vetting;

/// Fetches the lists of one issuer: each once at a time, and all together within a budget. Those in use are fetched again in the
/// background, before they run out.
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
    /// The lists that are fetched again in the background, and the tasks that do it.
    kept: HashMap<Box<str>, AbortHandle>,
    budget: TokenBucket,
}

/// Until when the list serves that was fetched, in seconds since the Unix epoch.
type Outcome = Result<i64, Box<str>>;

type Landing = watch::Receiver<Option<Outcome>>;

/// What the lists own. With it the tasks end that keep them fresh.
struct Shared(Arc<Fetcher>);

impl StatusListFetcher for Shared {
    fn fetch<'r>(&'r self, lists: &'r StatusLists, uri: &'r str, now: i64) -> StatusListFetch<'r> {
        let clock = Clock::set_to(now);
        Box::pin(async move { self.0.fetch(lists, uri, clock).await.map(drop) })
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for task in self.0.under_way().kept.values() {
            task.abort();
        }
    }
}

/// A clock that was set once, and goes on by itself.
#[derive(Clone, Copy)]
struct Clock {
    time: i64,
    set_at: Instant,
}

impl Clock {
    fn set_to(time: i64) -> Self {
        Clock { time, set_at: Instant::now() }
    }

    /// In seconds since the Unix epoch.
    fn now(&self) -> i64 {
        self.time.saturating_add(i64::try_from(self.set_at.elapsed().as_secs()).unwrap_or(i64::MAX))
    }

    /// The time until then.
    fn until(&self, then: i64) -> Duration {
        Duration::from_secs(u64::try_from(then.saturating_sub(self.now())).unwrap_or(0))
    }
}

impl Fetcher {
    /// Joins the fetch of the list that is under way, or begins one.
    async fn fetch(self: &Arc<Self>, lists: &StatusLists, uri: &str, clock: Clock) -> Outcome {
        let mut landing = self.board(lists, uri, clock)?;
        let outcome = landing.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        // The task ends without an outcome only with its runtime.
        outcome.unwrap_or_else(|| Err("the fetch was interrupted".into()))
    }

    fn board(self: &Arc<Self>, lists: &StatusLists, uri: &str, clock: Clock) -> Result<Landing, Box<str>> {
        let mut under_way = self.under_way();
        if let Some(landing) = under_way.by_uri.get(uri) {
            return Ok(landing.clone());
        }
        if !under_way.budget.take(self.start.elapsed()) {
            return Err("the budget of fetches is spent".into());
        }
        let (sender, landing) = watch::channel(None);
        under_way.by_uri.insert(uri.into(), landing.clone());
        drop(under_way);
        let (fetcher, lists, uri) = (Arc::clone(self), lists.clone(), Box::<str>::from(uri));
        // A task of its own, so that it can go on when those who waited have gone.
        self.runtime.spawn(async move {
            let outcome = fetcher.refresh(&lists, &uri, clock.now()).await;
            match &outcome {
                Ok(fresh_until) => fetcher.keep(&lists, &uri, clock, *fresh_until),
                Err(error) => tracing::warn!(%uri, code = error.code(), %error, "status list not fetched"),
            }
            fetcher.under_way().by_uri.remove(&uri);
            sender.send_replace(Some(outcome.map_err(|error| error.to_string().into())));
        });
        Ok(landing)
    }

    /// Has a list that serves until then fetched again before that, unless it already is.
    fn keep(self: &Arc<Self>, lists: &StatusLists, uri: &str, clock: Clock, fresh_until: i64) {
        let mut under_way = self.under_way();
        if clock.until(fresh_until) < MIN_KEPT_STATUS_LIST_AGE || under_way.kept.contains_key(uri) {
            return;
        }
        let (fetcher, lists, kept) = (Arc::clone(self), lists.downgrade(), Box::<str>::from(uri));
        let task = self.runtime.spawn(async move {
            fetcher.keep_fresh(&lists, &kept, clock, fresh_until).await;
            fetcher.under_way().kept.remove(&kept);
        });
        under_way.kept.insert(uri.into(), task.abort_handle());
    }

    /// Fetches a list again in the last part of the time for which it serves, for as long as it is in use. Where that fails until it has
    /// run out, the next token that refers to it has it fetched.
    async fn keep_fresh(self: &Arc<Self>, lists: &WeakStatusLists, uri: &str, clock: Clock, mut fresh_until: i64) {
        let mut used_at = Instant::now();
        while clock.until(fresh_until) >= MIN_KEPT_STATUS_LIST_AGE {
            // At random, so that many processes do not fetch together; and with time left to try again.
            sleep(clock.until(fresh_until).mul_f64(1.0 - JITTER * (1.0 + fastrand::f64()))).await;
            let mut wait = RETRY_FIRST;
            fresh_until = loop {
                let Some(lists) = lists.upgrade() else { return };
                if lists.is_used(uri) {
                    used_at = Instant::now();
                }
                if used_at.elapsed() > UNUSED_STATUS_LIST_AGE {
                    return;
                }
                match self.fetch(&lists, uri, clock).await {
                    Ok(fresh_until) => break fresh_until,
                    Err(_) if clock.until(fresh_until) <= wait => return,
                    Err(_) => {
                        drop(lists);
                        sleep(wait).await;
                        wait = (2 * wait).min(RETRY_MAX);
                    }
                }
            };
        }
    }

    fn under_way(&self) -> MutexGuard<'_, UnderWay> {
        // Nothing under the lock leaves anything half-changed.
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fetcher {
    async fn refresh(&self, lists: &StatusLists, uri: &str, now: i64) -> Result<i64, FetchError> {
        let exchange = contained(Box::pin(self.exchange(uri)));
        let token = tokio::time::timeout(self.timeout, exchange).await.unwrap_or(Err(FetchError::Timeout))?;
        let (vetting, expected) = (Arc::clone(&self.vetting), uri.to_owned());
        let vetted = task::spawn_blocking(move || vetting.vet(&token, &expected, now)).await;
        let list = vetted.unwrap_or(Err(FetchError::Interrupted))?;
        let fresh_until = list.fresh_until();
        if lists.publish(uri, list) { Ok(fresh_until) } else { Err(FetchError::TooManyStatusLists) }
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
