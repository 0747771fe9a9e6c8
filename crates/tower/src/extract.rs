use std::convert::Infallible;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use tollgate::{Principal, Rejection};

use crate::response::{EmptyBody, Responder};

/// The [`Principal`] of the request, for axum handlers behind an [`AuthLayer`](crate::AuthLayer).
///
/// Where there is none, because the layer is optional, the path is public or the layer is missing, the request is
/// answered with 401; `Option<Authenticated>` takes both cases.
///
/// ```
/// use tollgate_tower::Authenticated;
///
/// async fn profile(Authenticated(principal): Authenticated) -> String {
///     format!("you are {}", principal.subject().unwrap_or("nobody"))
/// }
///
/// async fn welcome(caller: Option<Authenticated>) -> &'static str {
///     if caller.is_some() { "welcome back" } else { "welcome" }
/// }
///
/// let app: axum::Router = axum::Router::new()
///     .route("/profile", axum::routing::get(profile))
///     .route("/", axum::routing::get(welcome));
/// ```
///
/// A handler is tested without a credential: `axum::Extension` takes the place of the layer, and the feature `testing` of
/// `tollgate`, switched on among the dev-dependencies, makes the principal.
///
/// ```
/// use axum::{Extension, Router, body::Body, http::Request, routing::get};
/// use tollgate::testing::TestingPrincipal;
/// use tollgate_tower::Authenticated;
/// use tower::ServiceExt;
///
/// async fn profile(Authenticated(principal): Authenticated) -> String {
///     format!("you are {}", principal.subject().unwrap_or("nobody"))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let caller = TestingPrincipal::new("user_7").scopes(["profile"]).build();
/// let app = Router::new().route("/profile", get(profile)).layer(Extension(caller));
/// let answer = app.oneshot(Request::get("/profile").body(Body::empty())?).await?;
/// assert_eq!(answer.status(), 200);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Authenticated(pub Principal);

impl<S: Send + Sync> FromRequestParts<S> for Authenticated {
    type Rejection = NotAuthenticated;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get().cloned().map(Authenticated).ok_or(NotAuthenticated)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Authenticated {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get().cloned().map(Authenticated))
    }
}

/// There is no [`Principal`]: 401 with the challenge `Bearer`.
#[derive(Clone, Copy, Debug)]
pub struct NotAuthenticated;

impl IntoResponse for NotAuthenticated {
    fn into_response(self) -> Response {
        Responder::<EmptyBody>::default().response(&Rejection::MissingCredential)
    }
}
