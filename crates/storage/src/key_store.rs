use crate::audit::{AuditLog, AuditRecord};
use crate::client::Client;
use crate::command::{Command, Outcome};
use crate::error::StorageError;
use crate::feed::{KeyFeed, Position};
use crate::key::StoredKey;
use crate::revocation::{RevocationKind, StoredRevocation};
use async_trait::async_trait;
use tollgate::{Digest, KeyKind, KeyState};

/// API keys, clients and revocations: [commands](Command) that change them, look-ups, and the [feed](KeyFeed) of what has changed.
///
/// What was acknowledged is durable: it survives a crash, and with replicas the loss of the primary. The rules are in the commands;
/// an implementation runs them in a [transaction](crate::KeyTransaction) of its own. It has to pass the tests of the
/// feature `conformance`.
#[async_trait]
pub trait KeyStore: KeyFeed + AuditLog {
    /// Runs commands in one transaction, and returns what came of each.
    ///
    /// A command that is refused changes nothing and does not keep the others from being done.
    ///
    /// # Errors
    /// When nothing was done, or ([`StorageError::OutcomeUnknown`]) when it is not known.
    async fn execute(&self, commands: Vec<Command>) -> Result<Executed, StorageError>;

    /// Adds many keys in one transaction, quickly, and returns which were added: those whose id or digest is taken are passed over,
    /// or with [`Existing::Refuse`] fail the whole. `audit` is who asked for it, and is written in the transaction.
    ///
    /// # Errors
    /// [`StorageError::Key`] when one cannot be added; then none is.
    async fn import(
        &self,
        keys: Vec<StoredKey>,
        existing: Existing,
        audit: &AuditRecord,
    ) -> Result<Vec<bool>, StorageError>;

    /// Forgets all changes but the last `kept`, which is taken for at least 1; a reader that is further behind has to begin with a
    /// snapshot. Returns how many were forgotten. Every write does this for [`CHANGES_KEPT`](crate::limits::CHANGES_KEPT).
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn compact(&self, kept: u64) -> Result<u64, StorageError>;

    /// Removes the opaque access tokens and the sessions of keys that expired by `now`, in seconds since the Unix epoch, and the revocations that ended
    /// [`REVOCATION_KEPT_SECONDS`](crate::limits::REVOCATION_KEPT_SECONDS) before. Engines reject the former and need not know the
    /// latter, so that it is no change. Returns how many there were.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn forget_expired(&self, now: i64) -> Result<usize, StorageError>;

    /// Where the log ends.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn latest(&self) -> Result<Position, StorageError>;

    /// The key of that id.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn key(&self, id: &str) -> Result<Option<StoredKey>, StorageError>;

    /// The key of that digest.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn key_of(&self, digest: &Digest) -> Result<Option<StoredKey>, StorageError>;

    /// The keys that pass `filter`, in the order of their ids (as bytes), after `after`; at most `max`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn keys(&self, filter: &KeyFilter, after: Option<&str>, max: usize) -> Result<Vec<StoredKey>, StorageError>;

    /// The keys of that subject and kind that are neither revoked nor at their end by `now`, in seconds since the Unix epoch: the
    /// newest first, of equal age the one with the greatest id. Disabled ones are among them.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn live_keys_of(&self, subject: &str, kind: KeyKind, now: i64) -> Result<Vec<StoredKey>, StorageError>;

    /// About how many keys there are, for the size of a table.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn key_count(&self) -> Result<usize, StorageError>;

    /// What the operator's own keys begin with ([`KeyFormat::head`](tollgate::KeyFormat::head)), by the first of them that was
    /// added; `None` while there is none.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn first_format(&self) -> Result<Option<String>, StorageError>;

    /// The client of that id.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn client(&self, id: &str) -> Result<Option<Client>, StorageError>;

    /// The clients after `after` in the order of their ids (as bytes), at most `max`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn clients(&self, after: Option<&str>, max: usize) -> Result<Vec<Client>, StorageError>;

    /// Whether that name is revoked, and how.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn revocation(
        &self,
        kind: RevocationKind,
        issuer: &str,
        name: &str,
    ) -> Result<Option<StoredRevocation>, StorageError>;

    /// The revocations after `after` in the order of kind (by its name), issuer and name (as bytes), at most `max`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn revocations(
        &self,
        after: Option<&StoredRevocation>,
        max: usize,
    ) -> Result<Vec<StoredRevocation>, StorageError>;
}

/// What came of commands.
#[derive(Debug)]
pub struct Executed {
    /// Of each command, in order.
    pub outcomes: Vec<Outcome>,
    /// Where the log ended once they were done: who has applied it goes by all of them.
    pub position: Position,
}

impl dyn KeyStore {
    /// Runs one command; returns how many things it changed, 0 when all were so already, and where the log ended once it was done.
    ///
    /// # Errors
    /// [`StorageError::Refused`] when it is refused; otherwise as [`execute`](KeyStore::execute).
    pub async fn run(&self, command: Command) -> Result<(u64, Position), StorageError> {
        let executed = self.execute(vec![command]).await?;
        let changed = executed.outcomes.into_iter().next().unwrap_or(Ok(0))?;
        Ok((changed, executed.position))
    }
}

/// Which keys to list; `None` for any.
#[derive(Clone, Debug, Default)]
pub struct KeyFilter {
    /// Of this subject.
    pub subject: Option<String>,
    /// Of this kind.
    pub kind: Option<KeyKind>,
    /// In this state.
    pub state: Option<KeyState>,
    /// That end, by their own expiry or a rotation's overlap, before this time in seconds since the Unix epoch.
    pub ends_before: Option<i64>,
}

/// What to do with a key whose id or digest the store has.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Existing {
    /// Refuse it, and end.
    #[default]
    Refuse,
    /// Pass over it: to go on with an import that ended half-way.
    Skip,
}
