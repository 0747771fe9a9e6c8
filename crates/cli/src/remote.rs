//! Issuers whose keys are fetched: the runtime that does it, and verifying with it.

use std::path::PathBuf;

use serde::Deserialize;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tollgate::{Algorithm, Engine, KeyRing, Principal, Rejection, Request};
use tollgate_remote::{RemoteKeys, RemoteKeysBuilder, verify_or_refresh};

use crate::error::{self, CommandError};
use crate::limits::REMOTE_KEYS_WAIT;

/// Where an issuer's keys are fetched from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoteConfiguration {
    /// The JWK set itself.
    pub(crate) jwks_uri: Option<String>,
    /// The metadata that names it.
    pub(crate) discovery: Option<Discovery>,
    /// Further JWK sets, asked for in turn when the first cannot be had.
    #[serde(default)]
    pub(crate) failover: Vec<String>,
    /// A file that keeps the last good set, for when nothing can be fetched at the start.
    pub(crate) saved_in: Option<PathBuf>,
}

/// Which metadata an issuer publishes.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Discovery {
    /// OpenID Connect Discovery 1.0.
    Openid,
    /// RFC 8414.
    Oauth,
}

/// The remote issuers of an engine; nothing is fetched once they are dropped.
#[derive(Default)]
pub(crate) struct Remote {
    keys: Vec<RemoteKeys>,
    /// Dropped after the keys. None where nothing is remote.
    runtime: Option<Runtime>,
}

impl Remote {
    /// Starts to fetch the keys of `issuer`.
    pub(crate) fn start(
        &mut self,
        issuer: &str,
        configuration: &RemoteConfiguration,
        algorithms: &[Algorithm],
    ) -> Result<KeyRing, CommandError> {
        let refused = |reason: String| CommandError::RemoteKeys { issuer: issuer.to_owned(), reason };
        let mut remote = match (&configuration.jwks_uri, configuration.discovery) {
            (Some(uri), None) => RemoteKeys::from_jwks_uri(uri),
            (None, Some(Discovery::Openid)) => RemoteKeys::from_openid_issuer(issuer),
            (None, Some(Discovery::Oauth)) => RemoteKeys::from_authorization_server(issuer),
            _ => return Err(refused("give either jwks_uri or discovery".to_owned())),
        };
        remote = configuration.failover.iter().fold(remote, |remote, uri| RemoteKeysBuilder::failover(remote, uri));
        if let Some(path) = &configuration.saved_in {
            remote = remote.saved_in(path);
        }
        if !algorithms.is_empty() {
            remote = remote.algorithms(algorithms);
        }
        let runtime = match self.runtime.take() {
            Some(runtime) => runtime,
            None => {
                Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(CommandError::Runtime)?
            }
        };
        let entered = runtime.enter();
        let keys = remote.start().map_err(|error| refused(error.to_string()));
        drop(entered);
        self.runtime = Some(runtime);
        let keys = keys?;
        let ring = keys.key_ring();
        self.keys.push(keys);
        Ok(ring)
    }

    /// Waits until there are keys, up to [`REMOTE_KEYS_WAIT`] in all, and says whose there are none.
    pub(crate) fn wait(&self) {
        let Some(runtime) = &self.runtime else { return };
        runtime.block_on(async {
            let all = async {
                for keys in &self.keys {
                    keys.ready().await;
                }
            };
            let _ = timeout(REMOTE_KEYS_WAIT, all).await;
        });
        for keys in self.keys.iter().filter(|keys| !keys.health().is_serving()) {
            let cause =
                keys.health().last_failure.map_or_else(|| "no answer".to_owned(), |failure| failure.error.to_string());
            error::warn(&format!("no keys of {} yet, so that its tokens are rejected: {cause}", keys.name()));
        }
    }

    /// Verifies as of now. A token under a key that is not known yet waits for one fetch of its issuer's keys.
    pub(crate) fn verify(&self, engine: &Engine, request: &Request<'_>) -> Result<Principal, Rejection> {
        match &self.runtime {
            Some(runtime) => runtime.block_on(verify_or_refresh(engine, request)),
            None => engine.verify_request(request),
        }
    }
}
