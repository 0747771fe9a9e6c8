//! Credentials outside Authorization. The sources themselves are tested at the engine; this tests that the layer
//! uses them.

use http::{Request, Version};
use tollgate::{AcceptedCredentials, CsrfRule, PrincipalKind, Source, Sources};
use tollgate_tower::{AuthLayer, LayerError};

use crate::support::{Fixture, answer};

fn sources() -> Sources {
    Sources::new([
        Source::scheme("Token").unwrap(),
        Source::authorization(),
        Source::cookie("session").unwrap(),
        Source::field("cf-access-jwt-assertion").unwrap(),
    ])
}

#[tokio::test]
async fn a_credential_is_taken_from_each_source_and_two_are_rejected() {
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone()).sources(sources()).unwrap();
    let (token, cookie) = (format!("Token {}", fixture.key), format!("a=b; session={}", fixture.key));
    for (name, value) in [
        ("authorization", &token),
        ("authorization", &fixture.bearer()),
        ("cookie", &cookie),
        ("cf-access-jwt-assertion", &fixture.key),
    ] {
        assert_eq!(answer(&layer, Request::get("/").header(name, value)).await.body(), "user_7", "{name}");
    }
    let two = Request::get("/").header("authorization", &token).header("cookie", &cookie);
    assert_eq!(answer(&layer, two).await.status(), 400);
    let query = Request::get("/?access_token=x").header("cookie", &cookie);
    assert_eq!(answer(&layer, query).await.status(), 400);
    // Fields that are not configured are not read.
    let layer = AuthLayer::new(fixture.engine.clone());
    assert_eq!(answer(&layer, Request::get("/").header("cookie", &cookie)).await.status(), 401);
}

#[tokio::test]
async fn the_rule_against_cross_site_requests_sees_method_host_and_authority() {
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone()).sources(sources()).unwrap();
    let cookie = format!("session={}", fixture.key);
    let post = |uri: &str| Request::post(uri).header("cookie", &cookie).header("origin", "https://a.example");
    assert_eq!(answer(&layer, post("/").header("host", "a.example")).await.status(), 200);
    assert_eq!(answer(&layer, post("/").header("host", "b.example")).await.status(), 403);
    assert_eq!(answer(&layer, post("https://a.example/").version(Version::HTTP_2)).await.status(), 200);
    assert_eq!(
        answer(&layer, post("/").header("host", "a.example").header("sec-fetch-site", "cross-site")).await.status(),
        403
    );
    let get = Request::get("/").header("cookie", &cookie).header("sec-fetch-site", "cross-site");
    assert_eq!(answer(&layer, get).await.status(), 200);
    let lax = AuthLayer::new(fixture.engine.clone()).sources(sources().csrf(CsrfRule::danger_none())).unwrap();
    assert_eq!(answer(&lax, post("/").header("host", "b.example")).await.status(), 200);
}

#[tokio::test]
async fn a57_the_kinds_of_source_layer_and_engine_all_have_to_hold() {
    let fixture = Fixture::new();
    let only = |kind| AcceptedCredentials::only([kind]);
    let sources =
        || Sources::new([Source::authorization().accept(only(PrincipalKind::ApiKey)), Source::cookie("s").unwrap()]);
    let layer = AuthLayer::new(fixture.engine.clone()).sources(sources()).unwrap();
    for (name, value, status) in [
        ("authorization", &fixture.key, 200),
        ("authorization", &fixture.client, 401),
        ("authorization", &fixture.access_token, 401),
        ("cookie", &fixture.access_token.replace("Bearer ", "s="), 200),
    ] {
        assert_eq!(answer(&layer, Request::get("/").header(name, value)).await.status(), status, "{name} {value}");
    }
    let keys = layer.clone().accept(only(PrincipalKind::ApiKey)).unwrap();
    let token = fixture.access_token.replace("Bearer ", "s=");
    assert_eq!(answer(&keys, Request::get("/").header("cookie", token)).await.status(), 401);
    for refused in [
        layer.clone().accept(only(PrincipalKind::Client)),
        layer.clone().sources(Sources::new([])),
        layer.clone().sources(sources().and(Source::cookie("t").unwrap().accept(only(PrincipalKind::Jwt)))),
    ] {
        assert_eq!(refused.unwrap_err(), LayerError::NothingAccepted, "this engine takes no JWTs");
    }
}

#[tokio::test]
async fn debug_of_a_request_does_not_show_what_a_source_holds() {
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone()).sources(sources()).unwrap();
    for (name, value) in
        [("cookie", format!("session={}", fixture.key)), ("cf-access-jwt-assertion", fixture.key.clone())]
    {
        let service = tower::Layer::layer(
            &layer,
            tower::service_fn(|request: Request<()>| async move {
                Ok::<_, std::convert::Infallible>(http::Response::new(format!("{request:?}")))
            }),
        );
        let request = Request::get("/").header(name, &value).body(()).unwrap();
        let shown = tower::ServiceExt::oneshot(service, request).await.unwrap().into_body();
        assert!(shown.contains(name) && !shown.contains(&fixture.key), "{shown}");
    }
}
