//! The layers behind real sockets, on axum and on plain hyper, driven byte by byte.

use std::convert::Infallible;
use std::net::SocketAddr;

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tollgate_tower::{AuthLayer, JsonBody, Require};
use tower::{ServiceBuilder, service_fn};

use crate::support::{Fixture, subject};

async fn serve_axum(fixture: &Fixture) -> SocketAddr {
    let whoami = || async |request: axum::extract::Request| subject(&request);
    let admin = Require::scopes(["admin"]).unwrap().respond_with(JsonBody);
    let app = axum::Router::new()
        .route("/whoami", axum::routing::get(whoami()).post(whoami()))
        .route("/admin", axum::routing::get(whoami()).layer(admin))
        .route("/healthz", axum::routing::get(whoami()))
        .layer(layer(fixture));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

async fn serve_hyper(fixture: &Fixture) -> SocketAddr {
    let whoami = |request: Request<Incoming>| async move {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(subject(&request))))
    };
    let admin = Require::scopes(["admin"]).unwrap().respond_with(JsonBody);
    let (auth, guarded) = (layer(fixture), ServiceBuilder::new().layer(admin).service_fn(whoami));
    let open = service_fn(whoami);
    let routes = service_fn(move |request: Request<Incoming>| {
        let (open, guarded) = (open, guarded.clone());
        async move {
            use tower::ServiceExt;
            if request.uri().path() == "/admin" { guarded.oneshot(request).await } else { open.oneshot(request).await }
        }
    });
    let service = TowerToHyperService::new(ServiceBuilder::new().layer(auth).service(routes));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let connection = hyper::server::conn::http1::Builder::new();
            tokio::spawn(connection.serve_connection(TokioIo::new(stream), service.clone()));
        }
    });
    address
}

fn layer(fixture: &Fixture) -> AuthLayer<JsonBody> {
    let layer = AuthLayer::new(fixture.engine.clone()).respond_with(JsonBody);
    layer.realm("sites").unwrap().public_paths(["/healthz"]).unwrap().api_key_header("x-api-key").unwrap()
}

/// Sends a request head, lines separated by `|`, and returns the whole response.
async fn exchange(server: SocketAddr, head: &str) -> String {
    let mut stream = TcpStream::connect(server).await.unwrap();
    let head = head.replace('|', "\r\n");
    stream.write_all(format!("{head}\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

#[tokio::test]
async fn axum_and_hyper_answer_alike() {
    let fixture = Fixture::new();
    let (key, expired, bearer) = (&fixture.key, &fixture.expired, fixture.bearer());
    let (missing, invalid) = (r#"Bearer realm="sites""#, r#"Bearer realm="sites", error="invalid_token""#);
    let many = r#"Bearer realm="sites", error="invalid_request""#;
    let scope = r#"Bearer error="insufficient_scope", scope="admin""#;
    let cases = [
        (format!("GET /whoami HTTP/1.1|authorization: {bearer}"), "200 OK", None, "user_7"),
        (format!("GET /whoami HTTP/1.1|AUTHORIZATION:   bEaReR   {key}  "), "200 OK", None, "user_7"),
        (format!("GET /whoami HTTP/1.1|X-API-KEY: {key}"), "200 OK", None, "user_7"),
        (format!("POST /whoami HTTP/1.1|Content-Length: 0|Authorization: {key}"), "200 OK", None, "user_7"),
        (format!("GET /whoami HTTP/1.1|Authorization: {}", fixture.client), "200 OK", None, "reporter"),
        ("GET /healthz HTTP/1.1|Authorization: Bearer x".to_owned(), "200 OK", None, "nobody"),
        ("GET /whoami HTTP/1.1".to_owned(), "401 Unauthorized", Some(missing), "{}"),
        ("GET /whoami HTTP/1.1|Authorization:".to_owned(), "401 Unauthorized", Some(missing), "{}"),
        (
            format!("GET /whoami HTTP/1.1|Authorization: Bearer {expired}"),
            "401 Unauthorized",
            Some(invalid),
            r#"{"error":"invalid_token"}"#,
        ),
        (
            format!("GET /whoami HTTP/1.1|Authorization: {bearer}|authorization: {bearer}"),
            "400 Bad Request",
            Some(many),
            r#"{"error":"invalid_request"}"#,
        ),
        (
            format!("GET /whoami?access_token={key} HTTP/1.1|Authorization: {bearer}"),
            "400 Bad Request",
            Some(many),
            r#"{"error":"invalid_request"}"#,
        ),
        (
            format!("GET /admin HTTP/1.1|Authorization: {bearer}"),
            "403 Forbidden",
            Some(scope),
            r#"{"error":"insufficient_scope"}"#,
        ),
        ("GET /healthz/../whoami HTTP/1.1".to_owned(), "401 Unauthorized", Some(missing), "{}"),
        ("GET //healthz HTTP/1.1".to_owned(), "401 Unauthorized", Some(missing), "{}"),
    ];
    for server in [serve_axum(&fixture).await, serve_hyper(&fixture).await] {
        for (request, status, challenge, body) in &cases {
            let response = exchange(server, request).await;
            let (head, payload) = response.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{request}: {response}");
            assert_eq!(payload, *body, "{request}");
            let found = head.lines().find_map(|line| line.strip_prefix("www-authenticate: "));
            assert_eq!(found, *challenge, "{request}");
        }
    }
}
