//! The sender of a request, for servers of every framework: its connection, and the fields in which proxies name it.

use std::fmt;
use std::net::IpAddr;

use crate::rejection::Rejection;
use crate::request::Request;
use crate::trusted_proxies::TrustedProxies;

/// The other end of a request's connection: a client, or the proxy next to this server. `None`: unknown.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Peer {
    /// Its address.
    pub address: Option<IpAddr>,
    /// The certificate with which it authenticated in the TLS handshake.
    pub certificate: Option<PeerCertificate>,
}

/// The certificate with which the other end of a connection authenticated in the TLS handshake. Tokens that are
/// bound to a certificate are checked against it (RFC 8705). The layers for frameworks take it from a connection's
/// or a request's extensions.
///
/// A server that terminates TLS itself creates it once for a connection:
///
/// ```
/// use tollgate::PeerCertificate;
///
/// /// `certificates`: what `rustls::ServerConnection::peer_certificates` gives, the client's own first.
/// fn certificate(certificates: Option<&[impl AsRef<[u8]>]>) -> Option<PeerCertificate> {
///     certificates.and_then(<[_]>::first).map(PeerCertificate::from_der)
/// }
/// ```
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct PeerCertificate([u8; 32]);

impl PeerCertificate {
    /// The certificate with this DER.
    #[must_use]
    pub fn from_der(der: impl AsRef<[u8]>) -> Self {
        PeerCertificate(tollgate_keys::sha256(der.as_ref()))
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

impl<'r> Request<'r> {
    /// Sets everything about the sender: the client's address and certificate, which are those of `peer` or
    /// those that `proxies` name, and its proofs of possession (DPoP).
    ///
    /// `lines`: the values of the request's field lines with that name, in order.
    ///
    /// ```
    /// use tollgate::{ForwardedField, Peer, Request, TrustedProxies};
    ///
    /// let proxies = TrustedProxies::new(["192.0.2.0/24".parse()?], ForwardedField::XForwardedFor);
    /// let fields = [("x-forwarded-for", "198.51.100.7"), ("dpop", "eyJ...")];
    /// let lines = |name: &str| {
    ///     let lines: Vec<_> = fields.iter().filter(|field| field.0 == name).map(|field| field.1.as_bytes()).collect();
    ///     lines.into_iter()
    /// };
    /// let peer = Peer { address: Some("192.0.2.1".parse()?), certificate: None };
    /// let request = Request::new().authorization("DPoP eyJ...").sent_by(peer, &proxies, lines)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A [`Rejection`] if the field with the certificate does not have the configured form, or is present more
    /// than once.
    #[inline]
    pub fn sent_by<L>(
        self,
        peer: Peer,
        proxies: &TrustedProxies,
        lines: impl Fn(&'static str) -> L,
    ) -> Result<Self, Rejection>
    where
        L: DoubleEndedIterator<Item = &'r [u8]>,
    {
        let is_proxy = peer.address.is_some_and(|address| proxies.contain(address));
        let address = peer.address.and_then(|address| match proxies.field() {
            Some(field) if is_proxy => proxies.client_address(address, lines(field.as_str())),
            _ => proxies.client_address::<[u8]>(address, []),
        });
        let certificate = match proxies.certificate_field() {
            Some(field) if is_proxy => field.digest(lines(field.as_str()))?,
            _ => peer.certificate.map(|PeerCertificate(digest)| digest),
        };
        let request = lines("dpop").fold(self.address(address), Request::proof);
        Ok(match certificate {
            Some(digest) => request.certificate_digest(digest),
            None => request,
        })
    }
}
