use std::fmt;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Response, StatusCode, request};
use tollgate::{Principal, Rejection};

use crate::decision::Decision;
use crate::error::LayerError;
use crate::grpc;

/// The response to a rejection: [`EmptyBody`], [`JsonBody`], or a function of your own.
///
/// The argument is the standard response, which may be returned as it is, with a body, or changed: the status of
/// [`Rejection::status`] and the fields of [`Challenge::fields`](tollgate::Challenge::fields). For gRPC, recognised
/// by the request's `content-type`, it has the status 200 and `grpc-status`; add neither a body nor another
/// `content-type`.
///
/// Send only the content of [`Rejection::challenge`] to the client; the rest of the rejection is for the server's
/// logs.
///
/// ```
/// use http::{HeaderValue, Response, header::CONTENT_TYPE, request};
/// use tollgate::Rejection;
/// use tollgate_tower::Respond;
///
/// /// RFC 9457.
/// fn problem(rejection: &Rejection, _: &request::Parts, standard: Response<()>) -> Response<String> {
///     let status = standard.status();
///     let mut answer = standard.map(|()| format!(r#"{{"status":{}}}"#, status.as_u16()));
///     answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
///     answer
/// }
///
/// fn takes_answers<B>(_: impl Respond<B>) {}
/// takes_answers(problem);
/// ```
pub trait Respond<B> {
    /// The response to `request`, which was rejected.
    fn respond(&self, rejection: &Rejection, request: &request::Parts, standard: Response<()>) -> Response<B>;
}

/// The standard response without a body: the challenge has all information.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptyBody;

impl<B: Default> Respond<B> for EmptyBody {
    fn respond(&self, _: &Rejection, _: &request::Parts, standard: Response<()>) -> Response<B> {
        standard.map(|()| B::default())
    }
}

/// The standard response with the error code of RFC 6750 section 3.1 as JSON: `{"error":"invalid_token"}`, or `{}`
/// if the challenge has none.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonBody;

impl<B: From<String>> Respond<B> for JsonBody {
    fn respond(&self, rejection: &Rejection, _: &request::Parts, mut standard: Response<()>) -> Response<B> {
        if standard.headers().contains_key(CONTENT_TYPE) {
            // gRPC.
            return standard.map(|()| String::new().into());
        }
        standard.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let error = rejection.challenge().error();
        standard.map(|()| error.map_or_else(|| "{}".to_owned(), |error| format!(r#"{{"error":"{error}"}}"#)).into())
    }
}

impl<B, F: Fn(&Rejection, &request::Parts, Response<()>) -> Response<B>> Respond<B> for F {
    fn respond(&self, rejection: &Rejection, request: &request::Parts, standard: Response<()>) -> Response<B> {
        self(rejection, request, standard)
    }
}

/// Turns a [`Rejection`] into a response, and calls the observer.
#[derive(Clone, Debug, Default)]
pub struct Responder<A> {
    realm: Option<Box<str>>,
    resource_metadata: Option<Box<str>>,
    observer: Option<Observer>,
    is_report_only: bool,
    respond: A,
}

impl<A> Responder<A> {
    pub(crate) fn set_realm(&mut self, realm: &str) -> Result<(), LayerError> {
        if !realm.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return Err(LayerError::InvalidRealm { realm: realm.into() });
        }
        self.realm = Some(realm.into());
        Ok(())
    }

    pub(crate) fn set_resource_metadata(&mut self, url: &str) {
        self.resource_metadata = Some(url.into());
    }

    pub(crate) fn set_observer(&mut self, observer: impl Fn(Decision<'_>, &request::Parts) + Send + Sync + 'static) {
        self.observer = Some(Observer(Arc::new(observer)));
    }

    pub(crate) fn set_report_only(&mut self) {
        self.is_report_only = true;
    }

    pub(crate) fn with<T>(self, respond: T) -> Responder<T> {
        let Responder { realm, resource_metadata, observer, is_report_only, respond: _ } = self;
        Responder { realm, resource_metadata, observer, is_report_only, respond }
    }

    /// The request passes, with its principal.
    #[inline]
    pub(crate) fn pass(&self, request: &request::Parts) {
        if let Some(Observer(observe)) = &self.observer {
            observe(request.extensions.get::<Principal>().map_or(Decision::Anonymous, Decision::Accepted), request);
        }
    }

    /// The response; `None` if the request passes anyway.
    #[cold]
    pub(crate) fn reject<B>(&self, rejection: Rejection, request: &request::Parts) -> Option<Response<B>>
    where
        A: Respond<B>,
    {
        let decision =
            if self.is_report_only { Decision::Tolerated(&rejection) } else { Decision::Rejected(&rejection) };
        if let Some(Observer(observe)) = &self.observer {
            observe(decision, request);
        }
        if self.is_report_only {
            return None;
        }
        let standard = self.standard(&rejection, request);
        let mut response = self.respond.respond(&rejection, request, standard);
        response.extensions_mut().insert(rejection);
        Some(response)
    }

    fn standard(&self, rejection: &Rejection, request: &request::Parts) -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(rejection.status()).unwrap_or(StatusCode::UNAUTHORIZED);
        let mut challenge = rejection.challenge();
        if let Some(realm) = &self.realm {
            challenge = challenge.with_realm(realm);
        }
        if let Some(url) = &self.resource_metadata {
            challenge = challenge.with_resource_metadata(url);
        }
        for (name, value) in challenge.fields() {
            // It is printable ASCII.
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        if grpc::is_grpc(request) {
            grpc::put_status(rejection, &mut response);
        }
        response
    }
}

#[derive(Clone)]
struct Observer(Arc<Observe>);

type Observe = dyn Fn(Decision<'_>, &request::Parts) + Send + Sync;

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observer").finish_non_exhaustive()
    }
}
