use crate::audit::{AuditLog, AuditRecord};
use crate::client::Client;
use crate::command::{Command, Outcome};
use crate::error::StorageError;
use crate::feed::{KeyFeed, Position};
use crate::key::StoredKey;
use crate::revocation::{RevocationKind, StoredRevocation};
use async_trait::async_trait;
use tollgate::{Digest, KeyKind, KeyState};

/// API keys, clients and revocations: [commands](Command) that change them, look-ups, and the [feed](KeyFeed) of changes.
///
/// An acknowledged change is durable: it survives a crash, and with replicas the loss of the primary. The commands contain
/// the rules; an implementation runs them in its own [transaction](crate::KeyTransaction). It must pass the tests of the
/// feature `conformance`.
#[async_trait]
pub trait KeyStore: KeyFeed + AuditLog {
    /// Executes commands in one transaction, and returns their outcomes.
    ///
    /// A refused command changes nothing and does not prevent the others.
    ///
    /// # Errors
    /// When nothing was done or, with [`StorageError::OutcomeUnknown`], when the outcome is unknown.
    async fn execute(&self, commands: Vec<Command>) -> Result<Executed, StorageError>;

    /// Adds many keys in one transaction, fast, and returns which were added. Keys whose id or digest exists are skipped,
    /// or with [`Existing::Refuse`] fail the whole batch. `audit` names the actor, and is written in the transaction.
    ///
    /// # Errors
    /// [`StorageError::Key`] when one key cannot be added; then none is.
    async fn import(
        &self,
        keys: Vec<StoredKey>,
        existing: Existing,
        audit: &AuditRecord,
    ) -> Result<Vec<bool>, StorageError>;

    /// Removes all changes except the last `kept`, at least 1. A reader that is further behind must begin with a
    /// snapshot. Returns the number of removed changes. Every write does this with
    /// [`CHANGES_KEPT`](crate::limits::CHANGES_KEPT).
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn compact(&self, kept: u64) -> Result<u64, StorageError>;

    /// Removes the opaque access tokens and the sessions of keys that expired by `now`, in seconds since the Unix epoch,
    /// and the revocations that ended [`REVOCATION_KEPT_SECONDS`](crate::limits::REVOCATION_KEPT_SECONDS) earlier. This
    /// is no change in the feed: engines reject the former, and do not need the latter. Returns the number of removed
    /// records.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn forget_expired(&self, now: i64) -> Result<usize, StorageError>;

    /// The end of the log.
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

    /// The keys of that subject and kind that are neither revoked nor ended at `now`, in seconds since the Unix epoch,
    /// disabled ones included: the newest first, of equal age the greatest id first.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn live_keys_of(&self, subject: &str, kind: KeyKind, now: i64) -> Result<Vec<StoredKey>, StorageError>;

    /// The approximate number of keys, for the size of a table.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn key_count(&self) -> Result<usize, StorageError>;

    /// The beginning of tollgate's own keys ([`KeyFormat::head`](tollgate::KeyFormat::head)), from the first one that was
    /// added; `None` if there is none.
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

    /// The revocation of that name.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn revocation(
        &self,
        kind: RevocationKind,
        issuer: &str,
        name: &str,
    ) -> Result<Option<StoredRevocation>, StorageError> {
        Ok(self.revocations_of(issuer, &[(kind, name)]).await?.pop())
    }

    /// The revocations of these names of one issuer, in any order.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn revocations_of(
        &self,
        issuer: &str,
        names: &[(RevocationKind, &str)],
    ) -> Result<Vec<StoredRevocation>, StorageError>;

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

/// The results of commands.
#[derive(Debug)]
pub struct Executed {
    /// The outcome of each command, in order.
    pub outcomes: Vec<Outcome>,
    /// The end of the log after the commands: a reader at this position has applied all of them.
    pub position: Position,
}

impl dyn KeyStore {
    /// Executes one command. Returns the number of changed records, 0 if all were in that state already, and the end of
    /// the log.
    ///
    /// # Errors
    /// [`StorageError::Refused`] when it is refused; otherwise like [`execute`](KeyStore::execute).
    pub async fn run(&self, command: Command) -> Result<(u64, Position), StorageError> {
        let executed = self.execute(vec![command]).await?;
        let changed = executed.outcomes.into_iter().next().unwrap_or(Ok(0))?;
        Ok((changed, executed.position))
    }
}

/// A filter for keys; `None` for any.
#[derive(Clone, Debug, Default)]
pub struct KeyFilter {
    /// Of this subject.
    pub subject: Option<String>,
    /// Of this kind.
    pub kind: Option<KeyKind>,
    /// In this state.
    pub state: Option<KeyState>,
    /// Keys that end, by their own expiry or a rotation's overlap, before this time in seconds since the Unix epoch.
    pub ends_before: Option<i64>,
}

/// The treatment of a key whose id or digest exists in the store.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Existing {
    /// Fail.
    #[default]
    Refuse,
    /// Skip the key, to continue an interrupted import.
    Skip,
}
