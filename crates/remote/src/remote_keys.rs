use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;
use tollgate_keys::KeyRing;

use crate::builder::RemoteKeysBuilder;
use crate::health::{Health, Status};
use crate::settings::{Discovery, RemoteSettings};
use crate::task::Task;

/// The keys of one issuer, fetched from where it publishes them and kept up to date by a task in the background.
///
/// Verifiers read the [`key_ring`](Self::key_ring) and never wait for a fetch. Clones are the same remote set. The task
/// lives as long as anybody holds one of them or the ring, as an engine does whose issuer has it; [`stop`](Self::stop) ends
/// it before.
///
/// [`Clocks`](crate::Clocks) says what is promised for how long; the crate's documentation, what happens when the
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
    /// The JWK set at `uri` (RFC 7517 section 5).
    pub fn from_jwks_uri(uri: &str) -> RemoteKeysBuilder {
        let settings = RemoteSettings { jwks_uri: Some(uri.to_owned()), ..RemoteSettings::default() };
        RemoteKeysBuilder::new("", settings)
    }

    /// The certificates at `uri`: a JSON object from key ids to certificates in PEM, which Firebase and Google publish in
    /// place of a JWK set.
    ///
    /// Of a certificate the public key is used, alone: whoever configures the URI vouches for what is there, as for a JWK
    /// set. Dates, names and signatures of the certificates are not looked at.
    pub fn from_x509_uri(uri: &str) -> RemoteKeysBuilder {
        let settings = RemoteSettings { x509: Some(uri.to_owned()), ..RemoteSettings::default() };
        RemoteKeysBuilder::new("", settings)
    }

    /// The JWK set that the metadata of an OpenID provider names (OpenID Connect Discovery 1.0 section 4). `issuer` is
    /// as in the `iss` of its tokens, and the metadata has to say the same to the letter.
    pub fn from_openid_issuer(issuer: &str) -> RemoteKeysBuilder {
        let settings = RemoteSettings { discovery: Some(Discovery::OpenId), ..RemoteSettings::default() };
        RemoteKeysBuilder::new(issuer, settings)
    }

    /// The JWK set that the metadata of an OAuth 2.0 authorization server names (RFC 8414 section 3). `issuer` is as in
    /// the `iss` of its tokens, and the metadata has to say the same to the letter.
    pub fn from_authorization_server(issuer: &str) -> RemoteKeysBuilder {
        let settings = RemoteSettings { discovery: Some(Discovery::OAuth), ..RemoteSettings::default() };
        RemoteKeysBuilder::new(issuer, settings)
    }

    /// The keys of `issuer` as `settings` say, which may be from a configuration file.
    pub fn from_settings(issuer: &str, settings: RemoteSettings) -> RemoteKeysBuilder {
        RemoteKeysBuilder::new(issuer, settings)
    }

    /// The issuer, or the `jwks_uri` where only that is known.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The ring that the keys are published in: for [`Issuer::keys`](tollgate::Issuer::keys).
    #[must_use]
    pub fn key_ring(&self) -> KeyRing {
        self.ring.clone()
    }

    /// How it fares now.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.borrow().clone()
    }

    /// How it fares, from now on: changes with every fetch that ends and with every clock that does.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }

    /// Ends the task and empties the ring, also for engines that read it: nobody would see any more to what the provider
    /// revokes.
    pub fn stop(&self) {
        self.task.stop();
    }

    /// Waits until there are keys, from the provider or saved ones. Without a provider that may be for ever: bound it
    /// with [`tokio::time::timeout`], and start without keys if you can, for they come as soon as they can be had.
    pub async fn ready(&self) {
        let mut health = self.health.clone();
        let ready = health.wait_for(|health| health.is_serving() || health.status == Status::Stopped).await;
        // The sender is gone when the runtime is, and with it whoever could wait.
        drop(ready);
    }
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeys").field("name", &self.name).field("health", &*self.health.borrow()).finish()
    }
}
