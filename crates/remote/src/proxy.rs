//! The HTTP proxy between this machine and the providers.

use std::{env, fmt};

use http::Uri;
use http::uri::Scheme;
use hyper_util::client::proxy::matcher::Matcher;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::error::ConfigurationError;

/// Which HTTP proxy HTTPS requests go through, by the method CONNECT: the proxy sees host and port, and neither the path
/// nor the header fields. Requests by plain HTTP, which stay on this machine or in a private network, do not use it.
///
/// In a configuration file: `"env"`, or the proxy's URI.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Proxy {
    /// The proxy that the environment names when the keys are started: `HTTPS_PROXY`, but for the hosts of `NO_PROXY`;
    /// both also in lower case. None of it: directly.
    Environment,
    /// The proxy at this URI: `http`, a host, and if need be a port and `user:password@`, which may be percent-encoded.
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

    /// Which requests go through which proxy, as the environment has it now.
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

/// `origin`: where the URI is from, for the message, which must not show a password.
fn vet(uri: &str, origin: &'static str) -> Result<(), ConfigurationError> {
    let invalid = ConfigurationError::Proxy { origin };
    let Ok(uri) = uri.parse::<Uri>() else { return Err(invalid) };
    // Without a scheme `http` is meant, as everywhere where this variable is read.
    let is_http = uri.scheme().is_none_or(|scheme| *scheme == Scheme::HTTP);
    let has_host = uri.host().is_some_and(|host| !host.is_empty());
    let has_path = uri.path_and_query().is_some_and(|path| path != "/" && !path.as_str().is_empty());
    if is_http && has_host && !has_path { Ok(()) } else { Err(invalid) }
}

fn variable(names: [&str; 2]) -> String {
    names.iter().filter_map(|name| env::var(name).ok()).find(|value| !value.is_empty()).unwrap_or_default()
}

impl fmt::Debug for Proxy {
    /// Without the URI, which may hold a password.
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
