use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::endpoint::{Endpoint, PlainHttp};
use crate::error::ConfigurationError;
use crate::headers::{HeaderSource, Headers};
use crate::limits::{DEFAULT_STATUS_LIST_AGE, MAX_STATUS_LIST_AGE};
use crate::proxy::Proxy;

/// The location of an issuer's status lists and the way to reach them: the part of
/// [`StatusListsBuilder`](crate::StatusListsBuilder) that a configuration file can set. An unknown name is an error.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct StatusListSettings {
    /// Prefixes of the lists' URIs, each up to a `/`, or whole URIs. All must have one origin.
    pub prefixes: Vec<String>,
    /// Whether a token that refers to no list is rejected.
    pub required: bool,
    /// The longest validity of a list in seconds, whatever its `ttl`.
    pub max_age: u32,
    /// Header fields of each request.
    pub headers: BTreeMap<String, HeaderSource>,
    /// A PEM file of root certificates. The server's certificate must be issued by one of them; those of the system are
    /// not trusted.
    pub ca: Option<PathBuf>,
    /// The HTTP proxy for HTTPS requests. Without it connections are direct.
    pub proxy: Option<Proxy>,
    /// Whether lists may be fetched by plain HTTP inside a private network.
    pub danger_accept_plain_http: bool,
}

impl Default for StatusListSettings {
    fn default() -> Self {
        StatusListSettings {
            prefixes: Vec::new(),
            required: false,
            max_age: DEFAULT_STATUS_LIST_AGE,
            headers: BTreeMap::new(),
            ca: None,
            proxy: None,
            danger_accept_plain_http: false,
        }
    }
}

impl StatusListSettings {
    /// Resolves each relative path against `folder`.
    pub fn resolve_paths(&mut self, folder: &Path) {
        let files = self.headers.values_mut().filter_map(HeaderSource::file_mut);
        for path in files.chain(&mut self.ca) {
            *path = folder.join(&*path);
        }
    }

    /// Checks everything that can be checked without reading a file or the environment.
    ///
    /// # Errors
    /// [`ConfigurationError`].
    pub fn check(&self) -> Result<(), ConfigurationError> {
        self.endpoint()?;
        if !(1..=MAX_STATUS_LIST_AGE).contains(&self.max_age) {
            let max = MAX_STATUS_LIST_AGE as usize;
            return Err(ConfigurationError::Limit { limit: "max_age of status lists", max });
        }
        Headers::new(&self.headers)?;
        self.proxy.as_ref().map_or(Ok(()), Proxy::check)
    }

    /// The origin of all prefixes, the only one that gets the header fields.
    pub(super) fn endpoint(&self) -> Result<Endpoint, ConfigurationError> {
        let [first, others @ ..] = &self.prefixes[..] else {
            return Err(ConfigurationError::NoStatusListPrefix);
        };
        let origin = Endpoint::parse(first, self.plain_http())?;
        for prefix in others.iter().chain([first]) {
            let endpoint = Endpoint::parse(prefix, self.plain_http())?;
            // An authority without a path would also match longer ones: https://as.example and
            // https://as.example.evil.example.
            if !endpoint.has_origin_of(&origin) || !prefix[prefix.find("://").map_or(0, |at| at + 3)..].contains('/') {
                return Err(ConfigurationError::InvalidUri { uri: prefix.clone() });
            }
        }
        Ok(origin)
    }

    pub(super) fn plain_http(&self) -> PlainHttp {
        if self.danger_accept_plain_http { PlainHttp::InPrivateNetworks } else { PlainHttp::ToThisMachine }
    }
}
