//! What stands around every route: the log line, the time limit, the security headers.

use crate::app::App;
use crate::problem::Problem;
use crate::request_id::{RequestId, X_REQUEST_ID};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use metrics::histogram;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;
use tollgate_storage::WriteGate;
use tollgate_telemetry::names::HTTP_REQUEST_SECONDS;
use tollgate_tower::client_address;
use tracing::Instrument;

/// One line a request, in whose span every other line of the request is: the client's address where it is known, method, route, status, time. No header, query or body,
/// because those hold the secrets, and the route as it is written in the source, because a path may hold anything.
pub(super) async fn log(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let client = client_address(&head, &app.trusted_proxies).map(tracing::field::display);
    let (method, route) = (standard_name(&head.method), head.extensions.get::<MatchedPath>().cloned());
    let request_id = RequestId::of(&head, &app.trusted_proxies);
    let span = request_id.span();
    let start = Instant::now();
    let mut response = next.run(Request::from_parts(head, body)).instrument(span.clone()).await;
    let route = route.as_ref().map_or("-", MatchedPath::as_str);
    let (status, elapsed) = (response.status().as_u16(), start.elapsed());
    if app.metrics.is_some() {
        let labels = [
            ("http.request.method", Cow::Borrowed(if method == "-" { "_OTHER" } else { method })),
            ("http.route", Cow::Owned(route.to_owned())),
            ("http.response.status_code", Cow::Owned(status.to_string())),
        ];
        histogram!(HTTP_REQUEST_SECONDS, &labels).record(elapsed.as_secs_f64());
    }
    span.in_scope(|| {
        tracing::info!(client, %method, route, status, elapsed_us = elapsed.as_micros(), "request");
    });
    if let Ok(id) = HeaderValue::try_from(request_id.id) {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    response
}

/// The method's name; `-` for one of the client's own making, which may be as long as a request's head.
fn standard_name(method: &Method) -> &'static str {
    const NAMES: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
    NAMES.into_iter().find(|name| method == *name).unwrap_or("-")
}

/// A request that is not answered in time, its body included, is given up, as is one whose client has gone: from then on it begins to change
/// nothing. The answer says whether it has begun before.
pub(super) async fn within_time(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let open = OpenGate(WriteGate::default());
    match tokio::time::timeout(app.request_timeout, open.0.scope(next.run(request))).await {
        Ok(response) => response,
        Err(_) if open.0.close() => Problem::TimedOut.into_response(),
        Err(_) => Problem::OutcomeUnknown.into_response(),
    }
}

/// The gate of a request that somebody waits for.
struct OpenGate(WriteGate);

impl Drop for OpenGate {
    fn drop(&mut self) {
        let _ = self.0.close();
    }
}

/// What every answer says to browsers and caches, unless the route said otherwise.
pub(super) async fn security_headers(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    // Tokens and personal data are in most answers (RFC 6749 section 5.1).
    default(headers, header::CACHE_CONTROL, "no-store");
    default(headers, header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    default(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(headers, header::REFERRER_POLICY, "no-referrer");
    if app.cookies.secure {
        default(headers, header::STRICT_TRANSPORT_SECURITY, "max-age=63072000");
    }
    response
}

fn default(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}
