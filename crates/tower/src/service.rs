use std::sync::Arc;
use std::task::{Context, Poll};

use http::{HeaderValue, Request, Response, request};
use tollgate::Rejection;
use tower_service::Service;

use crate::future::ResponseFuture;
use crate::response::{Respond, Responder};

/// The service with which the layer `L`, [`AuthLayer`](crate::AuthLayer) or [`Require`](crate::Require), wraps
/// another one.
#[derive(Debug)]
pub struct Guard<S, L> {
    inner: S,
    layer: Arc<L>,
}

impl<S, L: Clone> Guard<S, L> {
    pub(crate) fn new(inner: S, layer: &L) -> Self {
        Guard { inner, layer: Arc::new(layer.clone()) }
    }
}

impl<S, L, ReqBody, ResBody> Service<Request<ReqBody>> for Guard<S, L>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    L: Admit,
    L::Answer: Respond<ResBody>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        let nonce = match self.layer.admit(&mut head) {
            Ok(nonce) => {
                self.layer.responder().pass(&head);
                nonce
            }
            Err(rejection) => match self.layer.responder().reject(rejection, &head) {
                Some(answer) => return ResponseFuture::rejected(answer),
                None => None,
            },
        };
        ResponseFuture::passed(self.inner.call(Request::from_parts(head, body)), nonce)
    }
}

// Not derived: that would ask for `L: Clone`.
impl<S: Clone, L> Clone for Guard<S, L> {
    fn clone(&self) -> Self {
        Guard { inner: self.inner.clone(), layer: Arc::clone(&self.layer) }
    }
}

/// The decision of a layer. Not exported, so that only this crate has layers.
pub trait Admit {
    /// The [`Respond`].
    type Answer;

    /// Decides whether the request passes. Returns the nonce for the response.
    ///
    /// # Errors
    /// The reason for the rejection.
    fn admit(&self, request: &mut request::Parts) -> Result<Option<HeaderValue>, Rejection>;

    /// The response to a rejected request.
    fn responder(&self) -> &Responder<Self::Answer>;
}
