//! Tests of a handler without a minted credential: the principal replaces the layer.

use axum::body::Body;
use axum::extract::Path;
use axum::routing::delete;
use axum::{Extension, Router};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use tollgate::testing::{TestingPrincipal, testing_key_principal};
use tollgate::{KeyRecord, Principal};
use tollgate_tower::Authenticated;
use tower::ServiceExt;

/// The handler under test: a site belongs to its tenant.
async fn delete_site(Authenticated(caller): Authenticated, Path(site): Path<String>) -> (StatusCode, String) {
    let tenant = caller.claim::<String>("tenant").ok().flatten();
    match tenant.is_some_and(|tenant| site.starts_with(&tenant)) {
        true => (StatusCode::OK, format!("{site} deleted by {}", caller.subject().unwrap_or("nobody"))),
        false => (StatusCode::NOT_FOUND, String::new()),
    }
}

/// The route's response to that caller.
async fn answer(caller: Principal) -> (StatusCode, String) {
    let app = Router::new().route("/sites/{site}", delete(delete_site)).layer(Extension(caller));
    let response = app.oneshot(Request::delete("/sites/acme-1").body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn handler_is_called_with_a_testing_principal() {
    let owner = TestingPrincipal::new("user_7").claim("tenant", "acme");
    assert_eq!(answer(owner.build()).await, (StatusCode::OK, "acme-1 deleted by user_7".to_owned()));
    let stranger = owner.claim("tenant", "other").build();
    assert_eq!(answer(stranger).await.0, StatusCode::NOT_FOUND);
    let key = testing_key_principal(KeyRecord::api_key("key_1", "user_7"));
    assert_eq!(answer(key).await.0, StatusCode::NOT_FOUND);
}
