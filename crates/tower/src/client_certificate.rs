use std::fmt;

use http::request;
use tollgate::{Rejection, TrustedProxies};

use crate::client_address::peer_address;

/// The certificate with which the other end of a request's connection authenticated in the TLS handshake, as an extension of the
/// request: what [`AuthLayer`](crate::AuthLayer) needs for tokens that are bound to one (RFC 8705).
///
/// A server that ends TLS itself gives each request this extension, made once for a connection:
///
/// ```
/// use http::Request;
/// use tollgate_tower::PeerCertificate;
///
/// /// `certificates`: what `rustls::ServerConnection::peer_certificates` gives, the client's own first.
/// fn add_certificate<B>(request: &mut Request<B>, certificates: Option<&[impl AsRef<[u8]>]>) {
///     if let Some(certificate) = certificates.and_then(<[_]>::first) {
///         request.extensions_mut().insert(PeerCertificate::from_der(certificate));
///     }
/// }
/// ```
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct PeerCertificate([u8; 32]);

impl PeerCertificate {
    /// The certificate with this DER.
    #[must_use]
    pub fn from_der(der: impl AsRef<[u8]>) -> Self {
        PeerCertificate(tollgate::keys::sha256(der.as_ref()))
    }

    /// The certificate whose DER has this SHA-256.
    #[must_use]
    pub fn from_digest(sha256: [u8; 32]) -> Self {
        PeerCertificate(sha256)
    }
}

impl fmt::Debug for PeerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PeerCertificate").finish_non_exhaustive()
    }
}

/// The SHA-256 of the client's certificate: of the connection's, or of the one that a trusted proxy names. `None` where it has
/// none.
pub(crate) fn client_certificate(
    request: &request::Parts,
    proxies: &TrustedProxies,
) -> Result<Option<[u8; 32]>, Rejection> {
    let is_proxy = || peer_address(&request.extensions).is_some_and(|peer| proxies.contain(peer));
    match proxies.certificate_field() {
        Some(field) if is_proxy() => field.digest(request.headers.get_all(field.as_str())),
        _ => Ok(request.extensions.get().map(|PeerCertificate(digest)| *digest)),
    }
}
