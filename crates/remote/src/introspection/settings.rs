use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::authentication::Authentication;
use crate::endpoint::{Endpoint, PlainHttp};
use crate::error::ConfigurationError;
use crate::headers::{HeaderSource, Headers};
use crate::limits::{DEFAULT_INTROSPECTIONS_PER_SECOND, MAX_INTROSPECTIONS_PER_SECOND};
use crate::proxy::Proxy;

/// Where an introspection endpoint is, and how it is reached: what a configuration file can say of
/// [`Introspection`](crate::Introspection). An unknown name is an error.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct IntrospectionSettings {
    /// The URI of the endpoint.
    pub endpoint: String,
    /// The id by which this resource server is known there.
    pub client_id: Option<String>,
    /// The file of its secret, read anew for each request. White space around its text is not part of it.
    pub client_secret_file: Option<PathBuf>,
    /// The secret itself, which a configuration file does not hold.
    #[serde(skip)]
    pub(crate) client_secret: Option<HeaderSource>,
    /// Header fields of each request, such as an access token in place of client authentication.
    pub headers: BTreeMap<String, HeaderSource>,
    /// How many requests a second the endpoint is sent at most.
    pub requests_per_second: u32,
    /// A PEM file of certificates. The server has to be certified by one of them; those of the system are not trusted.
    pub ca: Option<PathBuf>,
    /// The HTTP proxy that HTTPS requests go through. Without it connections are made directly.
    pub proxy: Option<Proxy>,
    /// Whether tokens may be sent by plain HTTP inside a private network.
    pub danger_accept_plain_http: bool,
}

impl Default for IntrospectionSettings {
    fn default() -> Self {
        IntrospectionSettings {
            endpoint: String::new(),
            client_id: None,
            client_secret_file: None,
            client_secret: None,
            headers: BTreeMap::new(),
            requests_per_second: DEFAULT_INTROSPECTIONS_PER_SECOND,
            ca: None,
            proxy: None,
            danger_accept_plain_http: false,
        }
    }
}

impl IntrospectionSettings {
    /// Makes each relative path one inside `folder`.
    pub fn resolve_paths(&mut self, folder: &Path) {
        let files = self.headers.values_mut().chain(&mut self.client_secret).filter_map(HeaderSource::file_mut);
        for path in files.chain(&mut self.client_secret_file).chain(&mut self.ca) {
            *path = folder.join(&*path);
        }
    }

    /// Checks all that can be said without reading a file or the environment.
    ///
    /// # Errors
    /// [`ConfigurationError`].
    pub fn check(&self) -> Result<(), ConfigurationError> {
        self.endpoint()?;
        self.authentication()?;
        let max = MAX_INTROSPECTIONS_PER_SECOND;
        if !(1..=max).contains(&self.requests_per_second) {
            return Err(ConfigurationError::Limit { limit: "requests per second", max: max as usize });
        }
        self.headers()?;
        self.proxy.as_ref().map_or(Ok(()), Proxy::check)
    }

    pub(super) fn endpoint(&self) -> Result<Endpoint, ConfigurationError> {
        Endpoint::parse(&self.endpoint, self.plain_http())
    }

    /// None where header fields, or the caller's own HTTP client, say who asks.
    pub(super) fn authentication(&self) -> Result<Option<Authentication>, ConfigurationError> {
        let of_file = self.client_secret_file.as_ref().map(HeaderSource::file);
        match (&self.client_id, self.client_secret.clone().or(of_file)) {
            (Some(id), Some(secret)) if !id.is_empty() => Ok(Some(Authentication::basic(id, secret))),
            (None, None) => Ok(None),
            _ => Err(ConfigurationError::ClientAuthentication {
                reason: "client_id and the client's secret go together",
            }),
        }
    }

    pub(super) fn headers(&self) -> Result<Headers, ConfigurationError> {
        let headers = Headers::new(&self.headers)?;
        let is_authorization = |name: &String| name.eq_ignore_ascii_case("authorization");
        if self.client_id.is_some() && self.headers.keys().any(is_authorization) {
            let reason = "a client_id and the header Authorization exclude each other";
            return Err(ConfigurationError::ClientAuthentication { reason });
        }
        Ok(headers)
    }

    pub(super) fn plain_http(&self) -> PlainHttp {
        if self.danger_accept_plain_http { PlainHttp::InPrivateNetworks } else { PlainHttp::ToThisMachine }
    }
}
