use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The TLS connector. The server's certificate must be by an authority in the file or, without a file, by one of the
/// system's.
pub(crate) fn connector(root_certificates: Option<&Path>) -> Result<MakeRustlsConnect, io::Error> {
    let mut roots = RootCertStore::empty();
    match root_certificates {
        Some(path) => {
            let of_file = |error: &dyn std::fmt::Display| io::Error::other(format!("{}: {error}", path.display()));
            let pem = std::fs::read(path).map_err(|error| of_file(&error))?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|error| of_file(&error))?;
                roots.add(certificate).map_err(|error| of_file(&error))?;
            }
            if roots.is_empty() {
                return Err(of_file(&"holds no certificate in PEM"));
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            let (added, _) = roots.add_parsable_certificates(found.certs);
            if added == 0 {
                return Err(io::Error::other("the system has no root certificates; name some by sslrootcert"));
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
