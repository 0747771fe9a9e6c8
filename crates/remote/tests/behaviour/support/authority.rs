//! Certificates for HTTPS.

use std::sync::Arc;

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

/// A certificate authority for one test.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut root = CertificateParams::new([]).unwrap();
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = root.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(root, key), pem }
    }

    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    pub(crate) fn server(&self, host: &str) -> ServerConfig {
        self.server_with(CertificateParams::new([host.to_owned()]).unwrap())
    }

    /// A server that requires a client certificate of `clients`.
    pub(crate) fn server_for(&self, host: &str, clients: &Authority) -> ServerConfig {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(clients.pem.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone()).build().unwrap();
        let (certificate, key) = self.certify(CertificateParams::new([host.to_owned()]).unwrap());
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap()
    }

    /// A client's certificate and its key, in PEM.
    pub(crate) fn client(&self, name: &str) -> (String, String) {
        let (certificate, key) = self.certify(CertificateParams::new([name.to_owned()]).unwrap());
        (certificate.pem(), key.serialize_pem())
    }

    fn certify(&self, certificate: CertificateParams) -> (Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        (certificate.signed_by(&key, &self.issuer).unwrap(), key)
    }

    pub(crate) fn server_with(&self, certificate: CertificateParams) -> ServerConfig {
        let (certificate, key) = self.certify(certificate);
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.into()], key)
            .unwrap()
    }
}
