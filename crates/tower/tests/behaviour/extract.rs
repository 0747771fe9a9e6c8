//! The axum extractors.

use axum::body::Body;
use axum::routing::get;
use axum::{Router, http};
use http::Request;
use http_body_util::BodyExt;
use tollgate_tower::{AuthLayer, Authenticated};
use tower::ServiceExt;

use crate::support::{Fixture, challenge};

fn app() -> Router {
    Router::new()
        .route("/must", get(|Authenticated(principal): Authenticated| async move { name(Some(&principal)) }))
        .route(
            "/may",
            get(|caller: Option<Authenticated>| async move { name(caller.as_ref().map(|caller| &caller.0)) }),
        )
}

fn name(principal: Option<&tollgate::Principal>) -> String {
    principal.and_then(tollgate::Principal::subject).unwrap_or("nobody").to_owned()
}

#[tokio::test]
async fn principal_is_extracted() {
    let fixture = Fixture::new();
    let app = app().layer(AuthLayer::new(fixture.engine.clone()));
    for path in ["/must", "/may"] {
        let request = Request::get(path).header("authorization", fixture.bearer()).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "user_7");
    }
}

#[tokio::test]
async fn without_a_principal_the_handler_is_not_reached() {
    let optional = app().layer(AuthLayer::new(Fixture::new().engine).optional());
    for app in [app(), optional] {
        let response = app.clone().oneshot(Request::get("/must").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!((response.status().as_u16(), challenge(&response)), (401, "Bearer"));
        let response = app.oneshot(Request::get("/may").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "nobody");
    }
}
