use rustls::pki_types::CertificateDer;
use std::sync::Arc;
use tollgate::PeerCertificate;
use tollgate::keys::sha256;

/// The certificate of a client, whose key the client has proved to have in a TLS handshake, and those that it sent along. Nothing else of
/// it is checked: whose it is follows from an authority ([`ClientAuthorities`](crate::client_authorities::ClientAuthorities)) or from what is registered.
#[derive(Clone, Debug)]
pub(crate) struct ClientCertificate(Arc<Chain>);

#[derive(Debug)]
struct Chain {
    leaf: CertificateDer<'static>,
    intermediates: Vec<CertificateDer<'static>>,
    sha256: [u8; 32],
}

impl ClientCertificate {
    /// `chain`: the client's own certificate first; `None` without one.
    pub(crate) fn of_chain(chain: impl IntoIterator<Item = CertificateDer<'static>>) -> Option<Self> {
        let mut chain = chain.into_iter();
        let leaf = chain.next()?;
        let sha256 = sha256(&leaf);
        Some(Self(Arc::new(Chain { leaf, intermediates: chain.collect(), sha256 })))
    }

    pub(crate) fn der(&self) -> &CertificateDer<'static> {
        &self.0.leaf
    }

    /// Between the certificate and a root.
    pub(crate) fn intermediates(&self) -> &[CertificateDer<'static>] {
        &self.0.intermediates
    }

    /// Of the DER.
    pub(crate) fn sha256(&self) -> &[u8; 32] {
        &self.0.sha256
    }

    /// As the engine checks it against tokens that are bound to it.
    pub(crate) fn of_peer(&self) -> PeerCertificate {
        PeerCertificate::from_digest(self.0.sha256)
    }
}
