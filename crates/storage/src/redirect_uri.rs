use crate::error::Refusal;
use crate::limits::MAX_REDIRECT_URI_BYTES;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A valid redirect URI of a client.
///
/// It is absolute, with the scheme https, http on a loopback address, or a private-use scheme; it has no fragment, no
/// userinfo, and no character that is special in a header.
///
/// ```
/// use tollgate_storage::RedirectUri;
///
/// assert!(RedirectUri::new("https://a.example/cb").is_ok());
/// assert!(RedirectUri::new("http://a.example/cb").is_err());
/// assert!(serde_json::from_str::<RedirectUri>("\"https://a.example/cb#f\"").is_err());
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectUri(String);

impl RedirectUri {
    /// Checks the URI.
    ///
    /// # Errors
    /// [`Refusal::Field`] of `redirect_uri`.
    pub fn new(uri: impl Into<String>) -> Result<Self, Refusal> {
        let uri = uri.into();
        if is_redirect_uri(&uri) { Ok(Self(uri)) } else { Err(Refusal::Field { field: "redirect_uri" }) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the scheme is a private-use one (RFC 8252 section 7.1): a reversed domain name, which contains a dot.
    #[must_use]
    pub fn is_private_use(&self) -> bool {
        is_private_use(&self.0)
    }

    /// Whether `uri` equals this one, except for the port of a loopback URI (RFC 8252 section 7.3).
    pub(crate) fn is_on_any_port(&self, uri: &str) -> bool {
        let parts = without_loopback_port(&self.0);
        is_redirect_uri(uri) && parts.is_some() && without_loopback_port(uri) == parts
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RedirectUri {
    type Error = Refusal;

    fn try_from(uri: String) -> Result<Self, Refusal> {
        Self::new(uri)
    }
}

impl From<RedirectUri> for String {
    fn from(uri: RedirectUri) -> Self {
        uri.0
    }
}

fn is_private_use(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-+".contains(&byte));
    is_scheme && scheme.contains('.') && rest.starts_with('/') && rest.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The parts of a loopback URI before and after the port.
fn without_loopback_port(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = ["127.0.0.1", "[::1]", "localhost"].into_iter().find(|host| {
        authority.strip_prefix(host).is_some_and(|port| {
            port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
        })
    })?;
    Some((host, path))
}

fn is_redirect_uri(uri: &str) -> bool {
    if uri.len() > MAX_REDIRECT_URI_BYTES || uri.contains(['#', ';', ',', '\'', '"', ' ']) {
        return false;
    }
    if is_private_use(uri) {
        return true;
    }
    let Ok(uri) = uri.parse::<http::Uri>() else { return false };
    let Some(authority) = uri.authority() else { return false };
    let is_loopback = ["localhost", "127.0.0.1", "[::1]"].contains(&authority.host());
    let scheme = uri.scheme_str();
    !authority.as_str().contains('@') && (scheme == Some("https") || scheme == Some("http") && is_loopback)
}
