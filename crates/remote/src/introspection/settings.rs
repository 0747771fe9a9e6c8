use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use tollgate_issuer::SigningKey;

use super::authentication::Authentication;
use crate::endpoint::{Endpoint, PlainHttp};
use crate::error::ConfigurationError;
use crate::headers::{HeaderSource, Headers};
use crate::limits::{DEFAULT_INTROSPECTIONS_PER_SECOND, MAX_INTROSPECTIONS_PER_SECOND};
use crate::proxy::Proxy;
use crate::tls::ClientIdentity;

/// The location of an introspection endpoint and the way to reach it: the part of
/// [`Introspection`](crate::Introspection) that a configuration file can set. An unknown name is an error.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct IntrospectionSettings {
    /// The URI of the endpoint.
    pub endpoint: String,
    /// The client id of this resource server at the endpoint.
    pub client_id: Option<String>,
    /// The file of the client's secret, read for every request. White space around the text is ignored.
    pub client_secret_file: Option<PathBuf>,
    /// The file of the private JWK that signs instead of a secret (`private_key_jwt`). Read once, at the start.
    pub client_key_file: Option<PathBuf>,
    /// The `aud` of the signed assertions. Default: the endpoint's URI.
    pub client_assertion_audience: Option<String>,
    /// The PEM file of the TLS client certificate, followed by its chain. It authenticates the client if there is
    /// neither a secret nor a key (`tls_client_auth`, RFC 8705 section 2). Read once, at the start.
    pub client_certificate_file: Option<PathBuf>,
    /// The PEM file of the certificate's private key.
    pub client_certificate_key_file: Option<PathBuf>,
    /// The secret itself, which cannot be in a configuration file.
    #[serde(skip)]
    pub(crate) client_secret: Option<HeaderSource>,
    /// Header fields of each request, such as an access token instead of client authentication.
    pub headers: BTreeMap<String, HeaderSource>,
    /// The most requests per second to the endpoint.
    pub requests_per_second: u32,
    /// A PEM file of root certificates. The server's certificate must be issued by one of them; those of the system are
    /// not trusted.
    pub ca: Option<PathBuf>,
    /// The HTTP proxy for HTTPS requests. Without it connections are direct.
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
            client_key_file: None,
            client_assertion_audience: None,
            client_certificate_file: None,
            client_certificate_key_file: None,
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
    /// Resolves each relative path against `folder`.
    pub fn resolve_paths(&mut self, folder: &Path) {
        let files = self.headers.values_mut().chain(&mut self.client_secret).filter_map(HeaderSource::file_mut);
        let of_client = [
            &mut self.client_secret_file,
            &mut self.client_key_file,
            &mut self.client_certificate_file,
            &mut self.client_certificate_key_file,
        ];
        for path in files.chain(of_client.into_iter().flatten()).chain(&mut self.ca) {
            *path = folder.join(&*path);
        }
    }

    /// Checks everything that can be checked without reading a file or the environment.
    ///
    /// # Errors
    /// [`ConfigurationError`].
    pub fn check(&self) -> Result<(), ConfigurationError> {
        self.endpoint()?;
        self.authentication(None, false)?;
        self.check_rest()
    }

    /// Checks everything except the endpoint and the authentication.
    pub(super) fn check_rest(&self) -> Result<(), ConfigurationError> {
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

    /// None if header fields or the caller's own HTTP client authenticate, or if the key is not loaded yet. `key`: the
    /// key of `client_key_file`, or a given one. `has_certificate`: whether a certificate was given.
    pub(super) fn authentication(
        &self,
        key: Option<Arc<SigningKey>>,
        has_certificate: bool,
    ) -> Result<Option<Authentication>, ConfigurationError> {
        let of_file = self.client_secret_file.as_ref().map(HeaderSource::file);
        let secret = self.client_secret.clone().or(of_file);
        let has_key = key.is_some() || self.client_key_file.is_some();
        let id = self.client_id.as_deref().filter(|id| !id.is_empty());
        let refused = |reason| Err(ConfigurationError::ClientAuthentication { reason });
        if self.client_certificate_file.is_some() != self.client_certificate_key_file.is_some() {
            return refused("client_certificate_file and client_certificate_key_file go together");
        }
        let has_certificate = has_certificate || self.client_certificate_file.is_some();
        if has_certificate && self.endpoint()?.is_plain() {
            return refused("a client's certificate is shown by TLS alone, and the endpoint is plain http");
        }
        if self.client_assertion_audience.is_some() && !has_key {
            return refused("client_assertion_audience is of what the client's key signs, and there is no key");
        }
        match (id, secret, has_key) {
            (Some(_), Some(_), true) => refused("the client has a secret and a key; give one"),
            (Some(id), Some(secret), false) => Ok(Some(Authentication::basic(id, secret))),
            (Some(id), None, true) => Ok(key.map(|key| {
                let audience = self.client_assertion_audience.as_ref().unwrap_or(&self.endpoint).clone();
                Authentication::PrivateKeyJwt { id: id.to_owned(), key, audience }
            })),
            (Some(id), None, false) if has_certificate => Ok(Some(Authentication::by_certificate(id))),
            (None, None, false) if self.client_id.is_none() => Ok(None),
            _ => refused("client_id and the client's secret or key or certificate go together"),
        }
    }

    /// Loads the key in `client_key_file`.
    pub(super) fn read_key(&self) -> Result<Option<Arc<SigningKey>>, ConfigurationError> {
        let Some(path) = &self.client_key_file else { return Ok(None) };
        let refused = |reason: String| ConfigurationError::ClientKeyFile { path: path.clone(), reason };
        let text = HeaderSource::file(path).read().map_err(|error| refused(error.to_string()))?;
        let key = SigningKey::from_jwk(&text).map_err(|error| refused(error.to_string()))?;
        Ok(Some(Arc::new(key)))
    }

    /// Loads the certificate in `client_certificate_file` and its key.
    pub(super) fn read_identity(&self) -> Result<Option<ClientIdentity>, ConfigurationError> {
        match (&self.client_certificate_file, &self.client_certificate_key_file) {
            (Some(certificates), Some(key)) => ClientIdentity::read_files(certificates, key).map(Some),
            _ => Ok(None),
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
