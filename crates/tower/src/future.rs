use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::CACHE_CONTROL;
use http::{HeaderName, HeaderValue, Response};
use pin_project_lite::pin_project;

pin_project! {
    /// The inner service's response, or that to a rejection.
    #[derive(Debug)]
    pub struct ResponseFuture<F, B> {
        #[pin]
        kind: Kind<F, B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = KindProjection]
    enum Kind<F, B> {
        Passed { #[pin] response: F, nonce: Option<HeaderValue> },
        Rejected { #[pin] response: Ready<Response<B>> },
    }
}

impl<F, B> ResponseFuture<F, B> {
    pub(crate) fn passed(response: F, nonce: Option<HeaderValue>) -> Self {
        ResponseFuture { kind: Kind::Passed { response, nonce } }
    }

    pub(crate) fn rejected(response: Response<B>) -> Self {
        ResponseFuture { kind: Kind::Rejected { response: ready(response) } }
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            KindProjection::Passed { response, nonce } => {
                response.poll(context).map_ok(|response| with_nonce(response, nonce.take()))
            }
            KindProjection::Rejected { response } => response.poll(context).map(Ok),
        }
    }
}

/// Adds the nonce of the client's next proof (RFC 9449 section 8.2). Marks the response as not cacheable: a cached
/// response would have an old nonce.
pub(crate) fn with_nonce<B>(mut response: Response<B>, nonce: Option<HeaderValue>) -> Response<B> {
    if let Some(nonce) = nonce {
        response.headers_mut().insert(DPOP_NONCE, nonce);
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// RFC 9449 section 8.
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
