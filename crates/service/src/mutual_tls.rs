use crate::client_authorities::ClientAuthorities;
use crate::config::Config;
use crate::error::ServerError;

/// How clients' certificates come to the service (RFC 8705).
pub(crate) struct MutualTls {
    /// The origin at which clients are asked for a certificate, where it is another than the service's own (section 5).
    pub(crate) origin: Option<String>,
    /// Those of `tls_client_auth`.
    pub(crate) authorities: Option<ClientAuthorities>,
}

impl MutualTls {
    /// `None` where no certificate can come. `origin` is the one of the listener that asks for them.
    pub(crate) fn open(config: &Config, origin: Option<String>) -> Result<Option<Self>, ServerError> {
        if !config.takes_client_certificates() {
            return Ok(None);
        }
        let authorities = config.client_ca.as_deref().map(ClientAuthorities::read).transpose()?;
        Ok(Some(Self { origin, authorities }))
    }
}
