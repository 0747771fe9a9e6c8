use std::fmt;
use std::str::FromStr;

/// An origin under which clients reach a server, such as `https://api.example.com` (RFC 6454 section 6.2): the
/// beginning of a request's absolute URI ([`Request::uri_of`](crate::Request::uri_of)).
///
/// ```
/// use tollgate::PublicOrigin;
///
/// let origin: PublicOrigin = "https://api.example.com".parse()?;
/// assert!(origin.has_authority("API.example.com") && origin.has_authority("api.example.com:443"));
/// assert!(!origin.has_authority("api.example.com:8443"));
/// assert!("https://api.example.com/v1".parse::<PublicOrigin>().is_err());
/// # Ok::<(), tollgate::NotAnOrigin>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct PublicOrigin {
    text: Box<str>,
    /// The index at which the authority begins.
    authority: usize,
}

impl PublicOrigin {
    /// The origin as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the scheme is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// Whether `authority`, the value of a `Host` field, names this origin under this scheme. Letter case and the
    /// scheme's default port are ignored.
    #[must_use]
    pub fn has_authority(&self, authority: &str) -> bool {
        let port = if self.is_https() { ":443" } else { ":80" };
        let without_port = |text| str::strip_suffix(text, port).unwrap_or(text);
        without_port(&self.text[self.authority..]).eq_ignore_ascii_case(without_port(authority))
    }
}

impl PublicOrigin {
    /// Whether `origin`, the value of an `Origin` field, is this one.
    pub(crate) fn is(&self, origin: &str) -> bool {
        let own_scheme = &self.text[..self.authority];
        let authority = origin.get(self.authority..).filter(|_| origin.as_bytes().starts_with(own_scheme.as_bytes()));
        authority.is_some_and(|authority| self.has_authority(authority))
    }
}

/// The error for a text that is not an origin: `http` or `https`, a host, optionally a port, and nothing more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotAnOrigin;

impl FromStr for PublicOrigin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let (scheme, authority) = text.split_once("://").ok_or(NotAnOrigin)?;
        let (host, port) = match authority.rfind(':').filter(|_| !authority.ends_with(']')) {
            Some(colon) => (&authority[..colon], Some(&authority[colon + 1..])),
            None => (authority, None),
        };
        let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)),
        };
        let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok() && port.bytes().all(|b| b.is_ascii_digit()));
        if matches!(scheme, "http" | "https") && is_host && is_port {
            Ok(PublicOrigin { text: text.into(), authority: scheme.len() + "://".len() })
        } else {
            Err(NotAnOrigin)
        }
    }
}

impl fmt::Display for PublicOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for NotAnOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an origin: http or https, a host, a port perhaps, and no path")
    }
}

impl std::error::Error for NotAnOrigin {}
