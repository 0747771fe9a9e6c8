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

/// Answers the proxies that connect to `listener`, by whatever is the gateway when they ask, until `shutdown` is ready and the
/// questions that were asked by then are answered. With the feature `grpc` Envoy asks there over gRPC too (HTTP/2 without TLS). At `/healthz` it answers
/// 200, and at `/.well-known/jwks.json` with the keys of [internal tokens](crate::InternalToken).
///
/// Proxies alone should reach it, on loopback or in a network of their own: a question is not authenticated, and whoever may ask
/// learns what a credential is good for.
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
        // The question is answered by one gateway, also where it waits and another takes its place.
        let gateway = gateway.load_full();
        async move { gateway.answer(question, peer.ip()).await }
    };
    let router = router.route("/.well-known/jwks.json", get(jwks)).fallback(answer);
    axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(shutdown)
        .await
}

/// Serves what `render` gives at `/metrics`, for Prometheus to scrape. On a listener of its own: it is not for proxies, nor for clients.
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
