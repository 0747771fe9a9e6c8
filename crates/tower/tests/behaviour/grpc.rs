//! Rejections of gRPC requests, with a real server and client.

use std::sync::Arc;

use http::Request;
use tokio::net::TcpListener;
use tollgate::{Algorithm, Engine, Rejection, Revocations};
use tollgate_tests::{Draft, NOW, issuer, signing_key};
use tollgate_tower::{AuthLayer, JsonBody, Require};
use tonic::codegen::tokio_stream::wrappers::TcpListenerStream;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tower::ServiceBuilder;

use crate::support::{Fixture, answer};

/// A client of a server whose health service requires a scope.
async fn client(engine: Arc<Engine>, scope: &str) -> HealthClient<Channel> {
    let (_, health) = tonic_health::server::health_reporter();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let layers = ServiceBuilder::new()
        .layer(AuthLayer::new(engine).realm("health").unwrap())
        .layer(Require::scopes([scope]).unwrap());
    let server = Server::builder().layer(layers).add_service(health);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    HealthClient::new(Endpoint::try_from(format!("http://{address}")).unwrap().connect().await.unwrap())
}

async fn check(client: &mut HealthClient<Channel>, authorization: Option<&str>) -> Result<(), Status> {
    let mut request = tonic::Request::new(HealthCheckRequest { service: String::new() });
    if let Some(value) = authorization {
        request.metadata_mut().insert("authorization", MetadataValue::try_from(value).unwrap());
    }
    client.check(request).await.map(drop)
}

#[tokio::test]
async fn a_tonic_client_is_told_unauthenticated_and_permission_denied() {
    let fixture = Fixture::new();
    let mut client_of = client(fixture.engine.clone(), "read:sites").await;
    check(&mut client_of, Some(&fixture.bearer())).await.unwrap();
    let status = check(&mut client_of, None).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unauthenticated, ""));
    assert_eq!(status.metadata().get("www-authenticate").unwrap(), r#"Bearer realm="health""#);
    let expired = format!("Bearer {}", fixture.expired);
    let status = check(&mut client_of, Some(&expired)).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unauthenticated, "invalid_token"));

    let mut client_of = client(fixture.engine.clone(), "admin").await;
    let status = check(&mut client_of, Some(&fixture.bearer())).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::PermissionDenied, "insufficient_scope"));
    assert!(status.metadata().get("www-authenticate").unwrap().to_str().unwrap().ends_with(r#"scope="admin""#));
}

#[tokio::test]
async fn a80_a_tonic_client_is_told_unavailable_where_nothing_can_be_decided() {
    let (key, revocations) = (signing_key(Algorithm::HS256, 0), Revocations::new());
    let issuer = issuer([&key]).require_fresh_revocations();
    let engine = Engine::builder().issuer(issuer).revocations(revocations.clone()).clock(|| NOW).build().unwrap();
    let mut client = client(Arc::new(engine), "read:sites").await;
    let token = format!("Bearer {}", Draft::new(&key).sign(&key));
    let status = check(&mut client, Some(&token)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.metadata().get("retry-after").unwrap(), "5");
}

#[tokio::test]
async fn the_content_type_decides_and_no_body_follows() {
    let layer = AuthLayer::new(Fixture::new().engine).respond_with(JsonBody);
    for (content_type, is_grpc) in [
        ("application/grpc", true),
        ("application/grpc+proto", true),
        ("application/grpc;charset=utf-8", true),
        ("application/grpc-web", false),
        ("application/grpcx", false),
        ("application/json", false),
    ] {
        let response = answer(&layer, Request::post("/a.B/C").header("content-type", content_type)).await;
        assert_eq!(response.status(), if is_grpc { 200 } else { 401 }, "{content_type}");
        assert_eq!(response.headers().get("grpc-status").is_some(), is_grpc, "{content_type}");
        let expected = if is_grpc { ("application/grpc", "") } else { ("application/json", "{}") };
        let found = (response.headers()["content-type"].to_str().unwrap(), response.body().as_str());
        assert_eq!(found, expected, "{content_type}");
        assert_eq!(response.extensions().get(), Some(&Rejection::MissingCredential));
    }
}
