//! What an engine can be told, in a file of TOML or on the command line.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use tollgate::{AcceptedCredentials, Algorithm, Engine, Issuer, KeySet, TrustedProxies};

use crate::error::CommandError;
use crate::followed::{Followed, StoreConfiguration};
use crate::limits::MAX_CONFIGURATION_BYTES;
use crate::remote::{Remote, RemoteConfiguration};
use crate::values::{AlgorithmName, Block, Field, Kinds, Typ};
use crate::{key_files, key_records};

/// All that an engine can be told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Configuration {
    #[serde(default, rename = "issuer")]
    pub(crate) issuers: Vec<IssuerConfiguration>,
    pub(crate) api_keys: Option<PathBuf>,
    pub(crate) store: Option<StoreConfiguration>,
    pub(crate) max_header_bytes: Option<usize>,
    #[serde(default)]
    pub(crate) accept: AcceptConfiguration,
    pub(crate) request: Option<RequestConfiguration>,
}

/// Which credentials are accepted. What is absent is as the engine has it by default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptConfiguration {
    kinds: Option<Kinds>,
    bare: Option<bool>,
}

/// How the client of a request is found.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestConfiguration {
    trusted_proxies: Vec<Block>,
    client_address: Field,
}

/// One issuer of JWTs. What is absent is as the engine has it by default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssuerConfiguration {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) audiences: Vec<String>,
    pub(crate) jwks: Option<PathBuf>,
    pub(crate) remote: Option<RemoteConfiguration>,
    #[serde(default)]
    pub(crate) algorithms: Vec<AlgorithmName>,
    pub(crate) typ: Option<Typ>,
    pub(crate) leeway: Option<u32>,
    #[serde(default)]
    pub(crate) require_claims: Vec<String>,
    #[serde(default)]
    pub(crate) danger_accept_any_audience: bool,
    #[serde(default)]
    pub(crate) danger_accept_missing_exp: bool,
}

impl Configuration {
    /// Reads the file at `path`, to which the paths in it are relative.
    pub(crate) fn read(path: &Path) -> Result<Self, CommandError> {
        let bytes = key_files::read(path, MAX_CONFIGURATION_BYTES)?;
        let refused = |line, reason| CommandError::Configuration { path: path.into(), line, reason };
        if bytes.len() > MAX_CONFIGURATION_BYTES {
            return Err(refused(1, format!("the file is longer than {MAX_CONFIGURATION_BYTES} bytes")));
        }
        let text = std::str::from_utf8(&bytes)
            .map_err(|error| refused(line(&bytes, error.valid_up_to()), error.to_string()))?;
        let mut configuration: Configuration = toml::from_str(text).map_err(|error| {
            let position = error.span().map_or(0, |span| span.start);
            refused(line(&bytes, position), error.message().to_owned())
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for issuer in &mut configuration.issuers {
            let saved_in = issuer.remote.as_mut().and_then(|remote| remote.saved_in.as_mut());
            for file in issuer.jwks.as_mut().into_iter().chain(saved_in) {
                *file = folder.join(&*file);
            }
        }
        if configuration.api_keys.is_some() && configuration.store.is_some() {
            return Err(refused(1, "give either api_keys or store".to_owned()));
        }
        let store = configuration.store.as_mut().map(|store| (&mut store.file, &mut store.pepper_file));
        let of_store = store.into_iter().flat_map(|(file, pepper)| [Some(file), pepper.as_mut()]).flatten();
        for file in of_store.chain(&mut configuration.api_keys) {
            *file = folder.join(&*file);
        }
        Ok(configuration)
    }

    /// The engine that accepts what is described, what fetches the keys of its remote issuers, and what follows its store.
    pub(crate) fn engine(&self) -> Result<(Engine, Remote, Option<Followed>), CommandError> {
        let (mut builder, mut remote) = (Engine::builder(), Remote::default());
        for issuer in &self.issuers {
            builder = builder.issuer(issuer.issuer(&mut remote)?);
        }
        if let Some(path) = &self.api_keys {
            builder = builder.api_keys(key_records::read(path)?);
        }
        let followed = self.store.as_ref().map(StoreConfiguration::follow).transpose()?;
        if let Some(followed) = &followed {
            builder = builder.api_keys(followed.api_keys.clone()).revocations(followed.revocations.clone());
        }
        if let Some(bytes) = self.max_header_bytes {
            builder = builder.max_header_bytes(bytes);
        }
        builder = builder.accept(self.accept.accepted());
        Ok((builder.build().map_err(CommandError::Engine)?, remote, followed))
    }
}

impl Configuration {
    /// The proxies in front of the server whose requests are verified.
    pub(crate) fn trusted_proxies(&self) -> TrustedProxies {
        let Some(RequestConfiguration { trusted_proxies, client_address: Field(field) }) = &self.request else {
            return TrustedProxies::none();
        };
        TrustedProxies::new(trusted_proxies.iter().map(|Block(block)| *block), *field)
    }
}

impl AcceptConfiguration {
    fn accepted(&self) -> AcceptedCredentials {
        let kinds = self.kinds.as_ref().map(|Kinds(kinds)| AcceptedCredentials::only(kinds.iter().copied()));
        let accepted = kinds.unwrap_or_default();
        if self.bare.unwrap_or(true) { accepted } else { accepted.no_bare() }
    }
}

impl IssuerConfiguration {
    fn issuer(&self, remote: &mut Remote) -> Result<Issuer, CommandError> {
        let algorithms: Vec<Algorithm> = self.algorithms.iter().map(|name| name.0).collect();
        let mut issuer = Issuer::new(&self.name);
        for audience in &self.audiences {
            issuer = issuer.audience(audience);
        }
        for claim in &self.require_claims {
            issuer = issuer.require_claim(claim);
        }
        if let Some(path) = &self.jwks {
            let loaded = key_files::add(KeySet::builder(), path, &algorithms)?.build_with_reports();
            let no_usable_key = |source| CommandError::NoUsableKey { path: path.clone(), source };
            issuer = issuer.keys(loaded.into_set().map_err(no_usable_key)?);
        }
        if let Some(configuration) = &self.remote {
            if self.jwks.is_some() {
                let reason = "give either jwks or remote".to_owned();
                return Err(CommandError::RemoteKeys { issuer: self.name.clone(), reason });
            }
            issuer = issuer.keys(remote.start(&self.name, configuration, &algorithms)?);
        }
        if !algorithms.is_empty() {
            issuer = issuer.algorithms(&algorithms);
        }
        if let Some(typ) = self.typ {
            issuer = issuer.typ(typ.into());
        }
        if let Some(leeway) = self.leeway {
            issuer = issuer.leeway(leeway);
        }
        if self.danger_accept_any_audience {
            issuer = issuer.danger_accept_any_audience();
        }
        if self.danger_accept_missing_exp {
            issuer = issuer.danger_accept_missing_exp();
        }
        Ok(issuer)
    }
}

/// The number of the line that `position` is in.
fn line(text: &[u8], position: usize) -> usize {
    1 + text.iter().take(position).filter(|byte| **byte == b'\n').count()
}
