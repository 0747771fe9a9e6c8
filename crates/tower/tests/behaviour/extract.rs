//! The axum extractors.

use axum::body::Body;
use axum::routing::get;
use axum::{Router, http};
use http::Request;
use http_body_util::BodyExt;
use tollgate::testing::TestingPrincipal;
use tollgate::{Principal, Rejection};
use tollgate_tower::{AuthLayer, Authenticated, Claims};
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

#[derive(serde::Deserialize)]
struct Tenant {
    tenant: u32,
}

#[tokio::test]
async fn claims_are_extracted_and_a_rejection_names_the_claim() {
    async fn tenant(Claims(Tenant { tenant }): Claims<Tenant>) -> String {
        tenant.to_string()
    }
    async fn explained(claims: Result<Claims<Tenant>, Rejection>) -> String {
        claims.map_or_else(|rejection| rejection.to_string(), |claims| claims.0.tenant.to_string())
    }
    let app = Router::new().route("/tenant", get(tenant)).route("/explained", get(explained));
    let of = async |path: &str, caller: Option<Principal>| {
        let app = match caller {
            Some(caller) => app.clone().layer(axum::Extension(caller)),
            None => app.clone(),
        };
        let response = app.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        let (status, rejection) = (response.status().as_u16(), response.extensions().get::<Rejection>().cloned());
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap(), rejection)
    };
    let caller = |tenant: serde_json::Value| Some(TestingPrincipal::new("user_7").claim("tenant", tenant).build());
    assert_eq!(of("/tenant", caller(7.into())).await, (200, "7".to_owned(), None));
    let (status, body, rejection) = of("/tenant", caller("acme".into())).await;
    assert_eq!((status, body.as_str(), rejection.unwrap().code()), (403, "", "unexpected-claims"));
    let (status, body, _) = of("/explained", caller("acme".into())).await;
    assert!(status == 200 && body.starts_with("the claim tenant has another shape"), "{body}");
    let (_, body, _) = of("/explained", Some(TestingPrincipal::new("user_7").build())).await;
    assert!(body.contains("tenant"), "{body}");
    assert_eq!(of("/tenant", None).await, (401, String::new(), Some(Rejection::MissingCredential)));
    let key = tollgate::testing::testing_key_principal(tollgate::KeyRecord::api_key("key_1", "user_7"));
    assert_eq!(of("/tenant", Some(key)).await.0, 403, "a key has no claims");
}

#[tokio::test]
async fn a_handler_returns_a_rejection() {
    async fn delete(Authenticated(caller): Authenticated) -> Result<&'static str, Rejection> {
        caller.require_scope("write:sites")?;
        let _: Option<u32> = caller.claim("tenant")?;
        Ok("deleted")
    }
    let answer = async |caller: TestingPrincipal| {
        let app = Router::new().route("/", get(delete)).layer(axum::Extension(caller.build()));
        app.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap()
    };
    let writer = || TestingPrincipal::new("user_7").scopes(["write:sites"]);
    assert_eq!(answer(writer()).await.status(), 200);
    let response = answer(TestingPrincipal::new("user_7")).await;
    assert_eq!(response.status(), 403);
    assert_eq!(challenge(&response), r#"Bearer error="insufficient_scope", scope="write:sites""#);
    let response = answer(writer().claim("tenant", "acme")).await;
    assert_eq!((response.status().as_u16(), challenge(&response)), (403, r#"Bearer error="insufficient_scope""#));
    let unavailable = Rejection::from(tollgate::Unavailable::BudgetSpent { issuer: "https://a.example/".into() });
    let response = axum::response::IntoResponse::into_response(unavailable);
    assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (503, &"5".parse().unwrap()));
    assert!(!response.headers().contains_key("www-authenticate"));
}
