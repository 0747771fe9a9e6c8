//! Rejections as HTTP responses.

use std::sync::{Arc, Mutex};

use http::{Request, Response, request};
use tollgate::{Algorithm, Engine, Rejection, Revocations};
use tollgate_tests::{Draft, NOW, issuer, signing_key};
use tollgate_tower::{AuthLayer, JsonBody, LayerError, Require};
use tower::ServiceBuilder;

use crate::support::{Fixture, answer, challenge, rejections};

#[tokio::test]
async fn realm_comes_first_in_every_challenge() {
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone()).realm("sites").unwrap();
    let request = || Request::get("/");
    let of = async |request| challenge(&answer(&layer, request).await).to_owned();
    assert_eq!(of(request()).await, r#"Bearer realm="sites""#);
    let bad = request().header("authorization", "Bearer x");
    assert_eq!(of(bad).await, r#"Bearer realm="sites", error="invalid_token""#);
    let two = request().header("authorization", "a").header("authorization", "b");
    assert_eq!(of(two).await, r#"Bearer realm="sites", error="invalid_request""#);
    let client = request().header("authorization", "Basic eDp5");
    assert_eq!(of(client).await, r#"Basic realm="sites", charset="UTF-8""#);

    let scopes = Require::scopes(["admin"]).unwrap().realm("sites").unwrap();
    let stack = ServiceBuilder::new().layer(layer.clone()).layer(scopes).into_inner();
    let response = answer(&stack, request().header("authorization", fixture.bearer())).await;
    assert_eq!(challenge(&response), r#"Bearer realm="sites", error="insufficient_scope", scope="admin""#);
}

#[tokio::test]
async fn without_a_realm_basic_keeps_the_one_it_needs() {
    let layer = AuthLayer::new(Fixture::new().engine);
    let response = answer(&layer, Request::get("/").header("authorization", "Basic eDp5")).await;
    assert_eq!(challenge(&response), r#"Basic realm="tollgate", charset="UTF-8""#);
}

#[tokio::test]
async fn realm_is_a_quoted_string() {
    let layer = AuthLayer::new(Fixture::new().engine).realm(r#"a "b" \c, error="x"#).unwrap();
    let response = answer(&layer, Request::get("/")).await;
    assert_eq!(challenge(&response), r#"Bearer realm="a \"b\" \\c, error=\"x""#);
}

#[test]
fn realm_is_printable_ascii() {
    let layer = AuthLayer::new(Fixture::new().engine);
    for realm in ["a\r\nset-cookie: b", "a\0", "a\tb", "räume", "\u{7f}"] {
        let error = layer.clone().realm(realm).unwrap_err();
        assert_eq!(error, LayerError::InvalidRealm { realm: realm.into() });
        assert_eq!(error.code(), "invalid-realm");
    }
}

#[tokio::test]
async fn json_body_says_the_error_code_and_no_more() {
    let fixture = Fixture::new();
    let auth = AuthLayer::new(fixture.engine.clone()).respond_with(JsonBody);
    let scopes = Require::scopes(["admin"]).unwrap().respond_with(JsonBody);
    let stack = ServiceBuilder::new().layer(auth).layer(scopes).into_inner();
    let (bearer, expired) = (fixture.bearer(), format!("Bearer {}", fixture.expired));
    for (request, status, body) in [
        (Request::get("/"), 401, "{}"),
        (Request::get("/").header("authorization", expired), 401, r#"{"error":"invalid_token"}"#),
        (Request::get("/?access_token").header("authorization", &bearer), 400, r#"{"error":"invalid_request"}"#),
        (Request::get("/").header("authorization", &bearer), 403, r#"{"error":"insufficient_scope"}"#),
    ] {
        let response = answer(&stack, request).await;
        assert_eq!((response.status().as_u16(), response.body().as_str()), (status, body));
        assert_eq!(response.headers()["content-type"], "application/json");
    }
}

#[tokio::test]
async fn a80_what_cannot_be_decided_now_is_503_with_retry_after_and_no_challenge() {
    let (key, revocations) = (signing_key(Algorithm::HS256, 0), Revocations::new());
    let issuer = issuer([&key]).require_fresh_revocations();
    let engine = Engine::builder().issuer(issuer).revocations(revocations.clone()).clock(|| NOW).build().unwrap();
    let layer = AuthLayer::new(engine).respond_with(JsonBody).realm("sites").unwrap();
    let request = || Request::get("/").header("authorization", format!("Bearer {}", Draft::new(&key).sign(&key)));
    let response = answer(&layer, request()).await;
    assert_eq!((response.status().as_u16(), response.body().as_str()), (503, "{}"));
    assert_eq!(response.headers()["retry-after"], "5");
    assert!(!response.headers().contains_key("www-authenticate"), "another credential would do no better");
    revocations.mark_fresh();
    assert_eq!(answer(&layer, request()).await.status().as_u16(), 200);
    let without = answer(&layer, Request::get("/")).await;
    assert!(!without.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn status_fields_and_body_are_left_to_a_function_of_ones_own() {
    fn login(rejection: &Rejection, request: &request::Parts, standard: Response<()>) -> Response<String> {
        let wants_html = request.headers.get("accept").is_some_and(|accept| accept == "text/html");
        if rejection.status() != 401 || !wants_html {
            return standard.map(|()| rejection.code().to_owned());
        }
        let answer = Response::builder().status(303).header("location", "/login");
        answer.body(String::new()).unwrap()
    }
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone()).respond_with(login);
    let response = answer(&layer, Request::get("/")).await;
    assert_eq!((response.status().as_u16(), challenge(&response)), (401, "Bearer"));
    assert_eq!(response.body(), "missing-credential");
    let response = answer(&layer, Request::get("/").header("accept", "text/html")).await;
    assert_eq!((response.status().as_u16(), &response.headers()["location"]), (303, &"/login".parse().unwrap()));
    assert!(!response.headers().contains_key("www-authenticate"));
    let scopes = Require::scopes(["admin"]).unwrap();
    let scopes = scopes.respond_with(|_: &Rejection, _: &request::Parts, standard: Response<()>| {
        let (mut head, ()) = standard.into_parts();
        head.status = http::StatusCode::NOT_FOUND;
        Response::from_parts(head, "no such page".to_owned())
    });
    let stack = ServiceBuilder::new().layer(layer).layer(scopes).into_inner();
    let response = answer(&stack, Request::get("/").header("authorization", fixture.bearer())).await;
    assert_eq!((response.status().as_u16(), response.body().as_str()), (404, "no such page"));
}

#[tokio::test]
async fn an_answer_holds_its_rejection_for_layers_around_it() {
    let fixture = Fixture::new();
    let response = answer(&AuthLayer::new(fixture.engine.clone()), Request::get("/")).await;
    assert_eq!(response.extensions().get(), Some(&Rejection::MissingCredential));
}

#[tokio::test]
async fn nothing_of_the_credential_comes_back() {
    let layer = AuthLayer::new(Fixture::new().engine).respond_with(JsonBody).realm("sites").unwrap();
    let response = answer(&layer, Request::get("/").header("authorization", "Bearer mark-of-the-token")).await;
    assert!(!format!("{response:?}").contains("mark-of-the-token"));
}

#[tokio::test]
async fn the_detail_of_a_rejection_is_for_the_observer_and_in_no_answer() {
    let key = signing_key(Algorithm::HS256, 0);
    let details = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&details);
    let engine = Engine::builder().issuer(issuer([&key])).clock(|| NOW).build().unwrap();
    let layer = AuthLayer::new(engine).respond_with(JsonBody).observe(rejections(move |rejection, _| {
        list.lock().unwrap().push(rejection.to_string());
    }));
    let tokens = [
        (Draft::new(&key).claim("aud", "mark-of-the-audience").sign(&key), "mark-of-the-audience"),
        (Draft::new(&key).claim("iss", "mark-of-the-issuer").sign(&key), "mark-of-the-issuer"),
        (Draft::new(&key).claim("nbf", NOW + 123_456).sign(&key), "1763923456"),
        (Draft::new(&key).header("kid", "mark-of-the-key").sign(&key), "mark-of-the-key"),
        (Draft::new(&key).header("typ", "mark-of-the-typ").sign(&key), "mark-of-the-typ"),
    ];
    for (token, mark) in tokens {
        let response = answer(&layer, Request::get("/").header("authorization", format!("Bearer {token}"))).await;
        let detail = details.lock().unwrap().pop().unwrap();
        assert!(detail.contains(mark), "{detail}");
        let shown = format!("{:?} {}", response.headers(), response.body());
        assert!(!shown.contains(mark) && !shown.contains(&detail), "{shown}");
        assert_eq!((response.status().as_u16(), response.body().as_str()), (401, r#"{"error":"invalid_token"}"#));
    }
}
