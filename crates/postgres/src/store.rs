use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use deadpool_postgres::Pool;
use tokio::sync::Semaphore;
use tollgate_storage::StorageError;

use crate::barrier::Barrier;
use crate::config::PostgresConfig;
use crate::connection::{Connector, location};
use crate::limits::MAX_WAITING_WRITERS;
use crate::listener::Listener;
use crate::schema;

/// Keys, clients and revocations in a PostgreSQL database, and the feed of their changes.
///
/// What is acknowledged is on the disk of the server and, with synchronous standbys, of one of them. Any number of processes on any
/// number of hosts may use one database. A clone is the same store. It has to be opened in a tokio runtime, whose tasks drive its
/// connections for as long as it is used; it may be used from others.
#[derive(Clone)]
pub struct PostgresStore(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) pool: Pool,
    pub(crate) barrier: Barrier,
    /// Where the log ended when the changes beyond those that are kept were last removed from here.
    pub(crate) compacted_at: AtomicU64,
    pub(crate) writers: Semaphore,
    feed_pool: Pool,
    feed_connector: Connector,
    listener: Listener,
    config: PostgresConfig,
}

impl PostgresStore {
    /// Connects, and brings the database to the newest schema. The role has to own the schema `tollgate` in it, or be allowed to
    /// create it.
    ///
    /// # Errors
    /// [`StorageError::Location`] when no server can be used, [`StorageError::NewerSchema`] when a newer release has been here.
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
        Ok(PostgresStore(Arc::new(Inner {
            pool,
            barrier: Barrier::new(connector),
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

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PostgresStore({})", self.0.config)
    }
}
