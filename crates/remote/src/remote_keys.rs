use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;
use tollgate_keys::KeyRing;

use crate::builder::RemoteKeysBuilder;
use crate::health::{Health, Status};
use crate::settings::{Discovery, RemoteSettings};
use crate::task::Task;

/// The keys of one issuer, fetched from its published location and kept up to date by a background task.
///
/// Verifiers read the [`key_ring`](Self::key_ring) and never wait for a fetch. Clones share one remote set. The task
/// runs until all clones and the ring are dropped; an engine holds the rings of its issuers. [`stop`](Self::stop) ends
/// the task earlier.
///
/// [`Clocks`](crate::Clocks) defines the guaranteed times. The crate's documentation describes what happens when the
/// provider misbehaves.
#[derive(Clone)]
#[must_use = "nothing is fetched for a ring that nobody holds"]
pub struct RemoteKeys {
    pub(crate) name: Arc<str>,
    pub(crate) ring: KeyRing,
    pub(crate) health: watch::Receiver<Health>,
    pub(crate) task: Arc<Task>,
}

impl RemoteKeys {
    /// Configures keys from the JWK set at `uri` (RFC 7517 section 5).
    pub fn from_jwks_uri(uri: &str) -> RemoteKeysBuilder {
        let settings = RemoteSettings { jwks_uri: Some(uri.to_owned()), ..RemoteSettings::default() };
        RemoteKeysBuilder::new("", settings)
    }

    /// Configures keys from the certificates at `uri`: a JSON object that maps key ids to certificates in PEM, as
    /// Firebase and Google publish instead of a JWK set.
    ///
    /// Only a certificate's public key is used: the operator who configures the URI vouches for the document, as for a
    /// JWK set. Dates, names and signatures of the certificates are not checked.
    pub fn from_x509_uri(uri: &str) -> RemoteKeysBuilder {
        let settings = RemoteSettings { x509: Some(uri.to_owned()), ..RemoteSettings::default() };
        RemoteKeysBuilder::new("", settings)
    }

    /// Configures keys from the JWK set in the metadata of an OpenID provider (OpenID Connect Discovery 1.0 section 4).
    /// `issuer` is the `iss` of its tokens, and the metadata's issuer must equal it exactly.
    pub fn from_openid_issuer(issuer: &str) -> RemoteKeysBuilder {
        let settings = RemoteSettings { discovery: Some(Discovery::OpenId), ..RemoteSettings::default() };
        RemoteKeysBuilder::new(issuer, settings)
    }

    /// Configures keys from the JWK set in the metadata of an OAuth 2.0 authorization server (RFC 8414 section 3).
    /// `issuer` is the `iss` of its tokens, and the metadata's issuer must equal it exactly.
    pub fn from_authorization_server(issuer: &str) -> RemoteKeysBuilder {
        let settings = RemoteSettings { discovery: Some(Discovery::OAuth), ..RemoteSettings::default() };
        RemoteKeysBuilder::new(issuer, settings)
    }

    /// Configures the keys of `issuer` from `settings`, which may come from a configuration file.
    pub fn from_settings(issuer: &str, settings: RemoteSettings) -> RemoteKeysBuilder {
        RemoteKeysBuilder::new(issuer, settings)
    }

    /// The configured URI, or the issuer if the keys are discovered.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The ring in which the keys are published: for [`Issuer::keys`](tollgate::Issuer::keys).
    #[must_use]
    pub fn key_ring(&self) -> KeyRing {
        self.ring.clone()
    }

    /// The current state.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.borrow().clone()
    }

    /// Watches the state, which changes after every fetch and when a clock ends.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }

    /// Ends the task and empties the ring, also for engines that use it: nothing would enforce the provider's
    /// revocations any more.
    pub fn stop(&self) {
        self.task.stop();
    }

    /// Waits until there are keys, from the provider or saved ones. Without a provider the wait may never end: limit it
    /// with [`tokio::time::timeout`]. Preferably start without keys, which are used as soon as they arrive.
    pub async fn ready(&self) {
        let mut health = self.health.clone();
        let ready = health.wait_for(|health| health.is_serving() || health.status == Status::Stopped).await;
        // The sender is dropped only with the runtime, and then this wait does not continue.
        drop(ready);
    }
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeys").field("name", &self.name).field("health", &*self.health.borrow()).finish()
    }
}
