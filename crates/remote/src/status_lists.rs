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
use crate::fetcher::{OUR_NAME, catch_panic, essence, read_body};
use crate::headers::Headers;
use crate::http_client::HttpClient;
use crate::limits::{
    JITTER, MAX_STATUS_LIST_TOKEN_BYTES, MIN_KEPT_STATUS_LIST_AGE, RETRY_FIRST, RETRY_MAX, UNUSED_STATUS_LIST_AGE,
};
use crate::token_bucket::TokenBucket;

use document::Vetting;

/// Fetches the status lists of one issuer. Concurrent fetches of one list share a request, and all fetches share a
/// budget. Lists in use are fetched again in the background, before they expire.
struct Fetcher {
    client: Arc<dyn HttpClient>,
    headers: Headers,
    plain_http: PlainHttp,
    timeout: Duration,
    vetting: Arc<Vetting>,
    runtime: Handle,
    start: Instant,
    in_flight: Mutex<InFlight>,
}

struct InFlight {
    by_uri: HashMap<Box<str>, OutcomeReceiver>,
    /// The lists that are fetched again in the background, with their tasks.
    kept: HashMap<Box<str>, AbortHandle>,
    budget: TokenBucket,
}

/// The time until which the fetched list is valid, in seconds since the Unix epoch.
type Outcome = Result<i64, Box<str>>;

type OutcomeReceiver = watch::Receiver<Option<Outcome>>;

/// Owned by the lists. Dropping it ends the background tasks.
struct FetcherOwner(Arc<Fetcher>);

impl StatusListFetcher for FetcherOwner {
    fn fetch<'r>(&'r self, lists: &'r StatusLists, uri: &'r str, now: i64) -> StatusListFetch<'r> {
        let clock = Clock::set_to(now);
        Box::pin(async move { self.0.fetch(lists, uri, clock).await.map(drop) })
    }
}

impl Drop for FetcherOwner {
    fn drop(&mut self) {
        for task in self.0.in_flight().kept.values() {
            task.abort();
        }
    }
}

/// A clock that was set once and advances by itself.
#[derive(Clone, Copy)]
struct Clock {
    time: i64,
    set_at: Instant,
}

impl Clock {
    fn set_to(time: i64) -> Self {
        Clock { time, set_at: Instant::now() }
    }

    /// The time in seconds since the Unix epoch.
    fn now(&self) -> i64 {
        self.time.saturating_add(i64::try_from(self.set_at.elapsed().as_secs()).unwrap_or(i64::MAX))
    }

    /// The time left until `then`.
    fn until(&self, then: i64) -> Duration {
        Duration::from_secs(u64::try_from(then.saturating_sub(self.now())).unwrap_or(0))
    }
}

impl Fetcher {
    /// Joins the fetch of the list in flight, or starts one.
    async fn fetch(self: &Arc<Self>, lists: &StatusLists, uri: &str, clock: Clock) -> Outcome {
        let mut receiver = self.join_or_start(lists, uri, clock)?;
        let outcome = receiver.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        // Only the end of the runtime ends the task without an outcome.
        outcome.unwrap_or_else(|| Err("the fetch was interrupted".into()))
    }

    fn join_or_start(
        self: &Arc<Self>,
        lists: &StatusLists,
        uri: &str,
        clock: Clock,
    ) -> Result<OutcomeReceiver, Box<str>> {
        let mut in_flight = self.in_flight();
        if let Some(receiver) = in_flight.by_uri.get(uri) {
            return Ok(receiver.clone());
        }
        if !in_flight.budget.take(self.start.elapsed()) {
            return Err("the budget of fetches is spent".into());
        }
        let (sender, receiver) = watch::channel(None);
        in_flight.by_uri.insert(uri.into(), receiver.clone());
        drop(in_flight);
        let (fetcher, lists, uri) = (Arc::clone(self), lists.clone(), Box::<str>::from(uri));
        // A separate task, so that it continues when the callers have gone.
        self.runtime.spawn(async move {
            let outcome = fetcher.refresh(&lists, &uri, clock.now()).await;
            match &outcome {
                Ok(fresh_until) => fetcher.keep(&lists, &uri, clock, *fresh_until),
                Err(error) => tracing::warn!(%uri, code = error.code(), %error, "status list not fetched"),
            }
            fetcher.in_flight().by_uri.remove(&uri);
            sender.send_replace(Some(outcome.map_err(|error| error.to_string().into())));
        });
        Ok(receiver)
    }

    /// Starts a task that fetches the list again before `fresh_until`, unless there is one.
    fn keep(self: &Arc<Self>, lists: &StatusLists, uri: &str, clock: Clock, fresh_until: i64) {
        let mut in_flight = self.in_flight();
        if clock.until(fresh_until) < MIN_KEPT_STATUS_LIST_AGE || in_flight.kept.contains_key(uri) {
            return;
        }
        let (fetcher, lists, kept) = (Arc::clone(self), lists.downgrade(), Box::<str>::from(uri));
        let task = self.runtime.spawn(async move {
            fetcher.keep_fresh(&lists, &kept, clock, fresh_until).await;
            fetcher.in_flight().kept.remove(&kept);
        });
        in_flight.kept.insert(uri.into(), task.abort_handle());
    }

    /// Fetches a list again in the last part of its validity, as long as it is in use. If that fails until the list has
    /// expired, the next token that refers to the list causes a fetch.
    async fn keep_fresh(self: &Arc<Self>, lists: &WeakStatusLists, uri: &str, clock: Clock, mut fresh_until: i64) {
        let mut used_at = Instant::now();
        while clock.until(fresh_until) >= MIN_KEPT_STATUS_LIST_AGE {
            // At random, so that many processes do not fetch together, and early enough to try again.
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

    fn in_flight(&self) -> MutexGuard<'_, InFlight> {
        // Nothing under this lock can panic half-way, so poisoning is ignored.
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fetcher {
    async fn refresh(&self, lists: &StatusLists, uri: &str, now: i64) -> Result<i64, FetchError> {
        let exchange = catch_panic(Box::pin(self.exchange(uri)));
        let token = tokio::time::timeout(self.timeout, exchange).await.unwrap_or(Err(FetchError::Timeout))?;
        let (vetting, expected) = (Arc::clone(&self.vetting), uri.to_owned());
        let vetted = task::spawn_blocking(move || vetting.vet(&token, &expected, now)).await;
        let list = vetted.unwrap_or(Err(FetchError::Interrupted))?;
        let fresh_until = list.fresh_until();
        if lists.publish(uri, list) { Ok(fresh_until) } else { Err(FetchError::TooManyStatusLists) }
    }

    async fn exchange(&self, uri: &str) -> Result<Bytes, FetchError> {
        // A token may name a URI that must not be fetched.
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
