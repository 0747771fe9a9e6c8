//! Envoy's `ext_authz` over gRPC has the same decisions as the conventions over HTTP.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use envoy_types::ext_authz::v3::pb::{CheckRequest, CheckResponse, HeaderValue, HeaderValueOption, HttpResponse};
use envoy_types::pb::envoy::config::core::v3::HeaderMap;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Request};
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, authorization_client::AuthorizationClient};
use tokio::net::TcpListener;
use tollgate_gateway::Gateway;
use tonic::transport::Channel;

use crate::support::{Keys, gateway, nginx, status};

#[tokio::test]
async fn a87_over_grpc_every_decision_is_that_over_http() {
    let (mut door, keys) = Door::open().await;
    let (builder, _) = gateway();
    let over_http = builder.build().unwrap();
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/assets/x"),
        ("GET", "/account"),
        ("GET", "/sites/7"),
        ("get", "/sites/7"),
        ("G T", "/sites/7"),
        ("GET", "/nowhere"),
        ("GET", "/assets/../sites/7"),
        ("GET", "/assets/%2e%2e/sites/7"),
        ("GET", "/assets%2fx"),
        ("GET", "//assets/x"),
        ("GET", "/assets;/x"),
        ("GET", "/assets/x#y"),
        ("GET", "http://example.com/assets/x"),
        ("GET", "*"),
        ("GET", ""),
    ] {
        let expected = status(&over_http, nginx(method, path)).await;
        assert_eq!(door.status(question(method, path, &[])).await, expected, "{method} {path}");
    }
    for (method, path, key, expected) in [
        ("GET", "/account", &keys.reader, 200),
        ("GET", "/sites/7?page=2", &keys.reader, 200),
        ("PUT", "/sites/7", &keys.reader, 403),
        ("PUT", "/sites/7", &keys.writer, 200),
        ("GET", "/account", &keys.unknown, 401),
        ("GET", "/nowhere", &keys.writer, 403),
    ] {
        assert_eq!(door.status(question(method, path, &[("authorization", key)])).await, expected, "{method} {path}");
        let grpc = [("authorization", &**key), ("content-type", "application/grpc")];
        assert_eq!(door.status(question(method, path, &grpc)).await, expected, "gRPC {method} {path}");
    }
}

#[tokio::test]
async fn a87_over_grpc_a_denial_has_its_challenge_and_a_client_has_no_identity_of_its_own() {
    let (mut door, keys) = Door::open().await;
    let Some(HttpResponse::DeniedResponse(denied)) = door.ask(question("GET", "/account", &[])).await.http_response
    else {
        panic!("it passes")
    };
    assert_eq!(value(&denied.headers, "www-authenticate"), Some("Bearer"));
    assert_eq!(value(&denied.headers, "cache-control"), Some("no-store"));
    for (path, key, user, removed) in [
        ("/account", keys.reader.as_str(), Some("user_7"), &["client", "issuer"][..]),
        ("/", "", None, &["client", "issuer", "kind", "scopes", "user"]),
    ] {
        let answer = door.ask(question("GET", path, &[("authorization", key), ("x-auth-request-user", "root")])).await;
        let Some(HttpResponse::OkResponse(passing)) = answer.http_response else { panic!("{path} is denied") };
        assert_eq!(value(&passing.headers, "x-auth-request-user"), user, "{path}");
        let mut gone = passing.headers_to_remove.clone();
        gone.sort();
        assert_eq!(gone, removed.iter().map(|name| format!("x-auth-request-{name}")).collect::<Vec<_>>(), "{path}");
        // OVERWRITE_IF_EXISTS_OR_ADD: replaces the client's fields.
        assert!(passing.headers.iter().all(|field| field.append_action == 2), "{path}: {:?}", passing.headers);
    }
}

#[tokio::test]
async fn a87_over_grpc_what_cannot_be_decided_is_denied() {
    let (mut door, keys) = Door::open().await;
    let two = [("authorization", &*keys.reader), ("authorization", &*keys.reader)];
    assert_eq!(door.status(raw("GET", "/account", &two)).await, 400);
    let joined = format!("{0},{0}", keys.reader);
    assert_ne!(door.status(question("GET", "/account", &[("authorization", &joined)])).await, 200);
    // With fields that are invalid in HTTP, or without a host, even public requests are denied.
    assert_eq!(door.status(raw("GET", "/", &[("a b", "c")])).await, 403);
    assert_eq!(door.status(raw("GET", "/", &[("a", "b\r\nc: d")])).await, 403);
    let hostless = HttpRequest { host: String::new(), ..question("GET", "/", &[]) };
    assert_eq!(door.status(hostless).await, 403);
    let empty = door.client.check(CheckRequest::default()).await.unwrap_err();
    assert_eq!(empty.code(), tonic::Code::InvalidArgument);
    // As Envoy sends them.
    let pseudo = [(":path", "/account"), (":authority", "elsewhere.example"), ("authorization", &*keys.reader)];
    assert_eq!(door.status(raw("GET", "/account", &pseudo)).await, 200);
}

#[tokio::test]
async fn no_question_is_lost_while_one_gateway_takes_the_place_of_another() {
    let (mut door, keys) = Door::open().await;
    let served = Arc::clone(&door.served);
    let swapping = tokio::spawn(async move {
        for _ in 0..20 {
            let (builder, _) = gateway();
            served.store(Arc::new(builder.build().unwrap()));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let mut asked = 0;
    while asked == 0 || !swapping.is_finished() {
        // Each gateway has its own keys.
        let status = door.status(question("GET", "/account", &[("authorization", &keys.reader)])).await;
        assert!([200, 401].contains(&status), "{status}");
        assert_eq!(door.status(question("GET", "/", &[])).await, 200);
        asked += 1;
    }
    swapping.await.unwrap();
    assert_eq!(door.status(question("GET", "/account", &[("authorization", &keys.reader)])).await, 401);
}

/// A gateway that listens.
struct Door {
    client: AuthorizationClient<Channel>,
    served: Arc<ArcSwap<Gateway>>,
}

impl Door {
    async fn open() -> (Self, Keys) {
        let (builder, keys) = gateway();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = Arc::new(ArcSwap::from_pointee(builder.build().unwrap()));
        tokio::spawn(tollgate_gateway::serve(listener, Arc::clone(&served), std::future::pending()));
        let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        (Door { client: AuthorizationClient::new(channel), served }, keys)
    }

    async fn ask(&mut self, http: HttpRequest) -> CheckResponse {
        let request = Request { http: Some(http), ..Request::default() };
        let attributes = AttributeContext { request: Some(request), ..AttributeContext::default() };
        self.client.check(CheckRequest { attributes: Some(attributes) }).await.unwrap().into_inner()
    }

    /// The answer for the client; 200 if the request passes.
    async fn status(&mut self, http: HttpRequest) -> u16 {
        let CheckResponse { status, http_response, .. } = self.ask(http).await;
        let is_ok = status.unwrap().code == 0;
        match http_response.unwrap() {
            HttpResponse::OkResponse(_) if is_ok => 200,
            HttpResponse::DeniedResponse(denied) if !is_ok => denied.status.unwrap().code.try_into().unwrap(),
            other => panic!("{is_ok}: {other:?}"),
        }
    }
}

/// Envoy's message about a request, with fields of one name joined.
fn question(method: &str, path: &str, fields: &[(&str, &str)]) -> HttpRequest {
    let headers: HashMap<_, _> = fields.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    HttpRequest {
        method: method.into(),
        path: path.into(),
        host: "example.com".into(),
        headers,
        ..HttpRequest::default()
    }
}

/// The same with `encode_raw_headers`.
fn raw(method: &str, path: &str, fields: &[(&str, &str)]) -> HttpRequest {
    let field = |(name, value): &(&str, &str)| HeaderValue {
        key: (*name).into(),
        raw_value: value.as_bytes().into(),
        ..HeaderValue::default()
    };
    let header_map = Some(HeaderMap { headers: fields.iter().map(field).collect() });
    HttpRequest { header_map, ..question(method, path, &[]) }
}

fn value<'f>(fields: &'f [HeaderValueOption], name: &str) -> Option<&'f str> {
    fields.iter().filter_map(|field| field.header.as_ref()).find(|field| field.key == name).map(|field| &*field.value)
}
