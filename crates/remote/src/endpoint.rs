use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;
use http::uri::Scheme;

use crate::error::ConfigurationError;

/// A URI that may be fetched: HTTPS, or plain HTTP to an allowed host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Endpoint {
    uri: Uri,
    is_loopback: bool,
    plain_http: PlainHttp,
}

/// The hosts that plain HTTP requests may reach.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PlainHttp {
    ToThisMachine,
    InPrivateNetworks,
}

impl Endpoint {
    pub(crate) fn parse(text: &str, plain_http: PlainHttp) -> Result<Self, ConfigurationError> {
        let invalid = || ConfigurationError::InvalidUri { uri: text.to_owned() };
        let uri: Uri = text.parse().map_err(|_| invalid())?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(invalid());
        };
        let is_secure = *scheme == Scheme::HTTPS;
        if !(is_secure || *scheme == Scheme::HTTP) || authority.as_str().contains('@') || text.contains('#') {
            return Err(invalid());
        }
        let host = Host::of(authority.host());
        if !is_secure && !host.may_be_plain(plain_http) {
            return Err(ConfigurationError::InsecureUri { uri: text.to_owned() });
        }
        Ok(Endpoint { is_loopback: host.is_loopback(), uri, plain_http })
    }

    /// Checks the `jwks_uri` in metadata from this endpoint. Metadata from another machine must not point to this
    /// machine, and metadata from HTTPS must not lead to plain HTTP in a private network.
    pub(crate) fn refers_to(&self, text: &str) -> Option<Endpoint> {
        let plain_http = if self.is_plain() { self.plain_http } else { PlainHttp::ToThisMachine };
        Endpoint::parse(text, plain_http).ok().filter(|endpoint| self.is_loopback || !endpoint.is_loopback)
    }

    /// Whether both have the same scheme, host and port (RFC 6454 section 5).
    pub(crate) fn has_origin_of(&self, other: &Endpoint) -> bool {
        let host = |endpoint: &Endpoint| endpoint.uri.host().unwrap_or_default().to_ascii_lowercase();
        self.uri.scheme() == other.uri.scheme() && host(self) == host(other) && self.port() == other.port()
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTP)
    }

    fn port(&self) -> u16 {
        self.uri.port_u16().unwrap_or(if self.is_plain() { 80 } else { 443 })
    }
}

impl PlainHttp {
    /// Whether a plain HTTP request may go to this address.
    pub(crate) fn admits(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match self {
            PlainHttp::ToThisMachine => address.is_loopback(),
            PlainHttp::InPrivateNetworks => address.is_loopback() || is_private(address),
        }
    }
}

/// RFC 1918, the shared addresses of RFC 6598 (used inside clusters), and unique local addresses (RFC 4193). Excludes
/// link-local addresses, where cloud providers have their metadata services.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            address.is_private() || (first == 100 && (64..128).contains(&second))
        }
        IpAddr::V6(address) => address.is_unique_local(),
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(f)
    }
}

/// The kind of a host's text. A name is resolved, and its address checked, when a connection is made.
enum Host {
    Address(IpAddr),
    /// RFC 6761 section 6.3.
    Localhost,
    Name,
}

impl Host {
    fn of(host: &str) -> Self {
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let v4 = || address.parse::<Ipv4Addr>().map(IpAddr::V4);
        match v4().or_else(|_| address.parse::<Ipv6Addr>().map(IpAddr::V6)) {
            Ok(address) => Host::Address(address),
            Err(_) if host.eq_ignore_ascii_case("localhost") => Host::Localhost,
            Err(_) => Host::Name,
        }
    }

    fn is_loopback(&self) -> bool {
        match self {
            Host::Address(address) => address.is_loopback(),
            Host::Localhost => true,
            Host::Name => false,
        }
    }

    fn may_be_plain(&self, plain_http: PlainHttp) -> bool {
        match self {
            Host::Address(address) => plain_http.admits(*address),
            Host::Localhost => true,
            Host::Name => plain_http == PlainHttp::InPrivateNetworks,
        }
    }
}
