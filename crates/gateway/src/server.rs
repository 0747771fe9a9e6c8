use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
#[cfg(feature = "grpc")]
use envoy_types::ext_authz::v3::pb::AuthorizationServer;
use tokio::net::TcpListener;

#[cfg(feature = "grpc")]
use crate::ext_authz::ExtAuthz;
use crate::gateway::Gateway;

/// Answers the proxies that connect to `listener` with the current gateway, until `shutdown` is ready and the pending
/// requests are answered. With the feature `grpc` Envoy may also use gRPC (HTTP/2 without TLS). `/healthz` answers 200, and
/// `/.well-known/jwks.json` has the keys of [internal tokens](crate::InternalToken).
///
/// Only proxies should reach it, on loopback or in a separate network: authorization requests are not authenticated, and
/// their answers show what a credential is valid for.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    gateway: Arc<ArcSwap<Gateway>>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let router = Router::new().route("/healthz", get(|| async { "well" }));
    #[cfg(feature = "grpc")]
    let router = router.route_service(
        "/envoy.service.auth.v3.Authorization/{method}",
        AuthorizationServer::new(ExtAuthz(Arc::clone(&gateway))),
    );
    let publishing = Arc::clone(&gateway);
    let jwks = move || {
        let jwks =
            publishing.load().jwks().map(|jwks| ([(CONTENT_TYPE, "application/jwk-set+json")], jwks.to_string()));
        async { jwks.ok_or(StatusCode::NOT_FOUND) }
    };
    let answer = move |ConnectInfo(peer): ConnectInfo<SocketAddr>, question: Request| {
        // One gateway answers the whole request, even if it waits and is replaced meanwhile.
        let gateway = gateway.load_full();
        async move { gateway.answer(question, peer.ip()).await }
    };
    let router = router.route("/.well-known/jwks.json", get(jwks)).fallback(answer);
    axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(shutdown)
        .await
}

/// Serves the text of `render` at `/metrics`, for Prometheus to scrape. Use a separate listener, which neither proxies nor
/// clients should reach.
///
/// # Errors
/// When the listener fails.
pub async fn serve_metrics(
    listener: TcpListener,
    render: impl Fn() -> String + Clone + Send + Sync + 'static,
) -> io::Result<()> {
    let answer = move || {
        let text = render();
        async move { ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text) }
    };
    axum::serve(listener, Router::new().route("/metrics", get(answer))).await
}
