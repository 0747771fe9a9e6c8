//! API keys, clients and revocations: the store that other processes may write too, and the tables that this process
//! reads, which a thread keeps in sync with it.

use crate::audit;
use crate::config::Config;
use crate::error::ServerError;
use crate::ids::now;
use crate::limits::IN_FORCE_WAIT;
use crate::undelivered::{self, Made};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tollgate::{ApiKey, ApiKeyTable, KeyFormat, KeyRecord, Revocations};
use tollgate_storage::{
    Actor, Client, Command, Follower, FollowerThread, KeyStore, Lag, Progress, RegisteredClients, StorageError,
    StoredKey,
};

/// The store, followed.
pub(crate) struct FollowedStore {
    pub(crate) store: Arc<dyn KeyStore>,
    runtime: Handle,
    table: Arc<ApiKeyTable<KeyRecord>>,
    revocations: Revocations,
    clients: RegisteredClients,
    format: KeyFormat,
    follower: FollowerThread,
    /// How long an answer waits for the follower.
    in_force_wait: Duration,
}

/// How a process stands to the store that it follows.
pub(crate) struct Status {
    /// The number of the last change that its engine goes by.
    pub(crate) applied: u64,
    /// Changes that are known and not applied yet.
    pub(crate) behind: u64,
    /// The age of the newest change or heartbeat that was applied.
    pub(crate) since_in_sync: Duration,
    /// Failed attempts to read the store since the last that worked.
    pub(crate) failures: u64,
    /// Failed attempts to write to it since the last that worked.
    pub(crate) failed_heartbeats: u64,
    /// How often following it has panicked.
    pub(crate) panics: u64,
    /// Records in it that cannot be read.
    pub(crate) unreadable: u64,
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

impl FollowedStore {
    /// Loads everything in the store, and follows it from then on. What has expired is freed every
    /// [`upkeep_interval`](Config::upkeep_interval). Blocks, on a thread of a runtime where that is allowed.
    pub(crate) fn open(store: Arc<dyn KeyStore>, config: &Config) -> Result<Self, ServerError> {
        let runtime = Handle::current();
        let first_format = runtime.block_on(store.first_format())?;
        let format = config.key_format.clone().map_or_else(|| format_of(first_format.as_deref()), Ok)?;
        let capacity = runtime.block_on(store.key_count())?;
        let table = ApiKeyTable::builder(format.clone()).capacity(capacity).pepper(config.pepper.clone());
        let table = Arc::new(table.build());
        let (revocations, clients) = (Revocations::new(), RegisteredClients::new());
        let follower = Follower::new(store.clone(), Arc::clone(&table), revocations.clone()).clients(clients.clone());
        let mut follower = follower.reclaim_every(config.upkeep_interval).max_staleness(config.max_staleness);
        // Before anything is answered: what is revoked in the store is revoked here from the first request on.
        runtime.block_on(follower.catch_up())?;
        if let Some(error) = follower.progress().last_unreadable() {
            tracing::error!(
                code = error.code(),
                records = follower.progress().lag().unreadable,
                "not accepted: {error}"
            );
        }
        let follower = follower.spawn_reporting(|error: &StorageError| {
            tracing::error!(code = error.code(), "the store could not be followed: {error}");
        })?;
        let in_force_wait = IN_FORCE_WAIT.min(config.request_timeout);
        Ok(Self { store, runtime, table, revocations, clients, format, follower, in_force_wait })
    }

    /// What an engine is to read.
    pub(crate) fn tables(&self) -> (Arc<ApiKeyTable<KeyRecord>>, Revocations) {
        (Arc::clone(&self.table), self.revocations.clone())
    }

    pub(crate) fn progress(&self) -> &Arc<Progress> {
        self.follower.progress()
    }

    /// How this process stands to the store.
    pub(crate) fn status(&self) -> Status {
        let Lag { changes, since_in_sync, failures, failed_heartbeats, panics, unreadable, .. } = self.follower.lag();
        Status {
            applied: self.follower.progress().applied().unwrap_or(0),
            behind: changes,
            since_in_sync: since_in_sync.unwrap_or_default(),
            failures,
            failed_heartbeats,
            panics,
            unreadable,
            keys: self.table.len(),
            revocations: self.revocations.len(),
        }
    }

    /// The client of that id, in memory. As with keys, a change by this process counts when it is answered, one by another process when
    /// the follower has applied it, and nothing is answered while too much may have changed.
    ///
    /// # Errors
    /// [`ServerError::StaleClients`] while the store cannot be followed; [`StorageError::Corrupt`].
    pub(crate) fn client(&self, id: &str) -> Result<Option<Arc<Client>>, ServerError> {
        if !self.revocations.are_fresh() {
            return Err(ServerError::StaleClients);
        }
        Ok(self.clients.client(id)?)
    }

    /// Waits for an answer of the store. Blocks.
    pub(crate) fn wait<T>(&self, answer: impl Future<Output = T>) -> T {
        self.runtime.block_on(answer)
    }

    /// Runs a command for the caller of the request; returns when this process's engine has applied it. Blocks.
    pub(crate) fn run(&self, command: Command) -> Result<u64, ServerError> {
        self.run_for(&audit::caller(), command)
    }

    /// As [`run`](Self::run), for somebody.
    pub(crate) fn run_for(&self, caller: &Actor, command: Command) -> Result<u64, ServerError> {
        let (changed, position) = self.wait(self.store.run(command.by(caller)?))?;
        self.in_force(position.number)?;
        Ok(changed)
    }

    /// Runs commands in one step; returns when this process's engine goes by them. Blocks.
    pub(crate) fn run_all(&self, commands: Vec<Command>) -> Result<(), ServerError> {
        let caller = audit::caller();
        let commands = commands.into_iter().map(|command| command.by(&caller)).collect::<Result<_, _>>()?;
        let executed = self.wait(self.store.execute(commands))?;
        executed.outcomes.into_iter().try_for_each(|outcome| outcome.map(drop)).map_err(StorageError::from)?;
        self.in_force(executed.position.number)
    }

    /// Makes a key, a client's secret or an opaque token; it is nowhere but in the result yet.
    pub(crate) fn make(&self, record: impl Into<KeyRecord>) -> Result<NewKey, ServerError> {
        let secret = ApiKey::generate(&self.format).map_err(|_| ServerError::NoRandomness)?;
        let stored = StoredKey::native(&self.format, &secret, record).made_at(now());
        undelivered::note(Made::Key(stored.record.id().to_owned()));
        Ok(NewKey { stored, secret })
    }

    /// Returns when this process's engine has applied the change of that number: nothing is answered before.
    pub(crate) fn in_force(&self, change: u64) -> Result<(), ServerError> {
        if self.follower.wait_for(change, self.in_force_wait) { Ok(()) } else { Err(ServerError::NotInForce) }
    }

    /// Adds a key that takes the place of `old`, and lets the old one end after `overlap` seconds. Refused unless the old one is
    /// active and was not rotated before.
    pub(crate) fn rotate(&self, old: &StoredKey, new: KeyRecord, overlap: i64) -> Result<NewKey, ServerError> {
        let new = self.make(new)?;
        self.run(Command::RotateKey {
            id: old.record.id().to_owned(),
            new: new.stored.clone(),
            overlap_ends_at: new.stored.created_at.saturating_add(overlap),
        })?;
        Ok(new)
    }
}

/// What the keys of a store begin with, as the first of them says.
fn format_of(first: Option<&str>) -> Result<KeyFormat, ServerError> {
    // Neither prefix nor environment holds an underscore.
    let labels = first.and_then(|head| head.strip_suffix('_')?.split_once('_'));
    let (prefix, environment) = labels.unwrap_or((KEY_PREFIX, KEY_ENVIRONMENT));
    KeyFormat::new(prefix, environment).map_err(|_| ServerError::KeyFormat)
}

const KEY_PREFIX: &str = "tg";
const KEY_ENVIRONMENT: &str = "live";
