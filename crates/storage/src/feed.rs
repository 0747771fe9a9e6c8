use crate::client::Client;
use crate::error::StorageError;
use crate::key::StoredKey;
use crate::revocation::{RevocationKind, StoredRevocation};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use tollgate::Digest;

/// An ordered log of changes with snapshots, for followers.
///
/// A change has the state of a record, not the transition: applying a change twice, or a later one first, has the same
/// result. So a feed may omit a change that a later one superseded, and may return the current state of a record at each of
/// its changes.
///
/// Changes are read in the order of commits, and none is skipped. A reader may read from a replica.
#[async_trait]
pub trait KeyFeed: Send + Sync + 'static {
    /// The changes after `after`, in order, at most `max`.
    ///
    /// # Errors
    /// When the log cannot be read.
    async fn changes_after(&self, after: Position, max: usize) -> Result<Since, StorageError>;

    /// Waits, at most `timeout`, until the end of the log differs from `after`. Returns whether it does. Needs a tokio
    /// runtime with its timer.
    ///
    /// # Errors
    /// When the log cannot be read.
    async fn wait_after(&self, after: Position, timeout: Duration) -> Result<bool, StorageError>;

    /// Passes the complete state to `visit`, in batches of changes, and returns the position of the state. All changes
    /// are of one committed state.
    ///
    /// Every revocation and every client comes before the first key, so that no key is visible without its revocation, and
    /// no secret without its client. Keys may come from several threads at once.
    ///
    /// # Errors
    /// When the log cannot be read. `visit` may have been called.
    async fn snapshot(&self, visit: Visit) -> Result<Position, StorageError>;

    /// Commits a change without content, a heartbeat, which shows followers that the log still reaches them.
    ///
    /// # Errors
    /// When nothing can be written.
    async fn heartbeat(&self) -> Result<(), StorageError>;
}

/// Receives batches of changes of a snapshot.
pub type Visit = Arc<dyn Fn(Vec<Change>) + Send + Sync>;

/// A position in the log.
///
/// Numbers increase with each commit. The tag is random and made with the change: a position is valid only while the log
/// holds its number with its tag. This detects a restored copy, or a history lost in a failover, even if the same number of
/// changes was made again.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Position {
    /// The number of the change; 0 before the first.
    pub number: u64,
    /// The tag of the change; 0 before the first.
    pub tag: u64,
}

impl Position {
    /// Before the first change.
    pub const START: Self = Self { number: 0, tag: 0 };
}

/// The new state of one record.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// The key has this state.
    Key(StoredKey),
    /// No key has this digest.
    KeyRemoved {
        /// The digest of the removed key's secret.
        digest: Digest,
    },
    /// The client has this state.
    Client(Client),
    /// No client has this id.
    ClientRemoved {
        /// The `client_id`.
        id: String,
    },
    /// The name has exactly this revocation.
    Revocation(StoredRevocation),
    /// The name is not revoked.
    RevocationRemoved {
        /// The kind of the name.
        kind: RevocationKind,
        /// The issuer of the name.
        issuer: Box<str>,
        /// The name.
        name: Box<str>,
    },
    /// A record cannot be decoded. The feed continues; a key is then not accepted, and a client is still
    /// registered.
    Unreadable {
        /// The table.
        table: &'static str,
        /// The row.
        row: String,
        /// The digest of the key, if the record is a key with a readable digest.
        digest: Option<Digest>,
        /// The id of the client, if the record is a client.
        client_id: Option<String>,
    },
}

/// The result of reading the log.
#[derive(Debug)]
pub enum Since {
    /// The changes.
    Changes(Changes),
    /// The log does not hold the position: the reader must begin with a snapshot.
    Compacted,
}

/// Changes in order.
#[derive(Debug)]
pub struct Changes {
    /// The changes with their numbers. Heartbeats are left out.
    pub changes: Vec<(u64, Change)>,
    /// Their last position, from which the next read continues.
    pub through: Position,
    /// The number of the last change in the log.
    pub latest: u64,
}
