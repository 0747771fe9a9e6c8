//! Issuers whose keys are fetched: the runtime for that, and verification with it.

use std::io;

use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tollgate::{IssuerSettings, KeyRing, Principal, Rejection, Request, StatusLists};
use tollgate_remote::{
    ConfigurationError, Health, Introspection, IntrospectionSettings, RemoteKeys, RemoteSettings, StatusListSettings,
    StatusListsBuilder, Verifier,
};
use tollgate_telemetry::Metrics;

use crate::error;
use crate::limits::REMOTE_KEYS_WAIT;

/// The remote issuers of an engine. Fetching ends when they are dropped.
#[derive(Default)]
pub(crate) struct Remote {
    keys: Vec<RemoteKeys>,
    /// Dropped after the keys. `None` if nothing is remote.
    runtime: Option<Runtime>,
    /// Counts their events.
    metrics: Option<Metrics>,
}

/// Why the keys of an issuer cannot be fetched as described.
pub(crate) enum StartError {
    Configuration(ConfigurationError),
    Runtime(io::Error),
}

/// The runtime for async work of a command.
pub(crate) fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(1).enable_all().build()
}

impl Remote {
    pub(crate) fn new(metrics: Option<Metrics>) -> Self {
        Remote { metrics, ..Self::default() }
    }

    /// Starts to fetch the keys of `issuer`.
    pub(crate) fn start(&mut self, issuer: &IssuerSettings, settings: RemoteSettings) -> Result<KeyRing, StartError> {
        let mut remote = RemoteKeys::from_settings(issuer.issuer(), settings).key_uses(issuer.key_uses());
        if let Some(algorithms) = &issuer.algorithms {
            remote = remote.algorithms(algorithms);
        }
        if let Some(metrics) = &self.metrics {
            remote = remote.observer(metrics.remote_observer());
        }
        let keys = self.within_runtime(|| remote.start())?;
        if let Some(metrics) = &self.metrics {
            metrics.watch_keys(&keys);
        }
        let ring = keys.key_ring();
        self.keys.push(keys);
        Ok(ring)
    }

    /// Prepares introspection at the endpoint of `issuer`.
    pub(crate) fn start_introspection(
        &mut self,
        issuer: &str,
        settings: IntrospectionSettings,
    ) -> Result<Introspection, StartError> {
        let introspection = self.within_runtime(|| Introspection::from_settings(settings).start())?;
        if let Some(metrics) = &self.metrics {
            metrics.watch_introspection(issuer, &introspection);
        }
        Ok(introspection)
    }

    /// Prepares to fetch the status lists of `issuer`, which are signed under `keys`.
    pub(crate) fn start_status_lists(
        &mut self,
        issuer: &str,
        keys: KeyRing,
        settings: StatusListSettings,
    ) -> Result<StatusLists, StartError> {
        self.within_runtime(|| StatusListsBuilder::from_settings(issuer, keys, settings).start())
    }

    fn within_runtime<T>(&mut self, start: impl FnOnce() -> Result<T, ConfigurationError>) -> Result<T, StartError> {
        let runtime = match self.runtime.take() {
            Some(runtime) => runtime,
            None => runtime().map_err(StartError::Runtime)?,
        };
        let entered = runtime.enter();
        let started = start().map_err(StartError::Configuration);
        drop(entered);
        self.runtime = Some(runtime);
        started
    }

    /// Waits until there are keys, for at most [`REMOTE_KEYS_WAIT`] in all, and warns of issuers without keys.
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

    /// The health of the fetches, in the order in which they were started.
    pub(crate) fn healths(&self) -> impl Iterator<Item = Health> {
        self.keys.iter().map(RemoteKeys::health)
    }

    /// Verifies at `now`, or by the engine's clock. A token under an unknown key waits for one fetch of its issuer's
    /// keys, and the issuer of an opaque token is asked about it.
    pub(crate) fn verify(
        &self,
        verifier: &Verifier,
        request: &Request<'_>,
        now: Option<i64>,
    ) -> Result<Principal, Rejection> {
        let Some(runtime) = &self.runtime else {
            let engine = verifier.engine();
            return now.map_or_else(|| engine.verify_request(request), |now| engine.verify_request_at(request, now));
        };
        runtime.block_on(async {
            match now {
                Some(now) => verifier.verify_request_at(request, now).await,
                None => verifier.verify_request(request).await,
            }
        })
    }
}
