//! A rejection as the response of an axum handler.

use axum_core::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::rejection::Rejection;

/// The response has the rejection's status, its challenge and other header fields, and no body. The rejection itself is
/// among the response's extensions, for layers that log.
///
/// ```
/// use tollgate::{Principal, Rejection};
///
/// async fn delete(axum::Extension(principal): axum::Extension<Principal>) -> Result<String, Rejection> {
///     principal.require_scope("write:sites")?;
///     let tenant: Option<u32> = principal.claim("tenant")?;
///     Ok(format!("the sites of {tenant:?}"))
/// }
///
/// let app: axum::Router = axum::Router::new().route("/sites", axum::routing::delete(delete));
/// ```
impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::UNAUTHORIZED);
        for (name, value) in self.challenge().fields() {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        response.extensions_mut().insert(self);
        response
    }
}
