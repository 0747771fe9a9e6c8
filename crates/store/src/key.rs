use crate::error::StoreError;
use crate::limits::{
    MAX_ADDRESS_BLOCKS, MAX_ID_BYTES, MAX_METADATA_BYTES, MAX_NAME_BYTES, MAX_SCOPES_BYTES, MAX_SUBJECT_BYTES,
};
use std::sync::Arc;
use tollgate::apikeys::KeyDigest;
use tollgate::{ApiKey, Digest, KeyFormat, KeyRecord, KeyState};

/// What the store knows of an API key, a client secret or an opaque access token: never the secret itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredKey {
    /// The digest of the secret. It never changes: another secret is another key.
    pub digest: Digest,
    /// What a key of the operator's own begins with ([`KeyFormat::head`]); `None` for a foreign one.
    pub format: Option<Arc<str>>,
    /// What an engine is told of it.
    pub record: KeyRecord,
    /// When it was made, in seconds since the Unix epoch; 0 where nobody said.
    pub created_at: i64,
    /// The id of the key that took its place.
    pub rotated_to: Option<Box<str>>,
    /// When this key ends because another took its place, in seconds since the Unix epoch.
    pub overlap_ends_at: Option<i64>,
}

impl StoredKey {
    /// A key that was just made.
    #[must_use]
    pub fn native(format: &KeyFormat, key: &ApiKey, record: impl Into<KeyRecord>) -> Self {
        Self::new(key.digest(), Some(format.head().into()), record.into())
    }

    /// A key that another system made, under the digest that the table that will hold it makes of it
    /// ([`foreign_digest`](tollgate::ApiKeyTable::foreign_digest)).
    #[must_use]
    pub fn foreign(digest: Digest, record: impl Into<KeyRecord>) -> Self {
        Self::new(digest, None, record.into())
    }

    pub(crate) fn new(digest: Digest, format: Option<Arc<str>>, record: KeyRecord) -> Self {
        Self { digest, format, record, created_at: 0, rotated_to: None, overlap_ends_at: None }
    }

    /// Says that the key was made at `seconds` since the Unix epoch.
    #[must_use]
    pub fn made_at(self, seconds: i64) -> Self {
        Self { created_at: seconds, ..self }
    }

    /// The key in another state.
    #[must_use]
    pub fn in_state(self, state: KeyState) -> Self {
        Self { record: self.record.edit().state(state).build(), ..self }
    }

    /// The digest as a table has to be told it.
    #[must_use]
    pub fn key_digest(&self) -> KeyDigest {
        let origin = if self.format.is_some() { KeyDigest::Native } else { KeyDigest::Foreign };
        origin(self.digest)
    }

    /// The record as an engine has to see it: it also ends when the overlap of a rotation does.
    #[must_use]
    pub fn into_effective_record(self) -> KeyRecord {
        match (self.record.expires_at(), self.overlap_ends_at) {
            (_, None) => self.record,
            (expires_at, Some(overlap)) => {
                self.record.edit().expires_at(expires_at.map_or(overlap, |end| end.min(overlap))).build()
            }
        }
    }

    /// The record of a key that is made at `now` to take this one's place: it may do the same, from the same addresses, between
    /// the same times.
    #[must_use]
    pub fn successor(&self, id: &str, now: i64) -> KeyRecord {
        // A start that has passed says nothing any more.
        let not_before = self.record.not_before().filter(|begin| *begin > now);
        self.record.edit().id(id).state(KeyState::Active).not_before(not_before).build()
    }

    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let record = &self.record;
        let client = record.client_id().unwrap_or(record.subject());
        within("id", record.id().len(), 1, MAX_ID_BYTES)?;
        within("subject", record.subject().len(), 1, MAX_SUBJECT_BYTES)?;
        within("client_id", client.len(), 1, MAX_SUBJECT_BYTES)?;
        within("name", record.name().len(), 0, MAX_NAME_BYTES)?;
        within("scopes", record.scopes().as_str().len(), 0, MAX_SCOPES_BYTES)?;
        within("metadata", record.metadata().len(), 0, MAX_METADATA_BYTES)?;
        within("allowed_addresses", record.allowed_addresses().len(), 0, MAX_ADDRESS_BLOCKS)?;
        within("format", self.format.as_ref().map_or(1, |format| format.len()), 1, MAX_ID_BYTES)?;
        within("rotated_to", self.rotated_to.as_ref().map_or(1, |id| id.len()), 1, MAX_ID_BYTES)
    }
}

/// Whether a field's length is within its limits.
pub(crate) fn within(field: &'static str, length: usize, min: usize, max: usize) -> Result<(), StoreError> {
    if (min..=max).contains(&length) { Ok(()) } else { Err(StoreError::Field { field }) }
}
