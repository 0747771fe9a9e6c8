use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
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
        Passed { #[pin] response: F },
        Rejected { #[pin] response: Ready<Response<B>> },
    }
}

impl<F, B> ResponseFuture<F, B> {
    pub(crate) fn passed(response: F) -> Self {
        ResponseFuture { kind: Kind::Passed { response } }
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
            KindProjection::Passed { response } => response.poll(context),
            KindProjection::Rejected { response } => response.poll(context).map(Ok),
        }
    }
}
