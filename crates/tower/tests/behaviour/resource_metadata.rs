//! RFC 9728: the metadata that names the authorization servers of a resource.

use http::Request;
use tollgate_tower::{AuthLayer, LayerError, Require, ResourceMetadata};

use crate::support::{Fixture, answer, challenge};

fn metadata() -> ResourceMetadata {
    ResourceMetadata::new("https://api.example.com/v1")
        .unwrap()
        .authorization_servers(["https://auth.example.com/"])
        .scopes(["read:sites"])
        .member("resource_name", "Sites")
        .member("resource", "https://evil.example/")
}

#[tokio::test]
async fn challenges_name_it_and_everybody_may_read_it() {
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone()).realm("sites").unwrap().resource_metadata(&metadata());
    let url = "https://api.example.com/.well-known/oauth-protected-resource/v1";
    let response = answer(&layer, Request::get("/v1/sites")).await;
    assert_eq!(challenge(&response), format!(r#"Bearer realm="sites", resource_metadata="{url}""#));
    let response = answer(&layer, Request::get("/v1/sites").header("authorization", "Bearer x")).await;
    assert_eq!(
        challenge(&response),
        format!(r#"Bearer realm="sites", error="invalid_token", resource_metadata="{url}""#)
    );
    let path = "/.well-known/oauth-protected-resource/v1";
    assert_eq!(answer(&layer, Request::get(path)).await.body(), "nobody");
    assert_eq!(answer(&layer, Request::head(path)).await.status(), 200);
    for other in [Request::post(path), Request::get("/.well-known/oauth-protected-resource")] {
        assert_eq!(answer(&layer, other).await.status(), 401);
    }
    let scopes = Require::scopes(["admin"]).unwrap().resource_metadata(&metadata());
    let response = answer(&scopes, Request::get("/")).await;
    assert_eq!(challenge(&response), format!(r#"Bearer resource_metadata="{url}""#));
}

#[test]
fn its_url_and_members_are_those_of_rfc_9728() {
    let document: serde_json::Value = serde_json::from_str(&metadata().to_json()).unwrap();
    assert_eq!(
        document,
        serde_json::json!({
            "resource": "https://api.example.com/v1",
            "authorization_servers": ["https://auth.example.com/"],
            "scopes_supported": ["read:sites"],
            "bearer_methods_supported": ["header"],
            "resource_name": "Sites",
        })
    );
    for (resource, url) in [
        ("https://a.example", "https://a.example/.well-known/oauth-protected-resource"),
        ("https://a.example/", "https://a.example/.well-known/oauth-protected-resource"),
        ("http://localhost:8080/b/", "http://localhost:8080/.well-known/oauth-protected-resource/b/"),
    ] {
        let metadata = ResourceMetadata::new(resource).unwrap();
        assert_eq!(metadata.url(), url);
        assert!(url.ends_with(metadata.path()) && metadata.path().starts_with("/.well-known/"));
    }
    for resource in [
        "",
        "a.example",
        "ftp://a.example",
        "https://",
        "https://a.example/?b",
        "https://a.example/#b",
        "https://a.example/{b}",
        "https://a.example/\"",
        "https://u@a.example/",
        "https://a.example/b c",
    ] {
        let error = ResourceMetadata::new(resource).unwrap_err();
        assert_eq!(
            (error.code(), &error),
            ("invalid-resource", &LayerError::InvalidResource { resource: resource.into() })
        );
    }
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn an_axum_router_serves_it() {
    use axum::body::Body;
    use http_body_util::BodyExt;
    use tower::ServiceExt;
    let layer = AuthLayer::new(Fixture::new().engine).resource_metadata(&metadata());
    let app: axum::Router = axum::Router::new().merge(metadata().route()).layer(layer);
    let path = "/.well-known/oauth-protected-resource/v1";
    let response = app.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, metadata().to_json());
}
