use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use http::Uri;
use http::uri::Scheme;

use crate::error::ConfigurationError;

/// A URI that may be fetched: HTTPS, or on this machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Endpoint {
    uri: Uri,
    loopback: bool,
}

impl Endpoint {
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigurationError> {
        let invalid = || ConfigurationError::InvalidUri { uri: text.to_owned() };
        let uri: Uri = text.parse().map_err(|_| invalid())?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(invalid());
        };
        let secure = *scheme == Scheme::HTTPS;
        if !(secure || *scheme == Scheme::HTTP) || authority.as_str().contains('@') || text.contains('#') {
            return Err(invalid());
        }
        let loopback = is_loopback(authority.host());
        if !secure && !loopback {
            return Err(ConfigurationError::InsecureUri { uri: text.to_owned() });
        }
        Ok(Endpoint { uri, loopback })
    }

    /// The `jwks_uri` that metadata from here names. What comes from elsewhere cannot point to this machine.
    pub(crate) fn refers_to(&self, text: &str) -> Option<Endpoint> {
        Endpoint::parse(text).ok().filter(|endpoint| self.loopback || !endpoint.loopback)
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTP)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(f)
    }
}

/// By the name alone; of `localhost` (RFC 6761 section 6.3) it is checked at the connection.
fn is_loopback(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || address.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}
