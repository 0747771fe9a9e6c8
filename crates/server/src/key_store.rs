//! API keys, clients and revocations: the store that other processes may write too, and the tables that this process's
//! engine reads, which a thread keeps in step with it.

use crate::config::Config;
use crate::error::ServerError;
use crate::ids::now;
use crate::limits::IN_FORCE_WAIT;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tollgate::{ApiKey, ApiKeyTable, KeyFormat, KeyRecord, Revocations};
use tollgate_store::{Follower, FollowerThread, Lag, Store, StoreError, StoredKey};

/// The store, followed.
pub(crate) struct KeyStore {
    pub(crate) store: Arc<Store>,
    table: Arc<ApiKeyTable<KeyRecord>>,
    revocations: Revocations,
    format: KeyFormat,
    follower: FollowerThread,
}

/// How a process stands to the store that it follows.
pub(crate) struct Status {
    /// The number of the last change that its engine goes by.
    pub(crate) applied: u64,
    /// Changes that are known and not applied yet.
    pub(crate) behind: u64,
    /// How long ago all that was known was applied.
    pub(crate) since_in_step: Duration,
    /// Failed attempts to read the store since the last that worked.
    pub(crate) failures: u64,
    /// Records in memory: keys, secrets and opaque tokens.
    pub(crate) keys: usize,
    /// Revocations in memory.
    pub(crate) revocations: usize,
}

/// A key that was just made, with its secret: the only time that it is to be had.
#[derive(Debug)]
pub struct NewKey {
    /// What the store keeps of it.
    pub stored: StoredKey,
    /// The secret.
    pub secret: ApiKey,
}

impl KeyStore {
    /// Opens the store in `folder`, loads everything in it, and follows it from then on. What has expired is freed every
    /// [`upkeep_interval`](Config::upkeep_interval).
    pub(crate) fn open(folder: &Path, config: &Config) -> Result<Self, ServerError> {
        let store = Arc::new(Store::open(folder)?);
        let format = config.key_format.clone().map_or_else(|| format_in(&store), Ok)?;
        let table = ApiKeyTable::builder(format.clone()).capacity(store.key_count()?).pepper(config.pepper.clone());
        let table = Arc::new(table.build());
        let revocations = Revocations::new();
        let follower = Follower::new(Arc::clone(&store), Arc::clone(&table), revocations.clone());
        let mut follower = follower.reclaim_every(config.upkeep_interval).max_staleness(config.max_staleness);
        // Before anything is answered: what is revoked in the store is revoked here from the first request on.
        follower.catch_up()?;
        let follower = follower.spawn_reporting(|error: &StoreError| {
            tracing::error!(code = error.code(), "the store could not be followed: {error}");
        });
        Ok(Self { store, table, revocations, format, follower })
    }

    /// What an engine is to read.
    pub(crate) fn tables(&self) -> (Arc<ApiKeyTable<KeyRecord>>, Revocations) {
        (Arc::clone(&self.table), self.revocations.clone())
    }

    /// How this process stands to the store.
    pub(crate) fn status(&self) -> Status {
        let (applied, Lag { changes, since_in_step, failures, .. }) =
            (self.follower.progress().applied().unwrap_or(0), self.follower.lag());
        Status {
            applied,
            behind: changes,
            since_in_step: since_in_step.unwrap_or_default(),
            failures,
            keys: self.table.len(),
            revocations: self.revocations.len(),
        }
    }

    /// How long ago all that was known of the store was applied.
    pub(crate) fn since_in_step(&self) -> Duration {
        self.follower.lag().since_in_step.unwrap_or_default()
    }

    /// Makes a key, a client's secret or an opaque token; it is nowhere but in the result yet.
    pub(crate) fn make(&self, record: impl Into<KeyRecord>) -> Result<NewKey, ServerError> {
        let secret = ApiKey::generate(&self.format).map_err(|_| ServerError::NoRandomness)?;
        Ok(NewKey { stored: StoredKey::native(&self.format, &secret, record).made_at(now()), secret })
    }

    /// Returns when this process's engine goes by the change of that number: nothing is answered before.
    pub(crate) fn in_force(&self, change: u64) -> Result<(), ServerError> {
        if self.follower.wait_for(change, IN_FORCE_WAIT) { Ok(()) } else { Err(ServerError::NotInForce) }
    }

    /// Adds a key that takes the place of `old`, with the same powers, and lets the old one end after `overlap` seconds.
    /// `None` when there is no old one that is not revoked.
    pub(crate) fn rotate(&self, old: &StoredKey, new: KeyRecord, overlap: i64) -> Result<Option<NewKey>, ServerError> {
        let ends_at = now().saturating_add(overlap);
        let new = self.make(new)?;
        match self.store.rotate_key(old.record.id(), &new.stored, ends_at) {
            Ok(Some(change)) => {
                self.in_force(change)?;
                Ok(Some(new))
            }
            Ok(None) | Err(StoreError::KeyRevoked) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// What the keys of a store begin with, as the first of them says.
fn format_in(store: &Store) -> Result<KeyFormat, ServerError> {
    let first = store.first_format()?;
    // Neither prefix nor environment holds an underscore.
    let labels = first.as_deref().and_then(|head| head.strip_suffix('_')?.split_once('_'));
    let (prefix, environment) = labels.unwrap_or((KEY_PREFIX, KEY_ENVIRONMENT));
    KeyFormat::new(prefix, environment).map_err(|_| ServerError::KeyFormat)
}

const KEY_PREFIX: &str = "tg";
const KEY_ENVIRONMENT: &str = "live";
