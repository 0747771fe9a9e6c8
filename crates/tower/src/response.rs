use std::fmt;
use std::sync::Arc;

use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Response, StatusCode, request};
use tollgate::Rejection;

use crate::error::LayerError;

/// The body of the response to a rejection. Status and challenge are not its business.
///
/// Only what [`Rejection::challenge`] says may leave the process; the rest of the rejection is for the server's own logs.
///
/// ```
/// use http::HeaderValue;
/// use tollgate::Rejection;
/// use tollgate_tower::RejectionBody;
///
/// /// RFC 9457.
/// #[derive(Clone)]
/// struct Problem;
///
/// impl<B: From<String>> RejectionBody<B> for Problem {
///     fn content_type(&self) -> Option<HeaderValue> {
///         Some(HeaderValue::from_static("application/problem+json"))
///     }
///
///     fn body(&self, rejection: &Rejection) -> B {
///         format!(r#"{{"status":{}}}"#, rejection.status()).into()
///     }
/// }
/// ```
pub trait RejectionBody<B> {
    /// The media type of the body; `None` where there is no body.
    fn content_type(&self) -> Option<HeaderValue>;

    /// The body.
    fn body(&self, rejection: &Rejection) -> B;
}

/// No body: the challenge says all that there is to say.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptyBody;

impl<B: Default> RejectionBody<B> for EmptyBody {
    fn content_type(&self) -> Option<HeaderValue> {
        None
    }

    fn body(&self, _: &Rejection) -> B {
        B::default()
    }
}

/// The error code of RFC 6750 section 3.1 as JSON: `{"error":"invalid_token"}`, or `{}` where the challenge has none.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonBody;

impl<B: From<String>> RejectionBody<B> for JsonBody {
    fn content_type(&self) -> Option<HeaderValue> {
        Some(HeaderValue::from_static("application/json"))
    }

    fn body(&self, rejection: &Rejection) -> B {
        rejection
            .challenge()
            .error()
            .map_or_else(|| "{}".to_owned(), |error| format!(r#"{{"error":"{error}"}}"#))
            .into()
    }
}

/// Turns a [`Rejection`] into a response, and tells the observer.
#[derive(Clone, Debug, Default)]
pub struct Responder<A> {
    realm: Option<Box<str>>,
    observer: Option<Observer>,
    body: A,
}

impl<A> Responder<A> {
    pub(crate) fn set_realm(&mut self, realm: &str) -> Result<(), LayerError> {
        if !realm.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return Err(LayerError::InvalidRealm { realm: realm.into() });
        }
        self.realm = Some(realm.into());
        Ok(())
    }

    pub(crate) fn set_observer(&mut self, observer: impl Fn(&Rejection, &request::Parts) + Send + Sync + 'static) {
        self.observer = Some(Observer(Arc::new(observer)));
    }

    pub(crate) fn with_body<T>(self, body: T) -> Responder<T> {
        Responder { realm: self.realm, observer: self.observer, body }
    }

    #[cold]
    pub(crate) fn answer<B>(&self, rejection: &Rejection, request: &request::Parts) -> Response<B>
    where
        A: RejectionBody<B>,
    {
        if let Some(Observer(observe)) = &self.observer {
            observe(rejection, request);
        }
        self.response(rejection)
    }

    pub(crate) fn response<B>(&self, rejection: &Rejection) -> Response<B>
    where
        A: RejectionBody<B>,
    {
        let mut response = Response::new(self.body.body(rejection));
        *response.status_mut() = StatusCode::from_u16(rejection.status()).unwrap_or(StatusCode::UNAUTHORIZED);
        let headers = response.headers_mut();
        // A fault of the program is no question of another credential, nor is what cannot be decided.
        if rejection.status() < 500 {
            headers.insert(WWW_AUTHENTICATE, self.challenge(rejection));
        }
        // RFC 9449 section 9.1. It is base64url.
        if let Some(nonce) = rejection.dpop_nonce().and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
            headers.insert(DPOP_NONCE, nonce);
        }
        if let Some(seconds) = rejection.retry_after() {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Some(media_type) = self.body.content_type() {
            headers.insert(CONTENT_TYPE, media_type);
        }
        response
    }

    fn challenge(&self, rejection: &Rejection) -> HeaderValue {
        let challenge = rejection.challenge();
        let challenge = match &self.realm {
            Some(realm) => challenge.with_realm(realm),
            None => challenge,
        };
        // A challenge is printable ASCII.
        HeaderValue::try_from(challenge.to_string()).unwrap_or(HeaderValue::from_static("Bearer"))
    }
}

/// RFC 9449 section 8.
pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

#[derive(Clone)]
struct Observer(Arc<Observe>);

type Observe = dyn Fn(&Rejection, &request::Parts) + Send + Sync;

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observer").finish_non_exhaustive()
    }
}
