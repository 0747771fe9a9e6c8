use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep};
use tollgate::{IntrospectionFailure, IntrospectionResponse};
use zeroize::Zeroizing;

use super::client::Client;
use super::statistics::{Counters, IntrospectionStatistics};
use crate::error::FetchError;
use crate::limits::{ANSWER_LINGER, MAX_INTROSPECTIONS_AT_A_TIME, MAX_WAITING};
use crate::token_bucket::TokenBucket;

/// The requests in flight to one endpoint: at most one per token, within the budget.
pub(super) struct Flights {
    client: Client,
    runtime: Handle,
    in_flight: Mutex<InFlight>,
    start: Instant,
    places: Semaphore,
    counters: Counters,
    /// Whether the last request failed, so that an outage is logged once.
    is_failing: AtomicBool,
}

struct InFlight {
    by_token: HashMap<Token, OutcomeReceiver>,
    budget: TokenBucket,
}

/// A token in memory that is wiped.
#[derive(Clone, Eq, PartialEq)]
struct Token(Arc<Zeroizing<String>>);

/// Hashes like the text that looks it up.
impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_str().hash(state);
    }
}

impl Borrow<str> for Token {
    fn borrow(&self) -> &str {
        &self.0
    }
}

type OutcomeReceiver = watch::Receiver<Option<Outcome>>;

type Outcome = Result<IntrospectionResponse, IntrospectionFailure>;

impl Flights {
    pub(super) fn new(client: Client, runtime: Handle, requests_per_second: u32) -> Self {
        let budget = TokenBucket::new(requests_per_second, Duration::from_secs(1) / requests_per_second);
        Flights {
            client,
            runtime,
            in_flight: Mutex::new(InFlight { by_token: HashMap::new(), budget }),
            start: Instant::now(),
            places: Semaphore::new(MAX_WAITING),
            counters: Counters::default(),
            is_failing: AtomicBool::new(false),
        }
    }

    pub(super) fn endpoint(&self) -> String {
        self.client.endpoint.to_string()
    }

    pub(super) fn statistics(&self) -> IntrospectionStatistics {
        self.counters.read()
    }

    /// Joins the request for `token` in flight, or starts one.
    pub(super) async fn ask(self: &Arc<Self>, token: &str) -> Outcome {
        let Ok(_place) = self.places.try_acquire() else {
            return Err(self.over_budget(Duration::ZERO));
        };
        let mut receiver = self.join_or_start(token)?;
        let outcome = receiver.wait_for(Option::is_some).await;
        let outcome = outcome.ok().and_then(|outcome| outcome.clone());
        // Only the end of the runtime ends the task without an outcome.
        outcome.unwrap_or_else(|| Err(no_answer(&FetchError::Interrupted)))
    }

    fn join_or_start(self: &Arc<Self>, token: &str) -> Result<OutcomeReceiver, IntrospectionFailure> {
        let mut in_flight = self.in_flight();
        if let Some(receiver) = in_flight.by_token.get(token) {
            return Ok(receiver.clone());
        }
        let now = self.start.elapsed();
        if in_flight.by_token.len() >= MAX_INTROSPECTIONS_AT_A_TIME {
            return Err(self.over_budget(Duration::ZERO));
        }
        if !in_flight.budget.take(now) {
            return Err(self.over_budget(in_flight.budget.next().saturating_sub(now)));
        }
        let token = Token(Arc::new(Zeroizing::new(token.to_owned())));
        let (sender, receiver) = watch::channel(None);
        in_flight.by_token.insert(token.clone(), receiver.clone());
        drop(in_flight);
        self.counters.count_request();
        // A separate task: it ends even if all callers have gone.
        self.runtime.spawn(Arc::clone(self).run(token, sender));
        Ok(receiver)
    }

    async fn run(self: Arc<Self>, token: Token, sender: watch::Sender<Option<Outcome>>) {
        let guard = RequestGuard { flights: &self, token: &token };
        let outcome = self.client.ask(&token.0).await;
        self.note(&outcome);
        let is_answered = outcome.is_ok();
        sender.send_replace(Some(outcome.map_err(|error| no_answer(&error))));
        if is_answered {
            // Later callers join until the first ones have passed the answer to their engines.
            sleep(ANSWER_LINGER).await;
        }
        drop(guard);
    }

    fn note(&self, outcome: &Result<IntrospectionResponse, FetchError>) {
        let endpoint = &self.client.endpoint;
        match outcome {
            Ok(_) => {
                if self.is_failing.swap(false, Ordering::Relaxed) {
                    tracing::info!(%endpoint, "introspection endpoint answers again");
                }
            }
            Err(error) => {
                self.counters.count_failure();
                if self.is_failing.swap(true, Ordering::Relaxed) {
                    tracing::debug!(%endpoint, code = error.code(), %error, "introspection endpoint gives no answer");
                } else {
                    tracing::warn!(%endpoint, code = error.code(), %error, "introspection endpoint gives no answer");
                }
            }
        }
    }

    #[cold]
    fn over_budget(&self, wait: Duration) -> IntrospectionFailure {
        self.counters.count_over_budget();
        let retry_after = u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1);
        IntrospectionFailure::BudgetSpent { retry_after }
    }

    fn in_flight(&self) -> MutexGuard<'_, InFlight> {
        // Nothing under this lock can panic half-way, so poisoning is ignored.
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes the request from those in flight when it ends in any way.
struct RequestGuard<'f> {
    flights: &'f Flights,
    token: &'f Token,
}

impl Drop for RequestGuard<'_> {
    fn drop(&mut self) {
        self.flights.in_flight().by_token.remove(self.token);
    }
}

#[cold]
fn no_answer(error: &FetchError) -> IntrospectionFailure {
    IntrospectionFailure::NoAnswer { reason: error.to_string().into() }
}
