//! `tls_client_auth` and `self_signed_tls_client_auth`: a client authenticates by its certificate (RFC 8705 section 2).

use super::super::error::OAuthError;
use crate::app::App;
use crate::client_certificate::ClientCertificate;
use crate::ids::now;
use crate::sender::Sender;
use tollgate::keys::key_file;
use tollgate::{KeySet, Rejection};
use tollgate_storage::{Client, ClientAuthMethod};

/// Why a certificate is not the client's. The log has it, and the client learns nothing of it.
#[derive(Debug, thiserror::Error)]
enum CertificateRefused {
    #[error("the request has none")]
    Missing,
    #[error(transparent)]
    Field(Rejection),
    #[error("no authority is configured")]
    NoAuthority,
    #[error("it is not from an authority of this service: {0}")]
    Chain(rustls::Error),
    #[error("it has another subject than the client")]
    OtherSubject,
    #[error("it is not registered with the client")]
    Unregistered,
    #[error("it has expired, or is not valid yet")]
    OutOfTime,
    #[error("the client authenticates otherwise")]
    OtherMethod,
}

/// Passes when the request came with a certificate of the client.
pub(super) fn authenticate(app: &App, client: &Client, sender: &Sender) -> Result<(), OAuthError> {
    check(app, client, sender).map_err(|reason| {
        tracing::info!(client_id = ?client.id(), %reason, "client certificate rejected");
        OAuthError::InvalidClient
    })
}

fn check(app: &App, client: &Client, sender: &Sender) -> Result<(), CertificateRefused> {
    let certificate = sender.certificate().map_err(CertificateRefused::Field)?.ok_or(CertificateRefused::Missing)?;
    match client.settings().auth_method {
        ClientAuthMethod::TlsClientAuth => check_issued(app, client, certificate),
        ClientAuthMethod::SelfSignedTlsClientAuth => check_registered(client, certificate),
        _ => Err(CertificateRefused::OtherMethod),
    }
}

/// Section 2.1. The chain first: anybody can write any subject into a certificate.
fn check_issued(app: &App, client: &Client, certificate: &ClientCertificate) -> Result<(), CertificateRefused> {
    let authorities = app.mutual_tls.as_ref().and_then(|mutual_tls| mutual_tls.authorities.as_ref());
    let authorities = authorities.ok_or(CertificateRefused::NoAuthority)?;
    authorities.verify(certificate, now()).map_err(CertificateRefused::Chain)?;
    let subject = client.settings().certificate_subject.as_ref();
    if subject.is_some_and(|subject| subject.is_of(certificate.der())) {
        Ok(())
    } else {
        Err(CertificateRefused::OtherSubject)
    }
}

/// Section 2.2: no chain is validated. A certificate ends all the same when it says so itself.
fn check_registered(client: &Client, certificate: &ClientCertificate) -> Result<(), CertificateRefused> {
    let registered = client.settings().jwks.as_ref().and_then(|jwks| jwks.certificates().ok()).unwrap_or_default();
    if !registered.contains(certificate.sha256()) {
        return Err(CertificateRefused::Unregistered);
    }
    if is_in_time(certificate) { Ok(()) } else { Err(CertificateRefused::OutOfTime) }
}

fn is_in_time(certificate: &ClientCertificate) -> bool {
    let Ok(loaded) = key_file::load(certificate.der(), KeySet::builder()) else { return false };
    let validity = loaded.reports.first().and_then(|report| report.validity);
    validity.is_some_and(|validity| (validity.not_before..=validity.not_after).contains(&now()))
}
