use crate::error::ServerError;
use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
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
pub(crate) struct Tls(Arc<ArcSwap<ServerConfig>>);

impl Tls {
    pub(crate) fn read(files: &TlsFiles) -> Result<Self, ServerError> {
        Ok(Self(Arc::new(ArcSwap::new(server_config(files)?))))
    }

    /// Uses these files from the next handshake on; where they cannot be used, the last ones stay.
    pub(crate) fn replace(&self, files: &TlsFiles) -> Result<(), ServerError> {
        self.0.store(server_config(files)?);
        Ok(())
    }

    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.0.load_full()).accept(stream).await
    }
}

fn server_config(files: &TlsFiles) -> Result<Arc<ServerConfig>, ServerError> {
    let refused = |file: &Path, reason: String| ServerError::Tls { file: file.to_owned(), reason };
    let certificates = CertificateDer::pem_file_iter(&files.certificates)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refused(&files.certificates, error.to_string()))?;
    if certificates.is_empty() {
        return Err(refused(&files.certificates, "there is no certificate in it".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| refused(&files.key, error.to_string()))?;
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(&files.certificates, error.to_string()))?
        .with_no_client_auth()
        // Refuses a key that is not the certificate's.
        .with_single_cert(certificates, key)
        .map_err(|error| refused(&files.key, error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
