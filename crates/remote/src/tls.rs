use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tollgate_jwt::json;

use crate::error::ConfigurationError;
use crate::limits::MAX_ROOT_CERTIFICATES_BYTES;

/// TLS 1.2 and 1.3 on ring, with the roots of the PEM text `given`, or else those of the system. With neither nothing
/// is trusted, which is an error where it is `needed`.
pub(crate) fn configuration(given: Option<&[u8]>, needed: bool) -> Result<ClientConfig, ConfigurationError> {
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
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}

fn read(pem: &[u8]) -> Result<RootCertStore, ConfigurationError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(json::without_byte_order_mark(pem)) {
        let certificate = certificate.map_err(|_| ConfigurationError::RootCertificates)?;
        roots.add(certificate).map_err(|_| ConfigurationError::RootCertificates)?;
    }
    if roots.is_empty() { Err(ConfigurationError::RootCertificates) } else { Ok(roots) }
}

/// The PEM text of the file at `path`.
pub(crate) fn read_root_certificates(path: &Path) -> Result<Vec<u8>, ConfigurationError> {
    let mut pem = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_ROOT_CERTIFICATES_BYTES as u64 + 1).read_to_end(&mut pem))
        .map_err(|error| ConfigurationError::RootCertificatesFile { path: path.into(), error })?;
    if pem.len() > MAX_ROOT_CERTIFICATES_BYTES { Err(ConfigurationError::RootCertificates) } else { Ok(pem) }
}

/// Those of the operating system, read once: there are about 150, in many files.
fn system() -> Arc<RootCertStore> {
    static SYSTEM: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let read = || {
        let mut roots = RootCertStore::empty();
        // Certificates that cannot be read or parsed are ignored, as browsers do: some systems carry certificates older than
        // X.509 v3.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    };
    Arc::clone(SYSTEM.get_or_init(read))
}
