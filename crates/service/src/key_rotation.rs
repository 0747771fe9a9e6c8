use crate::error::ServerError;
use crate::ids::now;
use crate::keys::{SealingKeyFile, SigningKeyStore};
use crate::store::StoreUrl;
use std::path::Path;
use tollgate_issuer::PublishedKey;
use tollgate_storage::Actor;

/// The signing keys of a service, in its store, beside whichever processes serve it. These apply a change within a minute.
///
/// ```
/// use tollgate_service::{KeyRotation, StoreUrl};
/// # use std::net::{Ipv4Addr, SocketAddr};
/// # use tollgate_service::{Config, Server};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let store = StoreUrl::from(folder.path());
/// # let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
/// # Server::bind(Config { store: Some(store.clone()), listen, ..Config::default() }).await?;
/// let rotation = KeyRotation::open(&store, None).await?;
/// assert_eq!(rotation.keys().await?.len(), 1);
/// let signs_at = rotation.rotate().await?;
/// assert_eq!(rotation.keys().await?.len(), 2);
/// # Ok(())
/// # }
/// ```
pub struct KeyRotation(SigningKeyStore);

impl KeyRotation {
    /// Opens the store. `sealing_key_file`: as [`Config::sealing_key_file`](crate::Config::sealing_key_file).
    ///
    /// # Errors
    /// As [`StoreUrl::open_accounts`]; [`ServerError::Sealing`] when the sealing keys cannot be read or do not fit.
    pub async fn open(url: &StoreUrl, sealing_key_file: Option<&Path>) -> Result<Self, ServerError> {
        let store = url.open_accounts().await?;
        Ok(Self(SigningKeyStore::open(store, &SealingKeyFile::of(url, sealing_key_file)).await?))
    }

    /// For whom keys are changed, as the audit log has it; otherwise for the service itself.
    #[must_use]
    pub fn by(self, by: Actor) -> Self {
        Self(self.0.by(by))
    }

    /// The published keys: the one that signs, the announced one, and the retired ones, the oldest first.
    ///
    /// # Errors
    /// [`ServerError::NoSigningKeys`] before the service's first start; when the store cannot be read.
    pub async fn keys(&self) -> Result<Vec<PublishedKey>, ServerError> {
        let (_, keys) = self.0.stored().await?.ok_or(ServerError::NoSigningKeys)?;
        Ok(keys.published())
    }

    /// Publishes the next key, which signs as soon as other verifiers can know it, unless one is published already. Returns when it
    /// signs, in seconds since the Unix epoch. No token fails.
    ///
    /// # Errors
    /// As [`keys`](Self::keys); [`ServerError::SigningKeysContended`].
    pub async fn rotate(&self) -> Result<i64, ServerError> {
        self.0.rotate(now(), false).await
    }

    /// Signs with the next key as soon as the processes of the service have applied the change. Verifiers elsewhere reject its tokens
    /// until they fetch the keys again. The last key stays published, as long as its tokens can live.
    ///
    /// # Errors
    /// As [`rotate`](Self::rotate).
    pub async fn rotate_at_once(&self) -> Result<i64, ServerError> {
        self.0.rotate(now(), true).await
    }
}
