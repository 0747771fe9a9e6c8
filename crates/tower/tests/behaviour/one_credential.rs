//! One request, one credential (RFC 6750 section 2).

use http::Request;
use tollgate_tower::AuthLayer;

use crate::support::{Fixture, answer, challenge};

#[tokio::test]
async fn a47_more_than_one_credential_is_rejected() {
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone()).api_key_header("x-api-key").unwrap().optional();
    let (bearer, key) = (fixture.bearer(), fixture.key.as_str());
    let requests = [
        Request::get("/").header("authorization", &bearer).header("authorization", &bearer),
        Request::get("/").header("authorization", "Bearer x").header("Authorization", &bearer),
        Request::get("/").header("authorization", &bearer).header("authorization", ""),
        Request::get("/").header("x-api-key", key).header("x-api-key", key),
        Request::get("/").header("authorization", &bearer).header("x-api-key", key),
        Request::get("/").header("authorization", "").header("x-api-key", key),
        Request::get("/?access_token=a").header("authorization", &bearer),
        Request::get("/?access_token=a").header("x-api-key", key),
        Request::get("/?page=2&access_token").header("authorization", &bearer),
        Request::get("/?%61ccess%5Ftoken=").header("authorization", &bearer),
    ];
    for (index, request) in requests.into_iter().enumerate() {
        let response = answer(&layer, request).await;
        assert_eq!(response.status(), 400, "request {index}");
        assert_eq!(challenge(&response), r#"Bearer error="invalid_request""#, "request {index}");
    }
}

#[tokio::test]
async fn a47_two_credentials_in_one_field_are_rejected() {
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone()).api_key_header("x-api-key").unwrap();
    let both = format!("{0}, {0}", fixture.bearer());
    assert_eq!(answer(&layer, Request::get("/").header("authorization", both)).await.status(), 400);
    let both = format!("{0}, {0}", fixture.key);
    assert_eq!(answer(&layer, Request::get("/").header("x-api-key", both)).await.status(), 400);
}

#[tokio::test]
async fn api_key_field_that_is_not_configured_does_not_count() {
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone());
    let request = Request::get("/").header("authorization", fixture.bearer()).header("x-api-key", "anything");
    assert_eq!(answer(&layer, request).await.body(), "user_7");
}

#[tokio::test]
async fn token_in_the_query_alone_is_no_credential() {
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone());
    let response = answer(&layer, Request::get(format!("/?access_token={}", fixture.key))).await;
    assert_eq!((response.status().as_u16(), challenge(&response)), (401, "Bearer"));
    let response = answer(&layer.optional(), Request::get(format!("/?access_token={}", fixture.key))).await;
    assert_eq!(response.body(), "nobody");
}

#[tokio::test]
async fn other_query_parameters_do_not_count() {
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone());
    for query in ["access_tokens=a", "x=access_token", "ACCESS_TOKEN=a", "", "my_access_token=a"] {
        let request = Request::get(format!("/?{query}")).header("authorization", fixture.bearer());
        assert_eq!(answer(&layer, request).await.body(), "user_7", "{query}");
    }
}
