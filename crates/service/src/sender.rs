use crate::app::App;
use crate::client_address::ClientAddress;
use crate::client_certificate::ClientCertificate;
use axum::extract::FromRequestParts;
use axum::extract::rejection::ExtensionRejection;
use axum::http::request::Parts;
use rustls::pki_types::CertificateDer;
use std::iter;
use std::sync::Arc;
use tollgate::{PublicOrigin, Rejection, TrustedProxies};
use tollgate_tower::public_origin;

/// What a client shows of itself beside the fields and the body of its request.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    pub(crate) address: ClientAddress,
    certificate: Result<Option<ClientCertificate>, Rejection>,
    origin: Option<PublicOrigin>,
}

impl Sender {
    /// The client's certificate, of the connection, or as a trusted proxy passes it on.
    ///
    /// # Errors
    /// A [`Rejection`] where the proxy's field has another form than the configured one.
    pub(crate) fn certificate(&self) -> Result<Option<&ClientCertificate>, Rejection> {
        self.certificate.as_ref().map(Option::as_ref).map_err(Clone::clone)
    }

    /// The origin of the service that the request was sent to: one of `app`'s, its own where it is none of several.
    pub(crate) fn origin<'a>(&'a self, app: &'a App) -> &'a str {
        self.origin.as_ref().map_or(&app.origin, PublicOrigin::as_str)
    }
}

impl FromRequestParts<Arc<App>> for Sender {
    type Rejection = ExtensionRejection;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        let address = ClientAddress::from_request_parts(parts, app).await?;
        let certificate = certificate(parts, address, &app.trusted_proxies);
        let origin = public_origin(&app.origins, parts, &app.trusted_proxies).cloned();
        Ok(Self { address, certificate, origin })
    }
}

/// As the engine finds it for tokens that are bound to it ([`tollgate::Request::sent_by`]), with the certificates beside it. The certificate of
/// a trusted proxy's own connection is no client's.
fn certificate(
    parts: &Parts,
    address: ClientAddress,
    proxies: &TrustedProxies,
) -> Result<Option<ClientCertificate>, Rejection> {
    if !proxies.contain(address.peer()) {
        return Ok(parts.extensions.get().cloned());
    }
    let Some(field) = proxies.certificate_field() else { return Ok(None) };
    let Some(leaf) = field.der(parts.headers.get_all(field.as_str()))? else { return Ok(None) };
    let chain = field.chain_name().map(|name| field.chain(parts.headers.get_all(name))).transpose()?;
    let chain = iter::once(leaf).chain(chain.unwrap_or_default());
    Ok(ClientCertificate::of_chain(chain.map(CertificateDer::from)))
}
