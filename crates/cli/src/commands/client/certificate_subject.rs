//! The options that name the certificates of a client (RFC 8705 section 2.1.2).

use clap::Args;
use tollgate_storage::{CertificateSubject, Refusal, SubjectName};

/// One of these, for `--auth-method tls_client_auth`.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub(super) struct CertificateSubjectOption {
    /// The subject of the client's certificates, from an authority of the service, as in RFC 4514: `CN=robot,O=Example`
    /// (tls_client_auth)
    #[arg(long, value_name = "DN")]
    tls_client_auth_subject_dn: Option<String>,

    /// In place of the subject: a DNS name of the certificates
    #[arg(long, value_name = "NAME")]
    tls_client_auth_san_dns: Option<String>,

    /// In place of the subject: a URI of the certificates
    #[arg(long, value_name = "URI")]
    tls_client_auth_san_uri: Option<String>,

    /// In place of the subject: an IP address of the certificates
    #[arg(long, value_name = "ADDR")]
    tls_client_auth_san_ip: Option<String>,

    /// In place of the subject: an e-mail address of the certificates
    #[arg(long, value_name = "EMAIL")]
    tls_client_auth_san_email: Option<String>,
}

impl CertificateSubjectOption {
    pub(super) fn read(&self) -> Result<Option<CertificateSubject>, Refusal> {
        let named = [
            (SubjectName::SubjectDn, &self.tls_client_auth_subject_dn),
            (SubjectName::SanDns, &self.tls_client_auth_san_dns),
            (SubjectName::SanUri, &self.tls_client_auth_san_uri),
            (SubjectName::SanIp, &self.tls_client_auth_san_ip),
            (SubjectName::SanEmail, &self.tls_client_auth_san_email),
        ];
        CertificateSubject::only(named.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))))
    }
}
