use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tollgate_jwt::json;
use zeroize::Zeroizing;

use crate::error::ConfigurationError;
use crate::limits::MAX_ROOT_CERTIFICATES_BYTES;

/// A TLS client certificate with its key.
pub(crate) struct ClientIdentity {
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// TLS 1.2 and 1.3 on ring, with the roots of the PEM text `given`, otherwise those of the system. If there are no
/// roots, nothing is trusted, which is an error if `needed`.
pub(crate) fn configuration(
    given: Option<&[u8]>,
    identity: Option<ClientIdentity>,
    needed: bool,
) -> Result<ClientConfig, ConfigurationError> {
    let roots = match given {
        Some(pem) => Arc::new(read(pem)?),
        None => system(),
    };
    if roots.is_empty() && needed {
        return Err(ConfigurationError::NoRootCertificates);
    }
    let provider = Arc::new(ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let versions = versions.map_err(|error| ConfigurationError::Tls { reason: error.to_string() })?;
    let configured = versions.with_root_certificates(roots);
    match identity {
        None => Ok(configured.with_no_client_auth()),
        Some(ClientIdentity { certificates, key }) => configured
            .with_client_auth_cert(certificates, key)
            .map_err(|error| ConfigurationError::ClientCertificate { reason: error.to_string() }),
    }
}

impl ClientIdentity {
    /// Reads the certificates of a PEM text, the client's own first, and the first private key of `key`, which may be
    /// the same text.
    pub(crate) fn read(certificates: &[u8], key: &[u8]) -> Result<Self, ConfigurationError> {
        let refused = |reason: &str| ConfigurationError::ClientCertificate { reason: reason.to_owned() };
        let certificates = CertificateDer::pem_slice_iter(json::without_byte_order_mark(certificates));
        let certificates: Vec<_> =
            certificates.collect::<Result<_, _>>().map_err(|_| refused("the certificates are no PEM"))?;
        if certificates.is_empty() {
            return Err(refused("there is no certificate in the PEM text"));
        }
        let key = PrivateKeyDer::from_pem_slice(json::without_byte_order_mark(key));
        Ok(ClientIdentity { certificates, key: key.map_err(|_| refused("there is no private key in the PEM text"))? })
    }

    /// Like [`read`](Self::read), from two files.
    pub(crate) fn read_files(certificates: &Path, key: &Path) -> Result<Self, ConfigurationError> {
        let read = |path: &Path| {
            read_pem(path).map_err(|error| {
                let reason = format!("{} cannot be read: {error}", path.display());
                ConfigurationError::ClientCertificate { reason }
            })
        };
        Self::read(&read(certificates)?, &Zeroizing::new(read(key)?))
    }
}

fn read(pem: &[u8]) -> Result<RootCertStore, ConfigurationError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(json::without_byte_order_mark(pem)) {
        let certificate = certificate.map_err(|_| ConfigurationError::RootCertificates)?;
        roots.add(certificate).map_err(|_| ConfigurationError::RootCertificates)?;
    }
    if roots.is_empty() { Err(ConfigurationError::RootCertificates) } else { Ok(roots) }
}

/// Reads the PEM text of the file at `path`.
pub(crate) fn read_root_certificates(path: &Path) -> Result<Vec<u8>, ConfigurationError> {
    let pem = read_pem(path).map_err(|error| ConfigurationError::RootCertificatesFile { path: path.into(), error })?;
    if pem.len() > MAX_ROOT_CERTIFICATES_BYTES { Err(ConfigurationError::RootCertificates) } else { Ok(pem) }
}

/// Reads at most one byte more than the limit.
fn read_pem(path: &Path) -> io::Result<Vec<u8>> {
    let mut pem = Vec::new();
    File::open(path)?.take(MAX_ROOT_CERTIFICATES_BYTES as u64 + 1).read_to_end(&mut pem)?;
    Ok(pem)
}

/// The root certificates of the operating system, read once: there are about 150, in many files.
fn system() -> Arc<RootCertStore> {
    static SYSTEM: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let read = || {
        let mut roots = RootCertStore::empty();
        // Unreadable certificates are ignored, as in browsers: some systems have certificates older than X.509 v3.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    };
    Arc::clone(SYSTEM.get_or_init(read))
}
