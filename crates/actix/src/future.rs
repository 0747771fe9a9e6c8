use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::Error;
use actix_web::body::EitherBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use pin_project_lite::pin_project;

pin_project! {
    /// The inner service's answer, or that to a rejection.
    #[project = AnswerProjection]
    pub enum Answer<F, B> {
        Passed { #[pin] answer: F, nonce: Option<HeaderValue> },
        Rejected { answer: Option<ServiceResponse<EitherBody<B>>> },
        /// What is lacking is fetched.
        Waiting { answer: Waiting<B> },
    }
}

/// Boxed: few requests wait.
pub(crate) type Waiting<B> = Pin<Box<dyn Future<Output = Result<ServiceResponse<EitherBody<B>>, Error>>>>;

impl<F, B> Future for Answer<F, B>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
{
    type Output = Result<ServiceResponse<EitherBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            AnswerProjection::Passed { answer, nonce } => {
                answer.poll(context).map_ok(|answer| with_nonce(answer, nonce.take()).map_into_left_body())
            }
            AnswerProjection::Rejected { answer } => {
                Poll::Ready(Ok(answer.take().expect("it is not polled after its end")))
            }
            AnswerProjection::Waiting { answer } => answer.as_mut().poll(context),
        }
    }
}

/// Tells the client the nonce of its next proof (RFC 9449 section 8.2). A response that is used again would tell an old one.
fn with_nonce<B>(mut answer: ServiceResponse<B>, nonce: Option<HeaderValue>) -> ServiceResponse<B> {
    if let Some(nonce) = nonce {
        answer.headers_mut().insert(HeaderName::from_static("dpop-nonce"), nonce);
        answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    answer
}
