use crate::error::StoreError;
use crate::limits::{
    MAX_ADDRESS_BLOCKS, MAX_ID_BYTES, MAX_METADATA_BYTES, MAX_NAME_BYTES, MAX_SCOPES_BYTES, MAX_SUBJECT_BYTES,
};
use std::sync::Arc;
use tollgate::{ApiKey, Digest, KeyFormat, KeyKind, KeyRecord};

/// What the store knows of an API key, a client secret or an opaque access token: never the secret itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredKey {
    /// The digest of the secret. It never changes: another secret is another key.
    pub digest: Digest,
    /// What a key of the operator's own begins with ([`KeyFormat::head`]); `None` for a foreign one.
    pub format: Option<Arc<str>>,
    /// What an engine is told of it.
    pub record: KeyRecord,
    /// The id of the key that took its place.
    pub rotated_to: Option<Box<str>>,
    /// When this key ends because another took its place, in seconds since the Unix epoch.
    pub overlap_ends_at: Option<i64>,
}

impl StoredKey {
    /// A key that was just made.
    #[must_use]
    pub fn native(format: &KeyFormat, key: &ApiKey, record: KeyRecord) -> Self {
        let format = Some(Arc::from(format.head()));
        Self { digest: key.digest(), format, record, rotated_to: None, overlap_ends_at: None }
    }

    /// A key that another system made, under the digest that the table that will hold it makes of it
    /// ([`foreign_digest`](tollgate::ApiKeyTable::foreign_digest)).
    #[must_use]
    pub fn foreign(digest: Digest, record: KeyRecord) -> Self {
        Self { digest, format: None, record, rotated_to: None, overlap_ends_at: None }
    }

    /// The record as an engine has to see it: it also ends when the overlap of a rotation does.
    #[must_use]
    pub fn into_effective_record(self) -> KeyRecord {
        match (self.record.validity().1, self.overlap_ends_at) {
            (Some(expires_at), Some(overlap)) => self.record.expires_at(expires_at.min(overlap)),
            (None, Some(overlap)) => self.record.expires_at(overlap),
            (_, None) => self.record,
        }
    }

    /// The record of a key that is to take this one's place: it may do the same, from the same addresses, between the same
    /// times.
    #[must_use]
    pub fn successor(&self, id: &str, created_at: i64) -> KeyRecord {
        let old = &self.record;
        let record = match old.kind() {
            KeyKind::ApiKey => KeyRecord::api_key(id, old.subject()),
            KeyKind::ClientSecret => KeyRecord::client_secret(id, old.subject()),
            KeyKind::AccessToken => KeyRecord::access_token(id, old.subject()),
        };
        let mut record = record
            .scope_set(old.granted_set().clone())
            .created_at(created_at)
            .name(old.label())
            .metadata(old.attached())
            .allowed_addresses(old.addresses().iter().copied());
        if let Some(client_id) = old.client() {
            record = record.client_id(client_id);
        }
        let (not_before, expires_at) = old.validity();
        if let Some(begin) = not_before.filter(|begin| *begin > created_at) {
            record = record.not_before(begin);
        }
        match expires_at {
            Some(end) => record.expires_at(end),
            None => record,
        }
    }

    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let record = &self.record;
        let client = record.client().unwrap_or(record.subject());
        within("id", record.id().len(), 1, MAX_ID_BYTES)?;
        within("subject", record.subject().len(), 1, MAX_SUBJECT_BYTES)?;
        within("client_id", client.len(), 1, MAX_SUBJECT_BYTES)?;
        within("name", record.label().len(), 0, MAX_NAME_BYTES)?;
        within("scopes", record.granted_set().as_str().len(), 0, MAX_SCOPES_BYTES)?;
        within("metadata", record.attached().len(), 0, MAX_METADATA_BYTES)?;
        within("allowed_addresses", record.addresses().len(), 0, MAX_ADDRESS_BLOCKS)?;
        within("format", self.format.as_ref().map_or(1, |format| format.len()), 1, MAX_ID_BYTES)?;
        within("rotated_to", self.rotated_to.as_ref().map_or(1, |id| id.len()), 1, MAX_ID_BYTES)
    }
}

/// Whether a field's length is within its limits.
pub(crate) fn within(field: &'static str, length: usize, min: usize, max: usize) -> Result<(), StoreError> {
    if (min..=max).contains(&length) { Ok(()) } else { Err(StoreError::Field { field }) }
}
