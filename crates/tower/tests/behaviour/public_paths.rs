//! Public paths, and that no spelling of a path makes another one public.

use http::Request;
use tollgate_tower::{AuthLayer, LayerError};

use crate::support::{Fixture, answer};

#[tokio::test]
async fn public_paths_pass_without_a_principal() {
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone()).public_paths(["/healthz", "/", "/assets/*"]).unwrap();
    for path in ["/healthz", "/healthz?verbose", "/", "/assets/", "/assets/a.css", "/assets/a/b/", "/assets/..a/.b"] {
        let response = answer(&layer, Request::get(path)).await;
        assert_eq!((response.status().as_u16(), response.body().as_str()), (200, "nobody"), "{path}");
    }
}

#[tokio::test]
async fn credential_on_a_public_path_is_not_read() {
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone()).public_paths(["/login"]).unwrap();
    for authorization in [fixture.bearer(), format!("Bearer {}", fixture.expired)] {
        let response = answer(&layer, Request::post("/login").header("authorization", authorization)).await;
        assert_eq!((response.status().as_u16(), response.body().as_str()), (200, "nobody"));
    }
}

#[tokio::test]
async fn path_with_a_second_reading_is_not_public() {
    let layer = AuthLayer::new(Fixture::new().engine).public_paths(["/healthz", "/assets/*"]).unwrap();
    for path in [
        "/healthz/",
        "/Healthz",
        "/healthz/x",
        "//healthz",
        "/healthz;x",
        "/%68ealthz",
        "/healthz%2f",
        "/assets",
        "/assetsx",
        "/assets/../admin",
        "/assets/..",
        "/assets/./a",
        "/assets//admin",
        "/assets//",
        "/assets/%2e%2e/admin",
        "/assets/..%2fadmin",
        "/assets/%2e%2e%2fadmin",
        "/assets/%252e%252e/admin",
        "/assets/..;/admin",
        "/assets/a;b=c",
        "/assets/..\\admin",
        "/assets/a%00",
        "/x/../assets/a",
        "/x/assets/a",
    ] {
        assert_eq!(answer(&layer, Request::get(path)).await.status(), 401, "{path}");
    }
    assert_eq!(answer(&layer, Request::options("*")).await.status(), 401);
    assert_eq!(answer(&layer, Request::connect("assets:1")).await.status(), 401);
}

#[tokio::test]
async fn path_of_the_absolute_form_counts_not_its_authority() {
    let layer = AuthLayer::new(Fixture::new().engine).public_paths(["/healthz"]).unwrap();
    assert_eq!(answer(&layer, Request::get("http://localhost/healthz")).await.status(), 200);
    assert_eq!(answer(&layer, Request::get("http://healthz/admin")).await.status(), 401);
}

#[test]
fn public_path_is_plain() {
    let layer = AuthLayer::new(Fixture::new().engine);
    for path in [
        "", "healthz", "*", "/*", "/a*", "/*/a", "/a/**", "/a/*/b", "/a?b", "/a#b", "//a", "/a//*", "/a/../b",
        "/a/./*", "/a%20b", "/a;b", "/a\\b", "//*", "/..",
    ] {
        let error = layer.clone().public_paths([path]).unwrap_err();
        assert_eq!(error, LayerError::InvalidPublicPath { path: path.into() });
        assert_eq!(error.code(), "invalid-public-path");
    }
}
