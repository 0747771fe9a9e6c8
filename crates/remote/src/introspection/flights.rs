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

/// The questions under way to one endpoint: one for each token, however many ask, and as many as the budget has.
pub(super) struct Flights {
    client: Client,
    runtime: Handle,
    under_way: Mutex<UnderWay>,
    start: Instant,
    places: Semaphore,
    counters: Counters,
    /// Whether the last question had no answer, so that an outage is logged once.
    is_failing: AtomicBool,
}

struct UnderWay {
    by_token: HashMap<Token, Landing>,
    budget: TokenBucket,
}

/// A token in memory that is wiped.
#[derive(Clone, Eq, PartialEq)]
struct Token(Arc<Zeroizing<String>>);

/// As the text that it is looked up by.
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

type Landing = watch::Receiver<Option<Outcome>>;

type Outcome = Result<IntrospectionResponse, IntrospectionFailure>;

impl Flights {
    pub(super) fn new(client: Client, runtime: Handle, requests_per_second: u32) -> Self {
        let budget = TokenBucket::new(requests_per_second, Duration::from_secs(1) / requests_per_second);
        Flights {
            client,
            runtime,
            under_way: Mutex::new(UnderWay { by_token: HashMap::new(), budget }),
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

    /// Joins the question about `token` that is under way, or begins one.
    pub(super) async fn ask(self: &Arc<Self>, token: &str) -> Outcome {
        let Ok(_place) = self.places.try_acquire() else {
            return Err(self.over_budget(Duration::ZERO));
        };
        let mut landing = self.board(token)?;
        let outcome = landing.wait_for(Option::is_some).await;
        let outcome = outcome.ok().and_then(|outcome| outcome.clone());
        // The task ends without an outcome only with its runtime.
        outcome.unwrap_or_else(|| Err(no_answer(&FetchError::Interrupted)))
    }

    fn board(self: &Arc<Self>, token: &str) -> Result<Landing, IntrospectionFailure> {
        let mut under_way = self.under_way();
        if let Some(landing) = under_way.by_token.get(token) {
            return Ok(landing.clone());
        }
        let now = self.start.elapsed();
        if under_way.by_token.len() >= MAX_INTROSPECTIONS_AT_A_TIME {
            return Err(self.over_budget(Duration::ZERO));
        }
        if !under_way.budget.take(now) {
            return Err(self.over_budget(under_way.budget.next().saturating_sub(now)));
        }
        let token = Token(Arc::new(Zeroizing::new(token.to_owned())));
        let (sender, landing) = watch::channel(None);
        under_way.by_token.insert(token.clone(), landing.clone());
        drop(under_way);
        self.counters.count_request();
        // A task of its own: it ends even where all who asked have gone.
        self.runtime.spawn(Arc::clone(self).fly(token, sender));
        Ok(landing)
    }

    async fn fly(self: Arc<Self>, token: Token, landing: watch::Sender<Option<Outcome>>) {
        let under_way = Boarded { flights: &self, token: &token };
        let outcome = self.client.ask(&token.0).await;
        self.note(&outcome);
        let is_answered = outcome.is_ok();
        landing.send_replace(Some(outcome.map_err(|error| no_answer(&error))));
        if is_answered {
            // Until those who asked have told their engines, whoever comes later joins them.
            sleep(ANSWER_LINGER).await;
        }
        drop(under_way);
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

    fn under_way(&self) -> MutexGuard<'_, UnderWay> {
        // Nothing under the lock leaves anything half-changed.
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question that is under way for as long as this is there, however it ends.
struct Boarded<'f> {
    flights: &'f Flights,
    token: &'f Token,
}

impl Drop for Boarded<'_> {
    fn drop(&mut self) {
        self.flights.under_way().by_token.remove(self.token);
    }
}

#[cold]
fn no_answer(error: &FetchError) -> IntrospectionFailure {
    IntrospectionFailure::NoAnswer { reason: error.to_string().into() }
}
