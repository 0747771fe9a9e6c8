use crate::audit::AuditRecord;
use crate::client::Client;
use crate::command::TokensOf;
use crate::error::StorageError;
use crate::key::StoredKey;
use crate::key_session::{Derived, KeySession};
use crate::revocation::{RevocationKind, StoredRevocation};
use async_trait::async_trait;
use tollgate::{Digest, KeyKind};

/// What a [command](crate::Command) reads and writes, in a transaction of the store.
///
/// Nothing that was read can be changed by others before the transaction ends: it is serialisable, or what is read is locked. A
/// `put` or `remove` also writes down the change for the feed. All of it is undone when an error is returned.
///
/// Of two transactions that add the same id at once one may fail with
/// [`Refusal::AlreadyExists`](crate::Refusal::AlreadyExists) from its `put`.
#[async_trait]
pub trait KeyTransaction: Send {
    /// The key of that id.
    async fn key(&mut self, id: &str) -> Result<Option<StoredKey>, StorageError>;

    /// The key of that digest.
    async fn key_of(&mut self, digest: &Digest) -> Result<Option<StoredKey>, StorageError>;

    /// As [`KeyStore::live_keys_of`](crate::KeyStore::live_keys_of).
    async fn live_keys_of(&mut self, subject: &str, kind: KeyKind, now: i64) -> Result<Vec<StoredKey>, StorageError>;

    /// Adds the key, or gives the one of its id everything but its id, digest, format and kind, which stay.
    async fn put_key(&mut self, key: &StoredKey) -> Result<(), StorageError>;

    /// Removes the key of that id and digest, which is there.
    async fn remove_key(&mut self, id: &str, digest: &Digest) -> Result<(), StorageError>;

    /// What was made with that API key.
    async fn derived_of(&mut self, key_id: &str) -> Result<Derived, StorageError>;

    /// Adds a session of an API key, whose id is new.
    async fn put_session(&mut self, session: &KeySession) -> Result<(), StorageError>;

    /// Removes the session of that id, which is there.
    async fn remove_session(&mut self, id: &str) -> Result<(), StorageError>;

    /// The sessions of API keys that had ended by `now`.
    async fn sessions_of_ended_keys(&mut self, now: i64) -> Result<Vec<KeySession>, StorageError>;

    /// Revokes the opaque access tokens of somebody that were made before a time and are not revoked; returns how many.
    async fn revoke_tokens(&mut self, of: &TokensOf, made_before: i64) -> Result<u64, StorageError>;

    /// The client of that id.
    async fn client(&mut self, id: &str) -> Result<Option<Client>, StorageError>;

    /// Adds the client, or puts it in the place of the one of its id.
    async fn put_client(&mut self, client: &Client) -> Result<(), StorageError>;

    /// Removes the client of that id, which is there.
    async fn remove_client(&mut self, id: &str) -> Result<(), StorageError>;

    /// The revocation of that name.
    async fn revocation(
        &mut self,
        kind: RevocationKind,
        issuer: &str,
        name: &str,
    ) -> Result<Option<StoredRevocation>, StorageError>;

    /// Adds the revocation, or puts it in the place of the one of its name.
    async fn put_revocation(&mut self, revocation: &StoredRevocation) -> Result<(), StorageError>;

    /// Removes the revocation of that name, which is there.
    async fn remove_revocation(&mut self, kind: RevocationKind, issuer: &str, name: &str) -> Result<(), StorageError>;

    /// Adds the record, unless it is there, from a try whose answer was lost. It is no change for the feed.
    async fn put_audit(&mut self, record: &AuditRecord) -> Result<(), StorageError>;
}
