use crate::audit::AuditRecord;
use crate::client::Client;
use crate::command::TokensOf;
use crate::error::StorageError;
use crate::key::StoredKey;
use crate::key_session::{Derived, KeySession};
use crate::revocation::{RevocationKind, StoredRevocation};
use async_trait::async_trait;
use tollgate::{Digest, KeyKind};

/// The reads and writes of a [command](crate::Command), in a transaction of the store.
///
/// Others cannot change what was read before the transaction ends: the transaction is serialisable, or the rows are locked. A
/// `put` or `remove` also writes the change to the feed. An error undoes everything.
///
/// Of concurrent transactions that add the same id, one may fail with
/// [`Refusal::AlreadyExists`](crate::Refusal::AlreadyExists) from its `put`.
#[async_trait]
pub trait KeyTransaction: Send {
    /// The key of that id.
    async fn key(&mut self, id: &str) -> Result<Option<StoredKey>, StorageError>;

    /// The key of that digest.
    async fn key_of(&mut self, digest: &Digest) -> Result<Option<StoredKey>, StorageError>;

    /// Like [`KeyStore::live_keys_of`](crate::KeyStore::live_keys_of).
    async fn live_keys_of(&mut self, subject: &str, kind: KeyKind, now: i64) -> Result<Vec<StoredKey>, StorageError>;

    /// Adds the key, or replaces the key with its id, except for id, digest, format and kind.
    async fn put_key(&mut self, key: &StoredKey) -> Result<(), StorageError>;

    /// Removes the existing key of that id and digest.
    async fn remove_key(&mut self, id: &str, digest: &Digest) -> Result<(), StorageError>;

    /// The records derived from that API key.
    async fn derived_of(&mut self, key_id: &str) -> Result<Derived, StorageError>;

    /// Adds a session of an API key, with a new id.
    async fn put_session(&mut self, session: &KeySession) -> Result<(), StorageError>;

    /// Removes the existing session of that id.
    async fn remove_session(&mut self, id: &str) -> Result<(), StorageError>;

    /// The sessions of API keys that ended by `now`.
    async fn sessions_of_ended_keys(&mut self, now: i64) -> Result<Vec<KeySession>, StorageError>;

    /// Revokes the opaque access tokens of a holder that were made before a time and are not revoked. Returns their
    /// number.
    async fn revoke_tokens(&mut self, of: &TokensOf, made_before: i64) -> Result<u64, StorageError>;

    /// The client of that id.
    async fn client(&mut self, id: &str) -> Result<Option<Client>, StorageError>;

    /// Adds the client, or replaces the client with its id.
    async fn put_client(&mut self, client: &Client) -> Result<(), StorageError>;

    /// Removes the existing client of that id.
    async fn remove_client(&mut self, id: &str) -> Result<(), StorageError>;

    /// The revocation of that name.
    async fn revocation(
        &mut self,
        kind: RevocationKind,
        issuer: &str,
        name: &str,
    ) -> Result<Option<StoredRevocation>, StorageError>;

    /// Adds the revocation, or replaces that of its name.
    async fn put_revocation(&mut self, revocation: &StoredRevocation) -> Result<(), StorageError>;

    /// Removes the existing revocation of that name.
    async fn remove_revocation(&mut self, kind: RevocationKind, issuer: &str, name: &str) -> Result<(), StorageError>;

    /// Adds the record, unless an attempt whose answer was lost has added it. It is not a change in the feed.
    async fn put_audit(&mut self, record: &AuditRecord) -> Result<(), StorageError>;
}
