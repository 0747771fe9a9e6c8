use crate::error::ServerError;
use arc_swap::ArcSwap;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::NoClientAuth;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The PEM files of the service's own TLS certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlsFiles {
    /// The certificate and those between it and a root, the certificate first.
    pub certificates: PathBuf,
    /// Its private key: PKCS #8, PKCS #1 or SEC 1.
    pub key: PathBuf,
}

/// What a connection's handshake is made with; a connection that is established keeps what it was made with.
#[derive(Clone)]
pub(crate) struct Tls {
    configs: Arc<ArcSwap<TlsConfigs>>,
    asks_for_certificates: bool,
}

/// Of both kinds of listeners, from the same files.
pub(crate) struct TlsConfigs {
    asking: Arc<ServerConfig>,
    not_asking: Arc<ServerConfig>,
}

impl Tls {
    pub(crate) fn read(files: &TlsFiles) -> Result<Self, ServerError> {
        Ok(Self { configs: Arc::new(ArcSwap::from_pointee(TlsConfigs::read(files)?)), asks_for_certificates: false })
    }

    /// The same for a listener that asks clients for a certificate. Not asked everywhere, since a browser that is asked asks its user.
    pub(crate) fn asking_for_certificates(&self) -> Self {
        Self { asks_for_certificates: true, ..self.clone() }
    }

    /// Uses these from the next handshake on.
    pub(crate) fn replace(&self, configs: TlsConfigs) {
        self.configs.store(Arc::new(configs));
    }

    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let configs = self.configs.load_full();
        let config = if self.asks_for_certificates { &configs.asking } else { &configs.not_asking };
        TlsAcceptor::from(Arc::clone(config)).accept(stream).await
    }
}

impl TlsConfigs {
    pub(crate) fn read(files: &TlsFiles) -> Result<Self, ServerError> {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        Ok(Self {
            asking: server_config(files, Arc::new(AnyCertificate(algorithms)))?,
            not_asking: server_config(files, Arc::new(NoClientAuth))?,
        })
    }
}

fn server_config(files: &TlsFiles, clients: Arc<dyn ClientCertVerifier>) -> Result<Arc<ServerConfig>, ServerError> {
    let refused = |file: &Path, reason: String| ServerError::Tls { file: file.to_owned(), reason };
    let certificates = read_certificates(&files.certificates)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| refused(&files.key, error.to_string()))?;
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(&files.certificates, error.to_string()))?
        .with_client_cert_verifier(clients)
        // Refuses a key that is not the certificate's.
        .with_single_cert(certificates, key)
        .map_err(|error| refused(&files.key, error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The certificates in a PEM file, at least one.
pub(crate) fn read_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, ServerError> {
    let refused = |reason: String| ServerError::Tls { file: file.to_owned(), reason };
    let certificates = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refused(error.to_string()))?;
    if certificates.is_empty() { Err(refused("there is no certificate in it".to_owned())) } else { Ok(certificates) }
}

/// Lets every client in, and one with a certificate only if it has the certificate's key (RFC 8705 section 2.2: certificates that no
/// authority has issued count too). Who has issued a certificate is looked at where that matters, so that the log can name the client.
#[derive(Debug)]
struct AnyCertificate(WebPkiSupportedAlgorithms);

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// None, since a client would keep a certificate back that is of none of these.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
