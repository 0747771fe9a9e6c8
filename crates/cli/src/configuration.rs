//! The configuration of an engine, from a TOML file or the command line.

mod gateway;
mod introspection;
mod issuer;
mod own_keys;
mod secret;

use gateway::{GatewayConfiguration, RefusedPart};
use introspection::IntrospectionConfiguration;
use issuer::Contradiction;
pub(crate) use issuer::{IssuerConfiguration, KeySources};
pub(crate) use secret::SecretConfiguration;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use tollgate::{AcceptedCredentials, BuildError, Dpop, Engine, IssuerSettings, KeyRing, TrustedProxies};
use tollgate_gateway::Gateway;
use tollgate_remote::Verifier;
use tollgate_telemetry::Metrics;
use toml::Spanned;

use crate::error::CommandError;
use crate::followed::{Followed, StoreConfiguration};
use crate::key_records;
use crate::remote::{Remote, StartError};
use crate::toml_file::{TomlFile, is_url};
use crate::values::{AlgorithmName, CertificateField, Field, Kinds, Nonce, Origins, Proxies};

/// The whole configuration of an engine.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Configuration {
    #[serde(default, rename = "issuer")]
    pub(crate) issuers: Vec<Spanned<IssuerConfiguration>>,
    #[serde(default)]
    pub(crate) introspection: BTreeMap<String, Spanned<IntrospectionConfiguration>>,
    pub(crate) api_keys: Option<PathBuf>,
    pub(crate) store: Option<StoreConfiguration>,
    pub(crate) max_header_bytes: Option<usize>,
    #[serde(default)]
    pub(crate) accept: AcceptConfiguration,
    #[serde(default)]
    pub(crate) dpop: DpopConfiguration,
    pub(crate) request: Option<RequestConfiguration>,
    pub(crate) gateway: Option<Spanned<GatewayConfiguration>>,
    /// The file of this configuration.
    #[serde(skip)]
    pub(crate) file: Option<TomlFile>,
}

/// The accepted credentials. Absent settings have the engine's defaults.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptConfiguration {
    kinds: Option<Kinds>,
    bare: Option<bool>,
}

/// How proofs of possession are checked. Absent settings have the engine's defaults.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DpopConfiguration {
    algorithms: Option<Vec<AlgorithmName>>,
    max_age: Option<u32>,
    #[serde(default)]
    nonce: Nonce,
    replay_bytes: Option<usize>,
}

impl DpopConfiguration {
    pub(crate) fn dpop(&self) -> Dpop {
        let mut dpop = Dpop::new();
        if let Some(algorithms) = &self.algorithms {
            dpop = dpop.algorithms(algorithms.iter().map(|AlgorithmName(algorithm)| *algorithm));
        }
        if let Some(seconds) = self.max_age {
            dpop = dpop.max_age(seconds);
        }
        if let Some(bytes) = self.replay_bytes {
            dpop = dpop.replay_bytes(bytes);
        }
        match self.nonce {
            Nonce::Off => dpop,
            Nonce::Required => dpop.require_nonce(),
        }
    }
}

/// The facts of a request that trusted proxies supply.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestConfiguration {
    trusted_proxies: Option<Spanned<Proxies>>,
    client_address: Option<Spanned<Field>>,
    client_certificate: Option<Spanned<CertificateField>>,
    /// For servers: a line of `--input request` has an absolute URI already.
    public_origins: Option<Origins>,
}

impl RequestConfiguration {
    /// The setting that would have no effect, and its position.
    fn check(&self) -> Result<(), (usize, &'static str)> {
        let address = self.client_address.as_ref().map(|field| field.span().start);
        let certificate = self.client_certificate.as_ref().map(|field| field.span().start);
        match (&self.trusted_proxies, address, certificate) {
            // The proxies are then trusted for the origin.
            (Some(_), None, None) if self.public_origins.is_some() => Ok(()),
            (None, Some(start), _) => {
                Err((start, "client_address is read of trusted proxies alone; name them in trusted_proxies"))
            }
            (None, None, Some(start)) => {
                Err((start, "client_certificate is read of trusted proxies alone; name them in trusted_proxies"))
            }
            (Some(proxies), None, None) => Err((
                proxies.span().start,
                "nothing is read of the trusted proxies; give client_address or client_certificate",
            )),
            _ => Ok(()),
        }
    }
}

/// A configured engine, and its sources, which are kept up to date until this is dropped.
pub(crate) struct Configured {
    pub(crate) engine: Arc<Engine>,
    pub(crate) remote: Remote,
    pub(crate) followed: Option<Followed>,
    /// The keys of each issuer.
    pub(crate) keys: Vec<IssuerKeys>,
    /// The number of records in the table.
    pub(crate) api_keys: Option<usize>,
}

/// The keys that sign an issuer's tokens.
pub(crate) struct IssuerKeys {
    /// The requirements on the issuer's tokens.
    pub(crate) settings: IssuerSettings,
    pub(crate) ring: KeyRing,
    /// In the order of the fetches of [`Remote`].
    pub(crate) is_fetched: bool,
}

impl Configuration {
    /// Reads the file at `path`. Paths in it are relative to the file.
    pub(crate) fn read(path: &Path) -> Result<Self, CommandError> {
        let (file, mut configuration): (_, Configuration) = TomlFile::read(path)?;
        let folder = file.folder();
        for issuer in &mut configuration.issuers {
            let start = issuer.span().start;
            issuer
                .get_ref()
                .check()
                .map_err(|Contradiction { position, reason }| file.refused(position.unwrap_or(start), reason))?;
            issuer.get_mut().resolve_paths(folder);
        }
        for (name, section) in &mut configuration.introspection {
            let start = section.span().start;
            section.get_mut().check(name).map_err(|reason| file.refused(start, reason))?;
            section.get_mut().resolve_paths(folder);
        }
        if let Some(gateway) = &mut configuration.gateway {
            gateway.get_mut().resolve_paths(folder);
        }
        if let Some((position, reason)) = configuration.request.as_ref().and_then(|request| request.check().err()) {
            return Err(file.refused(position, reason.to_owned()));
        }
        if configuration.api_keys.is_some() && configuration.store.is_some() {
            return Err(file.refused(0, "give either api_keys or store".to_owned()));
        }
        let store = configuration.store.as_mut().map(|store| (&mut store.file, &mut store.pepper_file));
        let of_store = store.into_iter().flat_map(|(file, pepper)| [Some(file), pepper.as_mut()]).flatten();
        for file in of_store.chain(&mut configuration.api_keys) {
            if !is_url(file) {
                *file = folder.join(&*file);
            }
        }
        configuration.file = Some(file);
        Ok(configuration)
    }

    /// The configured engine, with the fetchers of its remote issuers' keys and the follower of its store.
    pub(crate) fn engine(&self, dpop: Dpop) -> Result<Configured, CommandError> {
        self.engine_of(dpop, None)
    }

    /// Like [`engine`](Self::engine), with `metrics` that count its work.
    pub(crate) fn engine_of(&self, dpop: Dpop, metrics: Option<&Metrics>) -> Result<Configured, CommandError> {
        let (mut builder, mut remote) = (Engine::builder(), Remote::new(metrics.cloned()));
        let (mut keys, mut api_keys) = (Vec::new(), None);
        for issuer in &self.issuers {
            let (described, ring) = issuer.get_ref().issuer(&mut remote, self.file.as_ref())?;
            let IssuerConfiguration { settings, keys: sources } = issuer.get_ref();
            let (settings, is_fetched) = (settings.clone(), sources.remote.is_some());
            keys.extend(ring.map(|ring| IssuerKeys { settings, ring, is_fetched }));
            builder = builder.issuer(described);
        }
        for (name, section) in &self.introspection {
            let issuer = section.get_ref().issuer(&mut remote).map_err(|error| match error {
                StartError::Runtime(error) => CommandError::Runtime(error),
                StartError::Configuration(error) => {
                    let reason = format!("the opaque issuer {name:?}: {error}");
                    let file = self.file.as_ref();
                    file.map_or(CommandError::IssuerKeys(reason.clone()), |file| {
                        file.refused(section.span().start, reason)
                    })
                }
            });
            builder = builder.opaque_issuer(issuer?);
        }
        if let Some(path) = &self.api_keys {
            let table = key_records::read(path)?;
            if table.is_empty() && self.issuers.is_empty() && self.introspection.is_empty() {
                return Err(CommandError::NoApiKeys { path: path.clone() });
            }
            api_keys = Some(table.len());
            builder = builder.api_keys(table);
        }
        let followed = self.store.as_ref().map(StoreConfiguration::follow).transpose()?;
        if let Some(followed) = &followed {
            api_keys = Some(followed.api_keys.len());
            builder = builder.api_keys(followed.api_keys.clone()).revocations(followed.revocations.clone());
            builder = builder.require_fresh_api_keys();
        }
        if let Some(bytes) = self.max_header_bytes {
            builder = builder.max_header_bytes(bytes);
        }
        builder = builder.accept(self.accept.accepted()).dpop(dpop);
        if let Some(metrics) = metrics.cloned() {
            builder = builder.untimed_observer(move |seen| metrics.count(seen));
        }
        let engine = Arc::new(builder.build().map_err(|error| self.refused(error))?);
        if let Some(metrics) = metrics {
            metrics.watch_engine(&engine);
            if let Some(followed) = &followed {
                metrics.watch_store(&followed.name, &followed.progress);
            }
        }
        Ok(Configured { engine, remote, followed, keys, api_keys })
    }

    /// The configured gateway, which verifies by `verifier`.
    pub(crate) fn gateway(&self, verifier: Verifier) -> Result<Gateway, CommandError> {
        let Some(section) = &self.gateway else { return Err(CommandError::NoGateway) };
        let builder = Gateway::builder(verifier).trusted_proxies(self.trusted_proxies());
        let origins = self.request.as_ref().and_then(|request| request.public_origins.as_ref());
        let origins = origins.map_or(&[][..], |Origins(origins)| origins);
        let built = builder.public_origins(origins.iter().map(String::as_str)).map_err(RefusedPart::from);
        let built = built.and_then(|builder| section.get_ref().apply(builder)).and_then(|builder| Ok(builder.build()?));
        built.map_err(|RefusedPart { position, reason }| match &self.file {
            Some(file) => file.refused(position.unwrap_or(section.span().start), reason),
            None => CommandError::Options("a gateway is described in a file"),
        })
    }

    /// With the line of the issuer that the error is about.
    fn refused(&self, error: BuildError) -> CommandError {
        let name = match &error {
            BuildError::Issuer { issuer, .. }
            | BuildError::IssuersOverlap { issuer }
            | BuildError::TemplatesOverlap { issuer, .. }
            | BuildError::RevocationsNeverFresh { issuer }
            | BuildError::NoKeys { issuer }
            | BuildError::NoUsableKey { issuer }
            | BuildError::KeyUseWithoutEffect { issuer }
            | BuildError::TokenPrefixesOverlap { issuer, .. }
            | BuildError::TokenPrefixOfKeys { issuer } => Some(&**issuer),
            _ => None,
        };
        let of_jwts = self.issuers.iter().rfind(|issuer| Some(issuer.get_ref().settings.issuer()) == name);
        let of_opaque_tokens = name.and_then(|name| self.introspection.get(name));
        let start = of_jwts.map(|issuer| issuer.span().start).or(of_opaque_tokens.map(|section| section.span().start));
        match (&self.file, start) {
            (Some(file), Some(start)) => file.refused(start, error.to_string()),
            _ => CommandError::Engine(error),
        }
    }

    /// The proxies in front of the server whose requests are verified.
    pub(crate) fn trusted_proxies(&self) -> TrustedProxies {
        let Some(RequestConfiguration { trusted_proxies: Some(proxies), client_address, client_certificate, .. }) =
            &self.request
        else {
            return TrustedProxies::none();
        };
        let blocks = proxies.get_ref().0.iter().copied();
        let proxies = match client_address {
            Some(field) => TrustedProxies::new(blocks, field.get_ref().0),
            None => TrustedProxies::nameless(blocks),
        };
        match client_certificate {
            Some(field) => proxies.client_certificate(field.get_ref().0),
            None => proxies,
        }
    }
}

impl AcceptConfiguration {
    fn accepted(&self) -> AcceptedCredentials {
        let kinds = self.kinds.as_ref().map(|Kinds(kinds)| AcceptedCredentials::only(kinds.iter().copied()));
        let accepted = kinds.unwrap_or_default();
        if self.bare.unwrap_or(true) { accepted } else { accepted.no_bare() }
    }
}
