//! From an issuer's name to its `jwks_uri`.

use tollgate_jwt::json;

use crate::endpoint::{Endpoint, PlainHttp};
use crate::error::{ConfigurationError, FetchError};

/// The location of an issuer's metadata.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    pub(crate) endpoint: Endpoint,
    issuer: String,
}

impl Metadata {
    /// OpenID Connect Discovery 1.0 section 4: the well-known path follows the issuer's path.
    pub(crate) fn openid(issuer: &str, plain_http: PlainHttp) -> Result<Self, ConfigurationError> {
        vet(issuer, plain_http)?;
        let base = issuer.strip_suffix('/').unwrap_or(issuer);
        Metadata::new(issuer, &format!("{base}/.well-known/openid-configuration"), plain_http)
    }

    /// RFC 8414 section 3: the well-known path precedes the issuer's path.
    pub(crate) fn authorization_server(issuer: &str, plain_http: PlainHttp) -> Result<Self, ConfigurationError> {
        let uri = vet(issuer, plain_http)?;
        let (scheme, authority) = (uri.uri().scheme_str().unwrap_or_default(), uri.uri().authority());
        let authority = authority.map_or("", |authority| authority.as_str());
        let path = uri.uri().path();
        let path = path.strip_suffix('/').unwrap_or(path);
        let uri = format!("{scheme}://{authority}/.well-known/oauth-authorization-server{path}");
        Metadata::new(issuer, &uri, plain_http)
    }

    fn new(issuer: &str, uri: &str, plain_http: PlainHttp) -> Result<Self, ConfigurationError> {
        Ok(Metadata { endpoint: Endpoint::parse(uri, plain_http)?, issuer: issuer.to_owned() })
    }

    /// Returns the `jwks_uri` in `document`, whose issuer must equal this one exactly (RFC 8414 section 3.3).
    pub(crate) fn jwks_uri(&self, document: &[u8]) -> Result<Endpoint, FetchError> {
        let mut buffer = json::Buffer::default();
        let document = json::parse(json::without_byte_order_mark(document), &mut buffer)
            .map_err(|_| FetchError::InvalidMetadata)?;
        let member = |name| document.root().get(name).and_then(|value| value.as_str());
        let issuer = member("issuer").ok_or(FetchError::InvalidMetadata)?;
        if issuer != self.issuer {
            return Err(FetchError::IssuerMismatch { found: issuer.to_owned() });
        }
        let uri = member("jwks_uri").ok_or(FetchError::InvalidMetadata)?;
        self.endpoint.refers_to(uri).ok_or_else(|| FetchError::InsecureJwksUri { uri: uri.to_owned() })
    }
}

fn vet(issuer: &str, plain_http: PlainHttp) -> Result<Endpoint, ConfigurationError> {
    let endpoint = Endpoint::parse(issuer, plain_http)?;
    if issuer.contains('?') {
        return Err(ConfigurationError::InvalidIssuer { issuer: issuer.to_owned() });
    }
    Ok(endpoint)
}
