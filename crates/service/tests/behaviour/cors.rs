//! Which routes pages of other origins may call.

use crate::support::{RESOURCE_METADATA, TestServer, config};
use reqwest::Method;
use reqwest::blocking::Response;
use tollgate_service::Config;

const APP: &str = "https://app.example.com";

fn send(server: &TestServer, method: Method, path: &str, origin: &str, fields: &[(&str, &str)]) -> Response {
    let mut request = server.client.request(method, server.url(path)).header("origin", origin);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.send().unwrap()
}

fn preflight(server: &TestServer, path: &str, origin: &str, method: &str) -> Response {
    let fields = [
        ("access-control-request-method", method),
        ("access-control-request-headers", "authorization,content-type,dpop"),
    ];
    send(server, Method::OPTIONS, path, origin, &fields)
}

fn field<'r>(response: &'r Response, name: &str) -> Option<&'r str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

/// OAuth 2.1 section 3.2.
#[test]
fn a_page_of_any_origin_may_call_the_token_endpoint_and_read_metadata_and_keys() {
    let server = TestServer::start();
    // A browser pushes its request with a proof too (RFC 9126, RFC 9449 section 10.1).
    for path in ["/oauth/v2/token", "/oauth/v2/par"] {
        let response = preflight(&server, path, APP, "POST");
        assert_eq!(response.status(), 200);
        assert_eq!(field(&response, "access-control-allow-origin"), Some(APP));
        assert!(field(&response, "access-control-allow-methods").unwrap().contains("POST"));
        for name in ["authorization", "content-type", "dpop"] {
            assert!(field(&response, "access-control-allow-headers").unwrap().contains(name), "{name}");
        }
        assert_eq!(field(&response, "access-control-allow-credentials"), None, "cookies stay out of it");

        let response = send(&server, Method::POST, path, APP, &[]);
        assert_eq!((response.status().as_u16(), field(&response, "access-control-allow-origin")), (400, Some(APP)));
        assert!(field(&response, "access-control-expose-headers").unwrap().contains("dpop-nonce"));
    }
    for path in ["/.well-known/jwks.json", "/.well-known/oauth-authorization-server", RESOURCE_METADATA] {
        let response = send(&server, Method::GET, path, APP, &[]);
        assert_eq!(
            (response.status().as_u16(), field(&response, "access-control-allow-origin")),
            (200, Some(APP)),
            "{path}"
        );
    }
}

/// OAuth 2.1 section 3.1: the authorization endpoint must not support CORS; nor does any other page that reads a cookie.
#[test]
fn no_page_of_another_origin_may_read_what_a_cookie_opens() {
    let server = TestServer::start_with(Config { store: None, cors_origins: vec![APP.parse().unwrap()], ..config() });
    for path in [
        "/oauth/v2/authorize",
        "/oauth/v2/consent",
        "/device",
        "/device/login",
        "/device/decision",
        "/login",
        "/logout",
        "/profile",
        "/profile/api-key",
        "/",
    ] {
        for response in [
            preflight(&server, path, APP, "POST"),
            send(&server, Method::GET, path, APP, &[]),
            send(&server, Method::POST, path, APP, &[]),
        ] {
            assert_eq!(field(&response, "access-control-allow-origin"), None, "{path}");
        }
    }
}

#[test]
fn the_api_is_for_pages_of_the_configured_origins() {
    let server = TestServer::start_with(Config { store: None, cors_origins: vec![APP.parse().unwrap()], ..config() });
    let key = server.key_with("read:sites");
    for (path, method) in [("/api/v2/sites", "GET"), ("/api/v2/sessions", "POST"), ("/api/v2/sessions/1", "DELETE")] {
        let response = preflight(&server, path, APP, method);
        assert_eq!((response.status().as_u16(), field(&response, "access-control-allow-origin")), (200, Some(APP)));
        let response = preflight(&server, path, "https://other.example.com", method);
        assert_eq!(field(&response, "access-control-allow-origin"), None, "{path}");
    }
    let response = send(&server, Method::GET, "/api/v2/sites", APP, &[("authorization", &key)]);
    assert_eq!((response.status().as_u16(), field(&response, "access-control-allow-origin")), (200, Some(APP)));
    let response = send(&server, Method::GET, "/api/v2/sites", APP, &[]);
    assert_eq!((response.status().as_u16(), field(&response, "access-control-allow-origin")), (401, Some(APP)));
    assert!(field(&response, "access-control-expose-headers").unwrap().contains("www-authenticate"));

    let closed = TestServer::start();
    assert_eq!(field(&preflight(&closed, "/api/v2/sites", APP, "GET"), "access-control-allow-origin"), None);
}
