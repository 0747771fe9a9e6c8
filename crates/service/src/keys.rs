//! The service's own signing keys: made once, kept in the store, published, and cleared away when they have retired.

use crate::audit;
use crate::error::ServerError;
use crate::sealing::{self, Opened, SealingKeys};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tollgate::Algorithm;
use tollgate_issuer::{SigningKey, SigningKeys};
use tollgate_storage::accounts::StoredSigningKeys;
use tollgate_storage::{AccountStore, AuditRecord};
use zeroize::Zeroizing;

/// The signing keys in the store, encrypted under the keys of a file.
pub(crate) struct SigningKeyStore {
    store: Arc<dyn AccountStore>,
    /// `None`: the signing keys are kept in clear.
    sealing: Option<SealingKeys>,
}

/// Where the sealing keys are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum SealingKeyFile {
    /// In this file, which has to be there.
    Named(PathBuf),
    /// In this file beside the database, which is made with the first signing keys.
    Own(PathBuf),
    /// Nowhere.
    None,
}

impl SigningKeyStore {
    /// Reads the sealing keys, and encrypts what is in the store in clear or under a key that is not the file's first.
    pub(crate) async fn open(store: Arc<dyn AccountStore>, file: &SealingKeyFile) -> Result<Self, ServerError> {
        let sealing = match file {
            SealingKeyFile::Named(file) => Some(SealingKeys::read(file)?),
            SealingKeyFile::Own(file) => Self::own_sealing_keys(&*store, file).await?,
            SealingKeyFile::None => None,
        };
        let opened = Self { store, sealing };
        opened.reseal().await?;
        Ok(opened)
    }

    /// A lost file is not replaced: the signing keys are then to be had from no other.
    async fn own_sealing_keys(store: &dyn AccountStore, file: &Path) -> Result<Option<SealingKeys>, ServerError> {
        if file.exists() {
            return Ok(Some(SealingKeys::read(file)?));
        }
        let is_sealed = store.signing_keys().await?.is_some_and(|stored| sealing::is_sealed(&stored.private_jwks));
        if is_sealed { Ok(None) } else { SealingKeys::make(file).map(Some) }
    }

    /// The keys in the store, or new ones. `overlap`: how long a key stays published after it stopped signing, in seconds.
    pub(crate) async fn signing_keys(&self, overlap: i64) -> Result<SigningKeys, ServerError> {
        for _ in 0..ATTEMPTS {
            if let Some(stored) = self.store.signing_keys().await? {
                let Opened { private_jwks, .. } = self.opened(&stored)?;
                return Ok(SigningKeys::from_private_jwks(&private_jwks)?.with_overlap(overlap)?);
            }
            let keys = SigningKeys::new(SigningKey::generate(Algorithm::ES256)?).with_overlap(overlap)?;
            if self.replace(0, &keys.to_private_jwks()).await? {
                return Ok(keys);
            }
            // Another process was first: take its keys.
        }
        Err(ServerError::SigningKeysContended)
    }

    /// Drops the keys whose overlap has ended, here and in the store. `now`: seconds since the Unix epoch.
    pub(crate) async fn prune(&self, keys: &SigningKeys, now: i64) -> Result<(), ServerError> {
        if keys.prune(now) > 0
            && let Some(stored) = self.store.signing_keys().await?
        {
            // What another process has encrypted does not become readable again.
            self.opened(&stored)?;
            self.replace(stored.version, &keys.to_private_jwks()).await?;
        }
        Ok(())
    }

    async fn reseal(&self) -> Result<(), ServerError> {
        for _ in 0..ATTEMPTS {
            let Some(stored) = self.store.signing_keys().await? else { return Ok(()) };
            let Opened { private_jwks, is_current } = self.opened(&stored)?;
            if is_current || self.replace(stored.version, &private_jwks).await? {
                return Ok(());
            }
        }
        Err(ServerError::SigningKeysContended)
    }

    fn opened(&self, stored: &StoredSigningKeys) -> Result<Opened, ServerError> {
        Ok(sealing::open(self.sealing.as_ref(), stored.version, &stored.private_jwks)?)
    }

    /// Writes the keys in the place of that version, and returns whether the store still had it.
    async fn replace(&self, version: i64, private_jwks: &str) -> Result<bool, ServerError> {
        let sealed = match &self.sealing {
            Some(sealing) => sealing.seal(version + 1, private_jwks)?,
            None => Zeroizing::new(private_jwks.to_owned()),
        };
        let record = AuditRecord::new(&audit::caller(), "signing-keys.write", &(version + 1).to_string())?;
        Ok(self.store.replace_signing_keys(version, &sealed, &record).await?)
    }
}

/// Each failed attempt means that another process wrote in between, which happens once in a folder's life.
const ATTEMPTS: usize = 5;
