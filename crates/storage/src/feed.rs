use crate::client::Client;
use crate::error::StorageError;
use crate::key::StoredKey;
use crate::revocation::{RevocationKind, StoredRevocation};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use tollgate::Digest;

/// What engines follow: an ordered log of changes, with snapshots.
///
/// A change says how a thing is, not how it became so: applying a change twice, or a later one first, ends in the same state. So a
/// feed may leave out a change that a later one made void, and may give at each change the thing as it is by now.
///
/// Changes are read in the order of commits, and none is skipped. A reader may be a replica of what is written elsewhere.
#[async_trait]
pub trait KeyFeed: Send + Sync + 'static {
    /// The changes after `after`, in order, at most `max`.
    ///
    /// # Errors
    /// When the log cannot be read.
    async fn changes_after(&self, after: Position, max: usize) -> Result<Since, StorageError>;

    /// Waits until the log ends elsewhere than at `after`, at most `timeout`. Returns whether it does. Needs a tokio runtime with its
    /// timer.
    ///
    /// # Errors
    /// When the log cannot be read.
    async fn wait_after(&self, after: Position, timeout: Duration) -> Result<bool, StorageError>;

    /// Calls `visit` with the changes that make the whole state from nothing, some at a time, and returns the position as of which
    /// they do. All of them are of one committed state.
    ///
    /// Every revocation comes before the first key, so that no key is seen without the revocation that concerns it. Keys may
    /// come from several threads at once.
    ///
    /// # Errors
    /// When the log cannot be read; `visit` may have been called by then.
    async fn snapshot(&self, visit: Visit) -> Result<Position, StorageError>;

    /// Commits a change that changes nothing, so that whoever applies it knows that the log still reaches it.
    ///
    /// # Errors
    /// When nothing can be written.
    async fn heartbeat(&self) -> Result<(), StorageError>;
}

/// Gets some changes of a snapshot.
pub type Visit = Arc<dyn Fn(Vec<Change>) + Send + Sync>;

/// A place in the log.
///
/// Numbers go up with each commit. The tag is random, made with the change: a position is good only while the log holds its number
/// with its tag, so that a restored copy or a history lost in a failover shows even when as many changes were made again.
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

/// How one thing is from now on.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// The key is so.
    Key(StoredKey),
    /// There is no key of this digest.
    KeyRemoved {
        /// The digest of its secret.
        digest: Digest,
    },
    /// The client is so.
    Client(Client),
    /// There is no client of this id.
    ClientRemoved {
        /// The `client_id`.
        id: String,
    },
    /// This is revoked, so and no further.
    Revocation(StoredRevocation),
    /// This is not revoked.
    RevocationRemoved {
        /// What kind of name it is.
        kind: RevocationKind,
        /// Whose name it is.
        issuer: Box<str>,
        /// The name.
        name: Box<str>,
    },
    /// A record cannot be decoded. The feed goes on; the key, if it is one, is not accepted.
    Unreadable {
        /// The table it is in.
        table: &'static str,
        /// Which row.
        row: String,
        /// The digest of the key, if it is a key and that much can be read.
        digest: Option<Digest>,
    },
}

/// What a reader of the log is told.
#[derive(Debug)]
pub enum Since {
    /// What has changed.
    Changes(Changes),
    /// The log does not hold the position: the reader has to begin with a snapshot.
    Compacted,
}

/// Changes in their order.
#[derive(Debug)]
pub struct Changes {
    /// Each with its number. A heartbeat is not among them.
    pub changes: Vec<(u64, Change)>,
    /// Up to which position they go; the next read is after this one.
    pub through: Position,
    /// The number of the last change there is.
    pub latest: u64,
}
