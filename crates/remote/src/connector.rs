//! Connections: direct or through a proxy. Plain HTTP never reaches a public address.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::endpoint::PlainHttp;

/// Connects to the host of a URI.
#[derive(Clone)]
pub(crate) struct Connector {
    tcp: HttpConnector,
    proxy: Option<Arc<Matcher>>,
    plain_http: PlainHttp,
}

/// Why a connection failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("no connection could be made")]
    Tcp(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the proxy: {reason}")]
    Proxy { reason: String },
    #[error("the peer is not where plain HTTP may go")]
    PlainHttp { allowed: PlainHttp },
}

impl Connector {
    pub(crate) fn new(proxy: Option<Matcher>, plain_http: PlainHttp) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        Connector { tcp, proxy: proxy.map(Arc::new), plain_http }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        self.tcp.poll_ready(context).map_err(|error| ConnectError::Tcp(error.into()))
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let is_plain = target.scheme() == Some(&Scheme::HTTP);
        if let Some(proxy) = self.proxy.as_ref().filter(|_| !is_plain).and_then(|proxy| proxy.intercept(&target)) {
            let tunnel = Tunnel::new(proxy.uri().clone(), self.tcp.clone());
            let mut tunnel = match proxy.basic_auth() {
                Some(credentials) => tunnel.with_auth(credentials.clone()),
                None => tunnel,
            };
            let connecting = tunnel.call(target);
            return Box::pin(async move {
                connecting.await.map_err(|error| ConnectError::Proxy { reason: error.to_string() })
            });
        }
        let (connecting, allowed) = (self.tcp.call(target), self.plain_http);
        Box::pin(async move {
            let stream = connecting.await.map_err(|error| ConnectError::Tcp(error.into()))?;
            // Checked before anything is sent: a name may resolve to any address.
            if is_plain && !peer(&stream).is_ok_and(|peer| allowed.admits(peer)) {
                return Err(ConnectError::PlainHttp { allowed });
            }
            Ok(stream)
        })
    }
}

fn peer(stream: &TokioIo<TcpStream>) -> io::Result<IpAddr> {
    Ok(stream.inner().peer_addr()?.ip())
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("proxy", &self.proxy).field("plain_http", &self.plain_http).finish()
    }
}
