//! The layer whose verifier may wait for a fetch. Requests that are decided immediately take the path of
//! [`Guard`](crate::Guard), without boxing.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{HeaderValue, Request, Response, request};
use pin_project_lite::pin_project;
use tollgate::{Principal, Rejection};
use tollgate_remote::Verifier;
use tower_layer::Layer;
use tower_service::Service;

use crate::future::with_nonce;
use crate::layer::{AuthLayer, renewed_nonce};
use crate::response::{EmptyBody, Respond};

impl AuthLayer<EmptyBody, Verifier> {
    /// Requires a credential that `verifier` accepts. The request waits, for a bounded time, if the verifier
    /// does: a token under a newly published key costs the time of a fetch, not a 401. All other requests are
    /// decided immediately, as by the layer of an [engine](AuthLayer::new).
    ///
    /// The inner service must be `Clone`, like those of axum: it receives a request that waited later.
    ///
    /// ```
    /// use tollgate::{Engine, Issuer};
    /// use tollgate_remote::{RemoteKeys, Verifier};
    /// use tollgate_tower::AuthLayer;
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let keys = RemoteKeys::from_jwks_uri("http://localhost:8080/jwks.json").start()?;
    /// let issuer = Issuer::new("https://auth.example.com/").audience("https://api.example.com").keys(keys.key_ring());
    /// let verifier = Verifier::new(Engine::builder().issuer(issuer).build()?);
    /// let layer = AuthLayer::with_verifier(verifier).realm("sites")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_verifier(verifier: impl Into<Verifier>) -> Self {
        Self::verifying_by(verifier.into())
    }
}

impl<S, A: Clone> Layer<S> for AuthLayer<A, Verifier> {
    type Service = WaitingGuard<S, A>;

    fn layer(&self, inner: S) -> Self::Service {
        WaitingGuard { inner, layer: Arc::new(self.clone()) }
    }
}

/// The service with which an [`AuthLayer`] [of a verifier](AuthLayer::with_verifier) wraps another one.
pub struct WaitingGuard<S, A> {
    inner: S,
    layer: Arc<AuthLayer<A, Verifier>>,
}

impl<S, A, ReqBody, ResBody> Service<Request<ReqBody>> for WaitingGuard<S, A>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    A: Respond<ResBody> + Send + Sync + 'static,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = WaitingFuture<S, S::Future, A, ReqBody, ResBody>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        let nonce = match self.layer.decide(&mut head) {
            Ok(nonce) => {
                self.layer.responder.pass(&head);
                nonce
            }
            Err(rejection) if self.layer.verifier.is_worth_waiting(&rejection) => {
                // The ready service is kept for the request; a clone may not be ready.
                let clone = self.inner.clone();
                let inner = mem::replace(&mut self.inner, clone);
                let deciding = Box::pin(decide_later(Arc::clone(&self.layer), head, rejection));
                let layer = Arc::clone(&self.layer);
                return WaitingFuture { state: State::Waiting { deciding, next: Some((inner, body)), layer } };
            }
            Err(rejection) => match self.layer.responder.reject(rejection, &head) {
                Some(answer) => return WaitingFuture { state: State::Rejected { response: Some(answer) } },
                None => None,
            },
        };
        let response = self.inner.call(Request::from_parts(head, body));
        WaitingFuture { state: State::Passed { response, nonce } }
    }
}

/// The request's head, its principal, and the nonce for the response.
type Decided = (request::Parts, Result<(Principal, Option<HeaderValue>), Rejection>);

async fn decide_later<A>(layer: Arc<AuthLayer<A, Verifier>>, head: request::Parts, rejection: Rejection) -> Decided {
    let verdict = match layer.presented(&head) {
        Ok(Some(presented)) => {
            let verdict = layer.verifier.verify_after(&presented, rejection).await;
            verdict.map(|principal| (principal, renewed_nonce(layer.verifier.engine(), &presented)))
        }
        // Waiting only helps some rejections of requests with a credential.
        Ok(None) | Err(_) => Err(rejection),
    };
    (head, verdict)
}

pin_project! {
    /// The inner service's response, immediate or after a fetch, or that to a rejection.
    pub struct WaitingFuture<S, F, A, ReqBody, ResBody> {
        #[pin]
        state: State<S, F, A, ReqBody, ResBody>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F, A, ReqBody, ResBody> {
        Passed { #[pin] response: F, nonce: Option<HeaderValue> },
        Rejected { response: Option<Response<ResBody>> },
        Waiting {
            deciding: Pin<Box<dyn Future<Output = Decided> + Send>>,
            next: Option<(S, ReqBody)>,
            layer: Arc<AuthLayer<A, Verifier>>,
        },
    }
}

impl<S, A, ReqBody, ResBody> Future for WaitingFuture<S, S::Future, A, ReqBody, ResBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    A: Respond<ResBody>,
{
    type Output = Result<Response<ResBody>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Passed { response, nonce } => {
                    return response.poll(context).map_ok(|response| with_nonce(response, nonce.take()));
                }
                StateProjection::Rejected { response } => {
                    return Poll::Ready(Ok(response.take().expect("it was not polled after its end")));
                }
                StateProjection::Waiting { deciding, next, layer } => {
                    let (mut head, verdict) = ready!(deciding.as_mut().poll(context));
                    let (mut inner, body) = next.take().expect("the state changes with the first verdict");
                    let nonce = match verdict {
                        Ok((principal, nonce)) => {
                            head.extensions.insert(principal);
                            layer.responder.pass(&head);
                            Ok(nonce)
                        }
                        Err(rejection) => layer.responder.reject(rejection, &head).map_or(Ok(None), Err),
                    };
                    match nonce {
                        Ok(nonce) => State::Passed { response: inner.call(Request::from_parts(head, body)), nonce },
                        Err(answer) => State::Rejected { response: Some(answer) },
                    }
                }
            };
            state.set(next);
        }
    }
}

// Not derived: that would ask for `A: Clone`.
impl<S: Clone, A> Clone for WaitingGuard<S, A> {
    fn clone(&self) -> Self {
        WaitingGuard { inner: self.inner.clone(), layer: Arc::clone(&self.layer) }
    }
}

impl<S: fmt::Debug, A: fmt::Debug> fmt::Debug for WaitingGuard<S, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitingGuard").field("inner", &self.inner).field("layer", &self.layer).finish()
    }
}

impl<S, F, A, ReqBody, ResBody> fmt::Debug for WaitingFuture<S, F, A, ReqBody, ResBody> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Passed { .. } => "passed",
            State::Rejected { .. } => "rejected",
            State::Waiting { .. } => "waiting",
        };
        f.debug_tuple("WaitingFuture").field(&format_args!("{state}")).finish()
    }
}
