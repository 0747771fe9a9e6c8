use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Weak};

use deadpool_postgres::Pool;
use tokio::sync::Semaphore;
use tollgate_storage::StorageError;

use crate::audit_queue::AuditQueue;
use crate::barrier::Barrier;
use crate::config::PostgresConfig;
use crate::connection::{Connector, location};
use crate::limits::MAX_WAITING_WRITERS;
use crate::listener::Listener;
use crate::schema;

/// Keys, clients and revocations in a PostgreSQL database, and the feed of their changes.
///
/// An acknowledged change is on the server's disk and, with synchronous standbys, on the disk of one of them. Any number of
/// processes on any number of hosts may use one database. A clone is the same store. Open it in a tokio runtime: tasks of
/// that runtime drive its connections while the store exists. It may be used from other runtimes.
#[derive(Clone)]
pub struct PostgresStore(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) pool: Pool,
    pub(crate) barrier: Barrier,
    /// The end of the log when this store last removed old changes.
    pub(crate) compacted_at: AtomicU64,
    pub(crate) writers: Semaphore,
    pub(crate) audit: AuditQueue,
    feed_pool: Pool,
    feed_connector: Connector,
    listener: Listener,
    config: PostgresConfig,
}

impl PostgresStore {
    /// Connects, and migrates the database to the newest schema. The role must own the schema `tollgate`, or be allowed
    /// to create it.
    ///
    /// # Errors
    /// [`StorageError::Location`] if no server can be used, [`StorageError::NewerSchema`] if a newer release has migrated
    /// the database.
    pub async fn open(config: &PostgresConfig) -> Result<Self, StorageError> {
        let connector = Connector::new(config)?;
        let (mut client, _driver) =
            connector.connect(Box::new(|_| {})).await.map_err(|error| location(config, error))?;
        schema::migrate(&mut client).await?;
        let pool = connector.pool()?;
        let (feed_connector, feed_pool) = match &config.feed {
            None => (connector.clone(), pool.clone()),
            Some(replicas) => {
                let replicas = Connector::new(replicas)?;
                (replicas.clone(), replicas.pool()?)
            }
        };
        let audit = |store: &Weak<Inner>| AuditQueue::new(store.clone(), connector.runtime());
        Ok(PostgresStore(Arc::new_cyclic(|store| Inner {
            audit: audit(store),
            pool,
            barrier: Barrier::new(connector.clone()),
            compacted_at: AtomicU64::new(0),
            writers: Semaphore::new(MAX_WAITING_WRITERS),
            feed_pool,
            listener: Listener::new(feed_connector.clone()),
            feed_connector,
            config: config.clone(),
        })))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.0.pool
    }

    pub(crate) fn feed_pool(&self) -> &Pool {
        &self.0.feed_pool
    }

    pub(crate) fn feed_connector(&self) -> &Connector {
        &self.0.feed_connector
    }

    pub(crate) fn listener(&self) -> &Listener {
        &self.0.listener
    }
}

impl From<Arc<Inner>> for PostgresStore {
    fn from(inner: Arc<Inner>) -> Self {
        PostgresStore(inner)
    }
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PostgresStore({})", self.0.config)
    }
}
