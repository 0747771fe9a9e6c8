//! Where a request comes from: one address for login attempts, the addresses of keys, and the log.

use crate::app::App;
use axum::extract::rejection::ExtensionRejection;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tollgate_tower::client_address;

/// The address of a request's client: the peer of the connection, or whom the trusted proxies name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientAddress {
    known: Option<IpAddr>,
    peer: IpAddr,
}

impl ClientAddress {
    /// The client's own address; `None` where a trusted proxy does not name it.
    pub(crate) fn known(self) -> Option<IpAddr> {
        self.known
    }

    /// The other end of the connection.
    pub(crate) fn peer(self) -> IpAddr {
        self.peer
    }

    /// The address that attempts are counted by: the proxy's, shared by all of whom it names none.
    pub(crate) fn counted(self) -> IpAddr {
        self.known.unwrap_or(self.peer)
    }
}

impl FromRequestParts<Arc<App>> for ClientAddress {
    type Rejection = ExtensionRejection;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        let ConnectInfo(peer) = ConnectInfo::<SocketAddr>::from_request_parts(parts, app).await?;
        Ok(Self { known: client_address(parts, &app.trusted_proxies), peer: peer.ip() })
    }
}
