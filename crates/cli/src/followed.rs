//! A store that is followed while credentials are verified.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tollgate::{ApiKeyTable, KeyRecord, Revocations};
use tollgate_storage::limits::DEFAULT_MAX_STALENESS;
use tollgate_storage::{Follower, FollowerThread, Progress};

use crate::error::{self, CommandError};
use crate::store_options::{self, FormatOption, PepperOption, Store};
use crate::stream::progress::key_bar;

/// The store, and the digests of keys in it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoreConfiguration {
    pub(crate) file: PathBuf,
    pub(crate) pepper_file: Option<PathBuf>,
    pub(crate) prefix: Option<String>,
    pub(crate) env: Option<String>,
    /// The age, in seconds, at which the store's state is stale when it can no longer be followed.
    pub(crate) max_staleness: Option<NonZeroU32>,
}

/// The tables of a store, which are kept in sync with it until this is dropped.
pub(crate) struct Followed {
    pub(crate) api_keys: Arc<ApiKeyTable<KeyRecord>>,
    pub(crate) revocations: Revocations,
    /// The store's name, without a password.
    pub(crate) name: String,
    /// The follower's progress.
    pub(crate) progress: Arc<Progress>,
    _thread: FollowerThread,
    /// Its runtime drives the connections of the store. Dropped after the thread that uses them.
    _store: Store,
}

impl StoreConfiguration {
    /// Reads the store and starts to follow it.
    pub(crate) fn follow(&self) -> Result<Followed, CommandError> {
        let pepper = PepperOption { pepper_file: self.pepper_file.clone() }.read()?;
        let store = store_options::open(self.file.clone())?;
        let format = FormatOption { prefix: self.prefix.clone(), env: self.env.clone() }.format(Some(&store))?;
        let count = store.wait(store.key_count())?;
        let table = ApiKeyTable::builder(format).capacity(count).pepper(pepper).build();
        let (api_keys, revocations) = (Arc::new(table), Revocations::new());
        let max_staleness = self.max_staleness.map(|seconds| Duration::from_secs(seconds.get().into()));
        let mut follower = Follower::new(store.shared(), api_keys.clone(), revocations.clone())
            .max_staleness(max_staleness.unwrap_or(DEFAULT_MAX_STALENESS));
        let bar = key_bar(count as u64);
        let shown = bar.clone();
        let loaded = store.wait(follower.load(move |keys| shown.set_position(keys)));
        bar.finish_and_clear();
        loaded?;
        let (name, progress) = (store.name(), follower.progress().clone());
        let reported = name.clone();
        let thread = follower.spawn_reporting(move |failure| {
            error::warn(&format!("{reported}: {failure}; what was changed since is not known yet"));
        });
        let thread = thread.map_err(|source| store.failed(source))?;
        Ok(Followed { api_keys, revocations, name, progress, _thread: thread, _store: store })
    }
}
