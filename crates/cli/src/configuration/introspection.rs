//! `[introspection."NAME"]`: an issuer of opaque tokens, and the endpoint that is asked about them; and
//! `[issuer.introspection]`: the endpoint that is asked about the JWTs of an issuer.

use std::path::{Path, PathBuf};

use serde::de::MapAccess;
use serde::{Deserialize, Deserializer};
use tollgate::limits::DEFAULT_ANSWER_AGE;
use tollgate::{OpaqueIssuer, OpaqueIssuerSettings};
use tollgate_remote::IntrospectionSettings;

use super::own_keys::{OwnKeys, with_own_keys};
use crate::remote::{Remote, StartError};

/// One issuer of opaque tokens. Absent settings have the defaults of the engine and the HTTP client.
#[derive(Debug)]
pub(crate) struct IntrospectionConfiguration {
    pub(crate) settings: OpaqueIssuerSettings,
    pub(crate) endpoint: IntrospectionSettings,
}

impl IntrospectionConfiguration {
    /// Checks everything that needs no file.
    pub(super) fn check(&mut self, name: &str) -> Result<(), String> {
        if !self.settings.name.is_empty() {
            return Err(format!("the name of introspection.{name:?} is that of its table; leave out name"));
        }
        name.clone_into(&mut self.settings.name);
        self.settings.check().map_err(|error| format!("the opaque issuer {name:?} {error}"))?;
        self.endpoint.check().map_err(|error| format!("the opaque issuer {name:?}: {error}"))
    }

    /// Makes relative paths relative to `folder`.
    pub(super) fn resolve_paths(&mut self, folder: &Path) {
        self.endpoint.resolve_paths(folder);
    }

    pub(super) fn issuer(&self, remote: &mut Remote) -> Result<OpaqueIssuer, StartError> {
        let introspection = remote.start_introspection(&self.settings.name, self.endpoint.clone())?;
        Ok(OpaqueIssuer::from(self.settings.clone()).introspector(introspection))
    }
}

impl<'de> Deserialize<'de> for IntrospectionConfiguration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "a table that describes an introspection endpoint";
        let (settings, Endpoint(endpoint)) = with_own_keys(deserializer, expected)?;
        Ok(IntrospectionConfiguration { settings, endpoint })
    }
}

/// The endpoint that is asked about the JWTs of one issuer.
#[derive(Debug)]
pub(crate) struct JwtIntrospectionConfiguration {
    pub(super) endpoint: IntrospectionSettings,
    /// In seconds.
    pub(super) max_age: u32,
}

impl<'de> Deserialize<'de> for JwtIntrospectionConfiguration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (endpoint, MaxAge(max_age)) =
            with_own_keys(deserializer, "a table that describes an introspection endpoint")?;
        Ok(JwtIntrospectionConfiguration { endpoint, max_age })
    }
}

struct MaxAge(u32);

impl Default for MaxAge {
    fn default() -> Self {
        MaxAge(DEFAULT_ANSWER_AGE)
    }
}

impl OwnKeys for MaxAge {
    const NAMES: &[&str] = &["max_age"];

    fn read<'de, M: MapAccess<'de>>(&mut self, _: &str, table: &mut M) -> Result<(), M::Error> {
        self.0 = table.next_value()?;
        Ok(())
    }
}

#[derive(Default)]
struct Endpoint(IntrospectionSettings);

impl OwnKeys for Endpoint {
    const NAMES: &[&str] = &[
        "endpoint",
        "client_id",
        "client_secret_file",
        "client_key_file",
        "client_assertion_audience",
        "client_certificate_file",
        "client_certificate_key_file",
        "headers",
        "requests_per_second",
        "ca",
        "proxy",
        "danger_accept_plain_http",
    ];

    fn read<'de, M: MapAccess<'de>>(&mut self, name: &str, table: &mut M) -> Result<(), M::Error> {
        let settings = &mut self.0;
        match name {
            "endpoint" => settings.endpoint = table.next_value()?,
            "client_id" => settings.client_id = Some(table.next_value()?),
            "client_secret_file" => settings.client_secret_file = Some(table.next_value::<PathBuf>()?),
            "client_key_file" => settings.client_key_file = Some(table.next_value::<PathBuf>()?),
            "client_assertion_audience" => settings.client_assertion_audience = Some(table.next_value()?),
            "client_certificate_file" => settings.client_certificate_file = Some(table.next_value::<PathBuf>()?),
            "client_certificate_key_file" => {
                settings.client_certificate_key_file = Some(table.next_value::<PathBuf>()?);
            }
            "headers" => settings.headers = table.next_value()?,
            "requests_per_second" => settings.requests_per_second = table.next_value()?,
            "ca" => settings.ca = Some(table.next_value::<PathBuf>()?),
            "proxy" => settings.proxy = Some(table.next_value()?),
            _ => settings.danger_accept_plain_http = table.next_value()?,
        }
        Ok(())
    }
}
