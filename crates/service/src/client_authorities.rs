use crate::client_certificate::ClientCertificate;
use crate::error::ServerError;
use crate::tls::read_certificates;
use arc_swap::ArcSwap;
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::UnixTime;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The authorities that issue certificates to the operator's clients (`tls_client_auth`, RFC 8705 section 2.1).
#[derive(Clone)]
pub(crate) struct ClientAuthorities(Arc<ArcSwap<Verifier>>);

type Verifier = Arc<dyn ClientCertVerifier>;

impl ClientAuthorities {
    pub(crate) fn read(file: &Path) -> Result<Self, ServerError> {
        Ok(Self(Arc::new(ArcSwap::from_pointee(verifier(file)?))))
    }

    /// Uses the certificates in this PEM file from the next request on; if the file cannot be used, the last ones stay.
    pub(crate) fn replace(&self, file: &Path) -> Result<(), ServerError> {
        self.0.store(Arc::new(verifier(file)?));
        Ok(())
    }

    /// Passes when the certificate chains to an authority, and it and those between are good at `now`, in seconds since the Unix epoch, and
    /// for authenticating clients.
    pub(crate) fn verify(&self, certificate: &ClientCertificate, now: i64) -> Result<(), rustls::Error> {
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now.unsigned_abs()));
        self.0.load().verify_client_cert(certificate.der(), certificate.intermediates(), now).map(drop)
    }
}

fn verifier(file: &Path) -> Result<Verifier, ServerError> {
    let refused = |reason: String| ServerError::Tls { file: file.to_owned(), reason };
    let mut authorities = RootCertStore::empty();
    for certificate in read_certificates(file)? {
        authorities.add(certificate).map_err(|error| refused(error.to_string()))?;
    }
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), provider).build();
    verifier.map_err(|error| refused(error.to_string()))
}
