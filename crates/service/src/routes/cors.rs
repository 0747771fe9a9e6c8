//! Which routes pages of other origins may call, by the CORS protocol of the Fetch standard. None of these routes reads a cookie, and no
//! page is ever allowed credentials.

use crate::app::App;
use crate::limits::PREFLIGHT_TTL;
use crate::request_id::X_REQUEST_ID;
use axum::http::{HeaderName, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// What programs in browsers call themselves (OAuth 2.1 section 3.2), from any origin: a request is judged by the secrets in it alone, which
/// the page has to know. The authorization endpoint is not among them, which a browser navigates to (section 3.1).
const OF_ANY_ORIGIN: [&str; 5] =
    ["/oauth/v2/token", "/oauth/v2/par", "/oauth/v2/device_authorization", "/oauth/v2/revoke", "/oauth/v2/userinfo"];

/// Metadata and keys: public.
const WELL_KNOWN: &str = "/.well-known/";

/// For pages of the configured origins.
const API: &str = "/api/v2/";

pub(super) fn layer(app: &App) -> CorsLayer {
    let origins = app.cors_origins.clone();
    let allow_origin = AllowOrigin::predicate(move |origin, request| match request.uri.path() {
        path if path.starts_with(API) => origins.iter().any(|allowed| origin == allowed.as_str()),
        path => OF_ANY_ORIGIN.contains(&path) || path.starts_with(WELL_KNOWN),
    });
    CorsLayer::new()
        .allow_origin(allow_origin)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, DPOP, X_API_KEY])
        .expose_headers([header::WWW_AUTHENTICATE, header::RETRY_AFTER, DPOP_NONCE, X_REQUEST_ID])
        .max_age(PREFLIGHT_TTL)
}

const DPOP: HeaderName = HeaderName::from_static("dpop");
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
