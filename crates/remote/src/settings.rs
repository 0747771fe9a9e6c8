use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::endpoint::{Endpoint, PlainHttp};
use crate::error::ConfigurationError;
use crate::headers::{HeaderSource, Headers};
use crate::key_document::DocumentForm;
use crate::limits::MAX_FAILOVERS;
use crate::metadata::Metadata;
use crate::proxy::Proxy;
use crate::source::Origin;

/// The location of one issuer's keys and the way to reach them: the part of [`RemoteKeys`](crate::RemoteKeys) that a
/// configuration file can set.
///
/// The methods of [`RemoteKeysBuilder`](crate::RemoteKeysBuilder) set these fields, and a configuration file is
/// deserialised into them. An unknown name is an error.
///
/// ```
/// use tollgate_remote::RemoteSettings;
///
/// let settings: RemoteSettings = serde_json::from_str(
///     r#"{
///         "jwks_uri": "https://kubernetes.default.svc/openid/v1/jwks",
///         "ca": "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
///         "headers": {
///             "authorization": {
///                 "file": "/var/run/secrets/kubernetes.io/serviceaccount/token",
///                 "prefix": "Bearer "
///             }
///         }
///     }"#,
/// )?;
/// settings.check("https://kubernetes.default.svc.cluster.local")?;
/// assert!(serde_json::from_str::<RemoteSettings>(r#"{ "jwks": "x" }"#).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RemoteSettings {
    /// The URI of the JWK set.
    pub jwks_uri: Option<String>,
    /// The URI of a JSON object that maps key ids to certificates in PEM, as Firebase and Google publish instead of a
    /// JWK set.
    pub x509: Option<String>,
    /// The kind of the issuer's metadata, which names its JWK set.
    pub discovery: Option<Discovery>,
    /// Further URIs of the same document, tried in turn when the first fails. Up to [`MAX_FAILOVERS`].
    pub failover: Vec<String>,
    /// The file of the last good set, for a start without the provider.
    pub saved_in: Option<PathBuf>,
    /// Header fields of each request to the origin (scheme, host and port) of the configured URI: of `jwks_uri` or
    /// `x509`, or with `discovery` of the issuer. They are sent to no other origin.
    pub headers: BTreeMap<String, HeaderSource>,
    /// A PEM file of root certificates. A server's certificate must be issued by one of them; those of the system are
    /// not trusted.
    pub ca: Option<PathBuf>,
    /// The HTTP proxy for HTTPS requests. Without it connections are direct.
    pub proxy: Option<Proxy>,
    /// Whether a document of any `Content-Type` is accepted.
    pub danger_accept_any_content_type: bool,
    /// Whether keys may be fetched by plain HTTP inside a private network.
    pub danger_accept_plain_http: bool,
}

/// Which metadata an issuer publishes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Discovery {
    /// OpenID Connect Discovery 1.0.
    OpenId,
    /// OAuth 2.0 authorization server metadata (RFC 8414).
    OAuth,
}

impl RemoteSettings {
    /// Resolves each relative path against `folder`.
    pub fn resolve_paths(&mut self, folder: &Path) {
        let files = self.headers.values_mut().filter_map(HeaderSource::file_mut);
        for path in files.chain(&mut self.saved_in).chain(&mut self.ca) {
            *path = folder.join(&*path);
        }
    }

    /// Checks everything that can be checked without reading a file or the environment. `issuer`: the `iss` of its
    /// tokens.
    ///
    /// # Errors
    /// [`ConfigurationError`].
    pub fn check(&self, issuer: &str) -> Result<(), ConfigurationError> {
        self.origin(issuer)?;
        self.failovers()?;
        self.headers()?;
        self.proxy.as_ref().map_or(Ok(()), Proxy::check)
    }

    /// The name of the keys: the configured URI, or the issuer.
    pub(crate) fn name<'n>(&'n self, issuer: &'n str) -> &'n str {
        self.jwks_uri.as_deref().or(self.x509.as_deref()).unwrap_or(issuer)
    }

    pub(crate) fn origin(&self, issuer: &str) -> Result<Origin, ConfigurationError> {
        let plain_http = self.plain_http();
        match (&self.jwks_uri, &self.x509, self.discovery) {
            (Some(uri), None, None) | (None, Some(uri), None) => {
                Ok(Origin::Document(Endpoint::parse(uri, plain_http)?))
            }
            (None, None, Some(Discovery::OpenId)) => Ok(Origin::Metadata(Metadata::openid(issuer, plain_http)?)),
            (None, None, Some(Discovery::OAuth)) => {
                Ok(Origin::Metadata(Metadata::authorization_server(issuer, plain_http)?))
            }
            (None, None, None) => Err(ConfigurationError::NoSource),
            _ => Err(ConfigurationError::SeveralSources),
        }
    }

    pub(crate) fn failovers(&self) -> Result<Vec<Endpoint>, ConfigurationError> {
        if self.failover.len() > MAX_FAILOVERS {
            return Err(ConfigurationError::TooManyFailovers { failovers: self.failover.len() });
        }
        self.failover.iter().map(|uri| Endpoint::parse(uri, self.plain_http())).collect()
    }

    pub(crate) fn headers(&self) -> Result<Headers, ConfigurationError> {
        Headers::new(&self.headers)
    }

    pub(crate) fn form(&self) -> DocumentForm {
        if self.x509.is_some() { DocumentForm::Certificates } else { DocumentForm::JwkSet }
    }

    pub(crate) fn plain_http(&self) -> PlainHttp {
        if self.danger_accept_plain_http { PlainHttp::InPrivateNetworks } else { PlainHttp::ToThisMachine }
    }
}
