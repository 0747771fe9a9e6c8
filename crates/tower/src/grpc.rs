//! Rejections in the form of gRPC errors: a response 200 with only trailers, which contain the status.

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Response, StatusCode, request};
use tollgate::Rejection;

/// Whether the client uses gRPC: its `content-type` is `application/grpc`, optionally with `+` and a codec.
pub(crate) fn is_grpc(request: &request::Parts) -> bool {
    let media_type = request.headers.get(CONTENT_TYPE).and_then(|value| value.as_bytes().strip_prefix(GRPC.as_bytes()));
    media_type.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

pub(crate) fn put_status(rejection: &Rejection, response: &mut Response<()>) {
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(GRPC));
    headers.insert(STATUS, HeaderValue::from_static(status(rejection.status())));
    // Only the content of the challenge. The codes need no escapes.
    if let Some(error) = rejection.challenge().error() {
        headers.insert(MESSAGE, HeaderValue::from_static(error));
    }
}

/// The gRPC status for an HTTP status.
fn status(http: u16) -> &'static str {
    match http {
        403 => PERMISSION_DENIED,
        429 => RESOURCE_EXHAUSTED,
        503 => UNAVAILABLE,
        500.. => INTERNAL,
        // 400 too: the credentials are wrong.
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
