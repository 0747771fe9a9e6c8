//! Rejections as gRPC tells errors: an answer of 200 that is nothing but its trailers, with the status among them.

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Response, StatusCode, request};
use tollgate::Rejection;

/// Whether the answer is for a gRPC client: its `content-type` is `application/grpc`, with a `+` and a codec perhaps.
pub(crate) fn is_grpc(request: &request::Parts) -> bool {
    let media_type = request.headers.get(CONTENT_TYPE).and_then(|value| value.as_bytes().strip_prefix(GRPC.as_bytes()));
    media_type.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

pub(crate) fn put_status(rejection: &Rejection, response: &mut Response<()>) {
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(GRPC));
    headers.insert(STATUS, HeaderValue::from_static(status(rejection.status())));
    // What the challenge says, and no more. The codes need no escapes.
    if let Some(error) = rejection.challenge().error() {
        headers.insert(MESSAGE, HeaderValue::from_static(error));
    }
}

/// The code of the status that says the same as one of HTTP.
fn status(http: u16) -> &'static str {
    match http {
        403 => PERMISSION_DENIED,
        429 => RESOURCE_EXHAUSTED,
        503 => UNAVAILABLE,
        500.. => INTERNAL,
        // 400 too: it is the credentials that are wrong.
        _ => UNAUTHENTICATED,
    }
}

const GRPC: &str = "application/grpc";
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

const PERMISSION_DENIED: &str = "7";
const RESOURCE_EXHAUSTED: &str = "8";
const INTERNAL: &str = "13";
const UNAVAILABLE: &str = "14";
const UNAUTHENTICATED: &str = "16";
