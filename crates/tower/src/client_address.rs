use std::net::IpAddr;

use http::{Extensions, request};
use tollgate::{Peer, TrustedProxies};

/// The peer's address of a request's connection, as an extension of the request.
///
/// A server that does not run on axum, or not on TCP, adds this extension to each request, so that
/// [`AuthLayer`](crate::AuthLayer) knows the peer. With the feature `axum`, axum's `ConnectInfo<SocketAddr>` serves
/// as well.
///
/// ```
/// use std::net::SocketAddr;
///
/// use http::Request;
/// use tollgate_tower::PeerAddress;
///
/// fn add_peer<B>(request: &mut Request<B>, peer: SocketAddr) {
///     request.extensions_mut().insert(PeerAddress(peer.ip()));
/// }
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct PeerAddress(pub IpAddr);

/// The address of a request's client: the peer, or the client that `proxies` name
/// ([`TrustedProxies::client_address`]). `None` if it is unknown.
///
/// [`AuthLayer`](crate::AuthLayer) calls this. A server that counts or logs requests by address should too, so that
/// all use the same address.
#[must_use]
pub fn client_address(request: &request::Parts, proxies: &TrustedProxies) -> Option<IpAddr> {
    let peer = peer_address(&request.extensions)?;
    match proxies.field() {
        Some(field) => proxies.client_address(peer, request.headers.get_all(field.as_str())),
        None => proxies.client_address::<[u8]>(peer, []),
    }
}

/// The peer of a request's connection.
pub(crate) fn peer(extensions: &Extensions) -> Peer {
    Peer { address: peer_address(extensions), certificate: extensions.get().copied() }
}

pub(crate) fn peer_address(extensions: &Extensions) -> Option<IpAddr> {
    let peer = extensions.get().map(|PeerAddress(address)| *address);
    #[cfg(feature = "axum")]
    let peer = peer.or_else(|| connect_info(extensions));
    peer
}

/// As axum's own extractor finds it, in tests too.
#[cfg(feature = "axum")]
fn connect_info(extensions: &Extensions) -> Option<IpAddr> {
    use std::net::SocketAddr;

    use axum::extract::ConnectInfo;
    use axum::extract::connect_info::MockConnectInfo;

    let peer = extensions.get().map(|ConnectInfo(peer): &ConnectInfo<SocketAddr>| peer);
    let peer = peer.or_else(|| extensions.get().map(|MockConnectInfo(peer): &MockConnectInfo<SocketAddr>| peer));
    peer.map(SocketAddr::ip)
}
