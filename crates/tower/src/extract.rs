use std::convert::Infallible;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use serde::de::DeserializeOwned;
use tollgate::{Principal, Rejection};

/// The [`Principal`] of the request, for axum handlers behind an [`AuthLayer`](crate::AuthLayer).
///
/// Without a principal, because the layer is optional or missing or the path is public, the request is answered
/// with 401 ([`Rejection::MissingCredential`]). `Option<Authenticated>` accepts both cases.
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
/// A handler is tested without a credential: `axum::Extension` replaces the layer, and the feature `testing` of
/// `tollgate`, enabled among the dev-dependencies, makes the principal.
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
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        parts.extensions.get().cloned().map(Authenticated).ok_or(Rejection::MissingCredential)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Authenticated {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get().cloned().map(Authenticated))
    }
}

/// The claims of the request's token as a `T`, for axum handlers behind an [`AuthLayer`](crate::AuthLayer).
///
/// Without a principal the request is answered with 401; with claims that are not a `T`, with 403. The rejection
/// names the claim ([`Rejection::UnexpectedClaims`]), for logs: a handler with a `Result<Claims<T>, Rejection>`
/// argument receives it. The claims are decoded at each request.
///
/// ```
/// use serde::Deserialize;
/// use tollgate::Rejection;
/// use tollgate_tower::Claims;
///
/// #[derive(Deserialize)]
/// struct Tenant {
///     tenant: u32,
///     #[serde(default)]
///     groups: Vec<String>,
/// }
///
/// async fn sites(Claims(Tenant { tenant, .. }): Claims<Tenant>) -> String {
///     format!("the sites of tenant {tenant}")
/// }
///
/// async fn users(claims: Result<Claims<Tenant>, Rejection>) -> Result<String, Rejection> {
///     let Claims(claims) = claims.inspect_err(|rejection| eprintln!("{rejection}"))?;
///     Ok(format!("the users of {:?}", claims.groups))
/// }
///
/// let app: axum::Router = axum::Router::new()
///     .route("/sites", axum::routing::get(sites))
///     .route("/users", axum::routing::get(users));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Claims<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Claims<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let principal: &Principal = parts.extensions.get().ok_or(Rejection::MissingCredential)?;
        Ok(Claims(principal.claims()?))
    }
}
