use crate::client::Client;
use crate::key::StoredKey;
use crate::revocation::{RevocationKind, StoredRevocation};
use std::time::Duration;
use tollgate::Digest;

/// What a store has to be able to do so that engines can follow it: an ordered log of changes with snapshots.
///
/// Every change has a number; numbers go up and are never given twice, but some may be missing. A change says how a thing
/// is, not how it became so: to apply one twice, or to apply a later one first, ends in the same state. So a store may leave
/// out of what it gives a change that a later one makes void, and may give at each change the thing as it is by now.
///
/// [`Store`](crate::Store) is the one for a single host. One that is spread over many has these five things to provide and
/// nothing else; [`Follower`](crate::Follower) works with any.
pub trait ChangeLog: Send + Sync + 'static {
    /// Why something failed.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Appends changes, all or none, and returns the number of the last. What has been acknowledged so survives a crash.
    /// Without changes: the number of the last there was.
    ///
    /// # Errors
    /// When the changes are malformed, contradict what is there, or cannot be made durable.
    fn append(&self, changes: &[Change]) -> Result<u64, Self::Error>;

    /// The changes with numbers above `after`, in order, at most `max` numbers.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn changes_after(&self, after: u64, max: usize) -> Result<Since, Self::Error>;

    /// Waits until there is a change above `after`, at most `timeout`. Returns whether there is, or whether the log ends
    /// before `after`, because an older copy of it was restored: [`changes_after`](Self::changes_after) then says
    /// [`Since::Compacted`].
    ///
    /// # Errors
    /// When the log cannot be read.
    fn wait_after(&self, after: u64, timeout: Duration) -> Result<bool, Self::Error>;

    /// Calls `visit` with the changes that make everything out of nothing, some at a time, and returns the number as of which
    /// they do.
    ///
    /// Every revocation comes before the first key, so that no key is seen without the revocation that concerns it. Keys
    /// may come from several threads at once.
    ///
    /// # Errors
    /// When the log cannot be read; `visit` may have been called by then.
    fn snapshot(&self, visit: &(dyn Fn(Vec<Change>) + Sync)) -> Result<u64, Self::Error>;
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
}

/// What a reader of the log is told.
#[derive(Debug)]
pub enum Since {
    /// What has changed.
    Changes(Changes),
    /// The log does not reach back so far, or not up to there: the reader has to begin with a snapshot.
    Compacted,
}

/// Changes in their order.
#[derive(Debug)]
pub struct Changes {
    /// Each with its number.
    pub changes: Vec<(u64, Change)>,
    /// Up to which number they go; the next read is after this one.
    pub through: u64,
    /// The number of the last change there is.
    pub latest: u64,
}
