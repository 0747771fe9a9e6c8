//! Logins of a certain age, public methods and preflights.

use std::convert::Infallible;

use http::{Method, Request, Response};
use tollgate::testing::TestingPrincipal;
use tollgate::{Principal, Requirement};
use tollgate_tower::{AuthLayer, Require};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::support::{Fixture, NOW, answer, challenge};

#[tokio::test]
async fn an_old_login_is_answered_with_401_and_what_login_would_do() {
    let payments =
        Require::new(Requirement::all([Requirement::login_within(300), Requirement::acr(["urn:example:mfa"])]))
            .unwrap();
    let payments = payments.realm("payments").unwrap().clock(|| NOW);
    let of = async |principal: Principal| {
        let mut request = Request::get("/").body(()).unwrap();
        request.extensions_mut().insert(principal);
        let inner = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(String::new())) });
        payments.layer(inner).oneshot(request).await.unwrap()
    };
    let login = |at: i64| TestingPrincipal::new("user_7").claim("auth_time", at).claim("acr", "urn:example:mfa");
    assert_eq!(of(login(NOW - 300).build()).await.status(), 200);
    let response = of(login(NOW - 301).build()).await;
    assert_eq!(response.status(), 401);
    assert_eq!(
        challenge(&response),
        r#"Bearer realm="payments", error="insufficient_user_authentication", max_age="300""#
    );
    let response = of(login(NOW).claim("acr", "urn:example:password").build()).await;
    assert_eq!(
        challenge(&response),
        r#"Bearer realm="payments", error="insufficient_user_authentication", acr_values="urn:example:mfa""#
    );
}

#[tokio::test]
async fn a_path_is_public_for_its_methods() {
    let layer = AuthLayer::new(Fixture::new().engine);
    let layer = layer.public_paths(["GET /docs/*", "POST,DELETE /login", "/healthz", "PROPFIND /dav/*"]).unwrap();
    let propfind = Method::from_bytes(b"PROPFIND").unwrap();
    for (method, path, status) in [
        (Method::GET, "/docs/a", 200),
        (Method::HEAD, "/docs/a", 200),
        (Method::POST, "/docs/a", 401),
        (Method::OPTIONS, "/docs/a", 401),
        (Method::GET, "/docs/../admin", 401),
        (Method::POST, "/login", 200),
        (Method::DELETE, "/login", 200),
        (Method::GET, "/login", 401),
        (Method::HEAD, "/login", 401),
        (Method::PUT, "/healthz", 200),
        (propfind.clone(), "/dav/a", 200),
        (Method::GET, "/dav/a", 401),
    ] {
        let response = answer(&layer, Request::builder().method(&method).uri(path)).await;
        assert_eq!(response.status(), status, "{method} {path}");
    }
    for pattern in
        ["get /a", "GET", "GET  /a", " /a", "GET, POST /a", "GET,, /a", "G(T /a", "GET /*", "GET a", "/a GET"]
    {
        assert!(layer.clone().public_paths([pattern]).is_err(), "{pattern}");
    }
}

#[tokio::test]
async fn preflights_pass_where_they_are_let_through() {
    let layer = AuthLayer::new(Fixture::new().engine);
    let preflight = || {
        let options = Request::options("/").header("origin", "https://app.example.com");
        options.header("access-control-request-method", "PUT")
    };
    assert_eq!(answer(&layer, preflight()).await.status(), 401);
    let layer = layer.pass_preflights();
    let response = answer(&layer, preflight().header("authorization", "Bearer x")).await;
    assert_eq!((response.status().as_u16(), response.body().as_str()), (200, "nobody"));
    let no_origin = Request::options("/").header("access-control-request-method", "PUT");
    let no_method = Request::options("/").header("origin", "https://app.example.com");
    let no_options = Request::put("/").header("origin", "a").header("access-control-request-method", "PUT");
    for other in [Request::options("/"), no_origin, no_method, no_options] {
        assert_eq!(answer(&layer, other).await.status(), 401);
    }
}

#[tokio::test]
async fn a_cors_layer_outside_answers_preflights_and_lets_pages_read_rejections() {
    let fixture = Fixture::new();
    let cors = CorsLayer::new().allow_origin(AllowOrigin::exact("https://app.example.com".parse().unwrap()));
    let cors = cors.allow_methods([Method::PUT]).expose_headers([http::header::WWW_AUTHENTICATE]);
    let stack = ServiceBuilder::new().layer(cors).layer(AuthLayer::new(fixture.engine.clone())).into_inner();
    let preflight = Request::options("/").header("origin", "https://app.example.com");
    let response = answer(&stack, preflight.header("access-control-request-method", "PUT")).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["access-control-allow-methods"]),
        (200, &"PUT".parse().unwrap())
    );
    let response = answer(&stack, Request::put("/").header("origin", "https://app.example.com")).await;
    assert_eq!((response.status().as_u16(), challenge(&response)), (401, "Bearer"));
    assert_eq!(response.headers()["access-control-allow-origin"], "https://app.example.com");
    let good = Request::put("/").header("origin", "https://app.example.com").header("authorization", fixture.bearer());
    assert_eq!(answer(&stack, good).await.body(), "user_7");
}
