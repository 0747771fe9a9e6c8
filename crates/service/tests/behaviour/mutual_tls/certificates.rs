//! Certificates of a test, and who issues them.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    SanType, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::path::{Path, PathBuf};
use tollgate_service::TlsFiles;

pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) pem: String,
    pub(super) der: CertificateDer<'static>,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let (params, key) = (authority(name), KeyPair::generate().unwrap());
        let certificate = params.self_signed(&key).unwrap();
        Self { pem: certificate.pem(), der: certificate.der().clone(), issuer: Issuer::new(params, key) }
    }

    /// One whose certificate this one has issued.
    pub(super) fn issue_authority(&self, name: &str) -> Self {
        self.issue_issuer(authority(name))
    }

    /// Whoever has that certificate, and issues others whether it may or not.
    pub(super) fn issue_issuer(&self, params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Self { pem: certificate.pem(), der: certificate.der().clone(), issuer: Issuer::new(params, key) }
    }

    pub(super) fn issue(&self, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity { chain: vec![certificate.der().clone()], pem: certificate.pem(), key: key.serialize_pem() }
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

/// A certificate and its key.
#[derive(Clone)]
pub(super) struct Identity {
    /// The certificate first.
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) pem: String,
    pub(super) key: String,
}

impl Identity {
    pub(super) fn self_signed(params: &CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { chain: vec![certificate.der().clone()], pem: certificate.pem(), key: key.serialize_pem() }
    }

    /// Another certificate for the same key.
    pub(super) fn renewed(&self, params: &CertificateParams) -> Self {
        let key = KeyPair::from_pem(&self.key).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { chain: vec![certificate.der().clone()], pem: certificate.pem(), key: self.key.clone() }
    }

    pub(super) fn private_key(&self) -> PrivateKeyDer<'static> {
        use rustls::pki_types::pem::PemObject;
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap()
    }

    pub(super) fn thumbprint(&self) -> String {
        tollgate::jwt::base64url::encode(tollgate::keys::sha256(&self.chain[0]))
    }

    /// The PEM files of certificate and key.
    pub(super) fn write(&self, folder: &Path, name: &str) -> (PathBuf, PathBuf) {
        let [certificate, key] = ["crt", "key"].map(|kind| folder.join(format!("{name}.{kind}.pem")));
        fs::write(&certificate, &self.pem).unwrap();
        fs::write(&key, &self.key).unwrap();
        (certificate, key)
    }
}

/// The files of a server's certificate, which is that of 127.0.0.1.
pub(super) fn server_files(folder: &Path) -> (Identity, TlsFiles) {
    let identity = Identity::self_signed(&CertificateParams::new(["127.0.0.1".to_owned()]).unwrap());
    let (certificates, key) = identity.write(folder, "server");
    (identity, TlsFiles { certificates, key })
}

/// `O=Example` with that common name: `CN=...,O=Example` in RFC 4514.
pub(super) fn named(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::new([]).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Example");
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}

pub(super) fn expired(mut params: CertificateParams) -> CertificateParams {
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    params
}

pub(super) fn not_yet_valid(mut params: CertificateParams) -> CertificateParams {
    (params.not_before, params.not_after) = (date_time_ymd(2999, 1, 1), date_time_ymd(3000, 1, 1));
    params
}

pub(super) fn for_servers(mut params: CertificateParams) -> CertificateParams {
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

/// With these alternative names of its subject.
pub(super) fn also_named(common_name: &str, names: impl IntoIterator<Item = SanType>) -> CertificateParams {
    let mut params = named(common_name);
    params.subject_alt_names.extend(names);
    params
}
