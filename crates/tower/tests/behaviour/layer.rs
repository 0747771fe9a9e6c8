//! Requests that pass, and their principals.

use http::Request;
use tollgate_tower::{AuthLayer, LayerError};
use tower::{Layer, ServiceBuilder};

use crate::support::{Fixture, answer, challenge};

#[tokio::test]
async fn good_credential_of_each_kind_passes_with_its_principal() {
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone());
    for (authorization, subject) in
        [(fixture.key.clone(), "user_7"), (fixture.bearer(), "user_7"), (fixture.client.clone(), "reporter")]
    {
        let response = answer(&layer, Request::get("/").header("authorization", authorization)).await;
        assert_eq!((response.status().as_u16(), response.body().as_str()), (200, subject));
    }
}

#[tokio::test]
async fn missing_credential_is_answered_with_the_bare_challenge() {
    let layer = AuthLayer::new(Fixture::new().engine);
    let response = answer(&layer, Request::get("/")).await;
    assert_eq!((response.status().as_u16(), challenge(&response)), (401, "Bearer"));
    assert_eq!(response.body(), "");
}

#[tokio::test]
async fn bad_credential_is_answered_with_invalid_token() {
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone());
    let last_cut_off = fixture.bearer()[..fixture.bearer().len() - 1].to_owned();
    for authorization in [format!("Bearer {}", fixture.expired), last_cut_off, "Bearer ey.ey.ey".to_owned()] {
        let response = answer(&layer, Request::get("/").header("authorization", &authorization)).await;
        assert_eq!(response.status(), 401, "{authorization}");
        assert_eq!(challenge(&response), r#"Bearer error="invalid_token""#, "{authorization}");
    }
}

#[tokio::test]
async fn bytes_outside_ascii_are_rejected() {
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone());
    let value = http::HeaderValue::from_bytes(&[b"Bearer \xff", fixture.key.as_bytes()].concat()).unwrap();
    assert_eq!(answer(&layer, Request::get("/").header("authorization", value)).await.status(), 401);
}

#[tokio::test]
async fn optional_lets_only_the_absent_credential_pass() {
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone()).optional();
    let response = answer(&layer, Request::get("/")).await;
    assert_eq!((response.status().as_u16(), response.body().as_str()), (200, "nobody"));
    let response = answer(&layer, Request::get("/").header("authorization", fixture.bearer())).await;
    assert_eq!((response.status().as_u16(), response.body().as_str()), (200, "user_7"));
    for bad in [format!("Bearer {}", fixture.expired), "Bearer".to_owned(), String::new(), "Digest a".to_owned()] {
        assert_eq!(answer(&layer, Request::get("/").header("authorization", &bad)).await.status(), 401, "{bad}");
    }
}

#[tokio::test]
async fn api_key_header_is_read_only_when_asked_for() {
    let fixture = Fixture::new();
    let request = || Request::get("/").header("X-API-Key", &fixture.key);
    let layer = AuthLayer::new(fixture.engine.clone());
    assert_eq!(answer(&layer, request()).await.status(), 401);
    let layer = layer.api_key_header("x-api-key").unwrap();
    assert_eq!(answer(&layer, request()).await.body(), "user_7");
    for bad in [&fixture.expired, &fixture.bearer(), &fixture.client, ""] {
        assert_eq!(answer(&layer, Request::get("/").header("x-api-key", bad)).await.status(), 401, "{bad}");
    }
}

#[test]
fn api_key_header_is_a_field_name_other_than_authorization() {
    let layer = AuthLayer::new(Fixture::new().engine);
    for name in ["", "x api key", "Authorization", "x-api-key:"] {
        let error = layer.clone().api_key_header(name).unwrap_err();
        assert_eq!(error, LayerError::InvalidHeaderName { name: name.into() });
        assert_eq!(error.code(), "invalid-header-name");
    }
}

#[tokio::test]
async fn principal_of_an_outer_layer_does_not_pass_the_inner_one() {
    let (outer, inner) = (Fixture::new(), Fixture::new());
    let outer_layer = AuthLayer::new(outer.engine.clone()).api_key_header("x-api-key").unwrap();
    for inner_layer in [
        AuthLayer::new(inner.engine.clone()).optional(),
        AuthLayer::new(inner.engine.clone()).public_paths(["/"]).unwrap(),
    ] {
        let stack = ServiceBuilder::new().layer(outer_layer.clone()).layer(inner_layer).into_inner();
        let response = answer(&stack, Request::get("/").header("x-api-key", &outer.key)).await;
        assert_eq!((response.status().as_u16(), response.body().as_str()), (200, "nobody"));
    }
}

#[tokio::test]
async fn revoked_key_is_rejected_at_the_next_request_of_the_same_service() {
    use tollgate::{ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord};
    let format = KeyFormat::new("tg", "test").unwrap();
    let (key, table) = (ApiKey::generate(&format).unwrap(), std::sync::Arc::new(ApiKeyTable::new(format)));
    table.insert(&key, KeyRecord::api_key("key_1", "user_7"));
    let layer = AuthLayer::new(Engine::builder().api_keys(table.clone()).build().unwrap());
    let request = || Request::get("/").header("authorization", key.as_str());
    assert_eq!(answer(&layer, request()).await.status(), 200);
    table.remove(&key.digest());
    assert_eq!(answer(&layer, request()).await.status(), 401);
}

#[tokio::test]
async fn debug_of_a_request_behind_the_layer_does_not_show_the_credential() {
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone()).api_key_header("x-api-key").unwrap();
    for name in ["authorization", "x-api-key"] {
        let service = layer.layer(tower::service_fn(|request: Request<()>| async move {
            Ok::<_, std::convert::Infallible>(http::Response::new(format!("{request:?}")))
        }));
        let request = Request::get("/").header(name, &fixture.key).body(()).unwrap();
        let shown = tower::ServiceExt::oneshot(service, request).await.unwrap().into_body();
        assert!(shown.contains(name) && !shown.contains(&fixture.key), "{shown}");
    }
}
