use crate::client::Client;
use crate::error::StorageError;
use parking_lot::RwLock;
use std::collections::HashMap;
use std::sync::Arc;

/// The registered clients of a store, as a [`Follower`](crate::Follower) keeps them in memory. Clones share one table.
///
/// A look-up never waits for the store. A client takes some hundred bytes, and at most the limits of its fields
/// ([`limits`](crate::limits)); the number of clients is up to the operator, who registers them.
///
/// The table is as fresh as the follower's [`Revocations`](tollgate::Revocations): a caller that needs to know of every
/// change checks [`are_fresh`](tollgate::Revocations::are_fresh) first.
#[derive(Clone, Debug, Default)]
pub struct RegisteredClients(Arc<RwLock<Clients>>);

/// By their ids; `None` for a client whose record cannot be decoded.
pub(crate) type Clients = HashMap<Box<str>, Option<Arc<Client>>>;

impl RegisteredClients {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The client of that id.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] if its record cannot be decoded. It is registered all the same.
    pub fn client(&self, id: &str) -> Result<Option<Arc<Client>>, StorageError> {
        match self.0.read().get(id) {
            None => Ok(None),
            Some(Some(client)) => Ok(Some(Arc::clone(client))),
            Some(None) => Err(StorageError::Corrupt { table: "clients", row: id.to_owned() }),
        }
    }

    /// The number of clients.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.read().len()
    }

    /// Whether there is no client.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.read().is_empty()
    }

    pub(crate) fn put_all(&self, clients: Clients) {
        self.0.write().extend(clients);
    }

    pub(crate) fn remove(&self, id: &str) {
        self.0.write().remove(id);
    }

    pub(crate) fn replace_all(&self, clients: Clients) {
        // The lock is released before the old table is dropped.
        let _old = std::mem::replace(&mut *self.0.write(), clients);
    }
}
