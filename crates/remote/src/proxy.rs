//! The HTTP proxy between this machine and the providers.

use std::{env, fmt};

use http::Uri;
use http::uri::Scheme;
use hyper_util::client::proxy::matcher::Matcher;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::error::ConfigurationError;

/// The HTTP proxy for HTTPS requests, used with the method CONNECT: the proxy sees the host and port, but neither path
/// nor header fields. Plain HTTP requests, which stay on this machine or in a private network, do not use the proxy.
///
/// In a configuration file: `"env"`, or the proxy's URI.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Proxy {
    /// The proxy of the environment when the keys are started: `HTTPS_PROXY`, except for the hosts in `NO_PROXY`; both
    /// also in lower case. Without these variables, connections are direct.
    Environment,
    /// The proxy at this URI: `http`, a host, optionally a port, and optionally `user:password@`, which may be
    /// percent-encoded.
    Uri(Zeroizing<String>),
}

impl Proxy {
    /// The proxy at `uri`.
    #[must_use]
    pub fn uri(uri: &str) -> Self {
        Proxy::Uri(Zeroizing::new(uri.to_owned()))
    }

    pub(crate) fn check(&self) -> Result<(), ConfigurationError> {
        match self {
            Proxy::Environment => Ok(()),
            Proxy::Uri(uri) => vet(uri, "the configuration"),
        }
    }

    /// Selects the requests that use a proxy. Reads the environment now.
    pub(crate) fn matcher(&self) -> Result<Matcher, ConfigurationError> {
        let (uri, origin, exceptions) = match self {
            Proxy::Uri(uri) => (uri.clone(), "the configuration", String::new()),
            Proxy::Environment => {
                let uri = Zeroizing::new(variable(["HTTPS_PROXY", "https_proxy"]));
                (uri, "HTTPS_PROXY", variable(["NO_PROXY", "no_proxy"]))
            }
        };
        if !uri.is_empty() || *self != Proxy::Environment {
            vet(&uri, origin)?;
        }
        Ok(Matcher::builder().https(uri.as_str()).no(exceptions).build())
    }
}

/// `origin`: the origin of the URI, for the message, which must not show a password.
fn vet(uri: &str, origin: &'static str) -> Result<(), ConfigurationError> {
    let invalid = ConfigurationError::Proxy { origin };
    let Ok(uri) = uri.parse::<Uri>() else { return Err(invalid) };
    // A URI without a scheme means `http`, as in other programs that read this variable.
    let is_http = uri.scheme().is_none_or(|scheme| *scheme == Scheme::HTTP);
    let has_host = uri.host().is_some_and(|host| !host.is_empty());
    let has_path = uri.path_and_query().is_some_and(|path| path != "/" && !path.as_str().is_empty());
    if is_http && has_host && !has_path { Ok(()) } else { Err(invalid) }
}

fn variable(names: [&str; 2]) -> String {
    names.iter().filter_map(|name| env::var(name).ok()).find(|value| !value.is_empty()).unwrap_or_default()
}

impl fmt::Debug for Proxy {
    /// Omits the URI, which may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Proxy::Environment => "Environment",
            Proxy::Uri(_) => "Uri",
        })
    }
}

impl<'de> Deserialize<'de> for Proxy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        Ok(if *text == "env" { Proxy::Environment } else { Proxy::Uri(text) })
    }
}
