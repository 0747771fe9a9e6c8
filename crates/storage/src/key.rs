use crate::confirmation::{confirmation_from, confirmation_text};
use crate::error::Refusal;
use crate::limits::{
    MAX_ADDRESS_BLOCKS, MAX_ID_BYTES, MAX_METADATA_BYTES, MAX_NAME_BYTES, MAX_SCOPES_BYTES, MAX_SUBJECT_BYTES,
};
use std::sync::Arc;
use tollgate::apikeys::KeyDigest;
use tollgate::{ApiKey, Digest, KeyFormat, KeyKind, KeyRecord, KeyRecordBuilder, KeyState};

/// The record of an API key, a client secret or an opaque access token, without the secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredKey {
    /// The digest of the secret. It never changes: a new secret is a new key.
    pub digest: Digest,
    /// The beginning of a key in tollgate's format ([`KeyFormat::head`]); `None` for a foreign key.
    pub format: Option<Arc<str>>,
    /// The engine's record.
    pub record: KeyRecord,
    /// The creation time, in seconds since the Unix epoch; 0 if unknown.
    pub created_at: i64,
    /// The id of its successor after a rotation.
    pub rotated_to: Option<Box<str>>,
    /// The end of the overlap after a rotation, in seconds since the Unix epoch.
    pub overlap_ends_at: Option<i64>,
    /// Its parent, with which it ends: for an API key the id of another one, for an access token the `sid` of the login
    /// session.
    pub parent: Option<Box<str>>,
}

impl StoredKey {
    /// A new key.
    #[must_use]
    pub fn native(format: &KeyFormat, key: &ApiKey, record: impl Into<KeyRecord>) -> Self {
        Self::new(key.digest(), Some(format.head().into()), record.into())
    }

    /// A key that another system made, with its digest by the table that will hold it
    /// ([`foreign_digest`](tollgate::ApiKeyTable::foreign_digest)).
    #[must_use]
    pub fn foreign(digest: Digest, record: impl Into<KeyRecord>) -> Self {
        Self::new(digest, None, record.into())
    }

    pub(crate) fn new(digest: Digest, format: Option<Arc<str>>, record: KeyRecord) -> Self {
        Self { digest, format, record, created_at: 0, rotated_to: None, overlap_ends_at: None, parent: None }
    }

    /// Sets the creation time, in seconds since the Unix epoch.
    #[must_use]
    pub fn made_at(self, seconds: i64) -> Self {
        Self { created_at: seconds, ..self }
    }

    /// The key in another state.
    #[must_use]
    pub fn in_state(self, state: KeyState) -> Self {
        Self { record: self.record.edit().state(state).build(), ..self }
    }

    /// The digest in the form for a table.
    #[must_use]
    pub fn key_digest(&self) -> KeyDigest {
        let origin = if self.format.is_some() { KeyDigest::Native } else { KeyDigest::Foreign };
        origin(self.digest)
    }

    /// The end of the key, by its expiry or after a rotation, in seconds since the Unix epoch; `None` for never.
    #[must_use]
    pub fn ends_at(&self) -> Option<i64> {
        match (self.record.expires_at(), self.overlap_ends_at) {
            (Some(end), Some(overlap)) => Some(end.min(overlap)),
            (end, overlap) => end.or(overlap),
        }
    }

    /// The key with its end at `seconds` since the Unix epoch, unless it ends earlier.
    pub(crate) fn ending_by(self, seconds: i64) -> Self {
        Self { overlap_ends_at: Some(self.overlap_ends_at.map_or(seconds, |end| end.min(seconds))), ..self }
    }

    /// The record for an engine, which also ends with the overlap of a rotation.
    #[must_use]
    pub fn into_effective_record(self) -> KeyRecord {
        if self.overlap_ends_at.is_none() { self.record } else { self.record.edit().expires_at(self.ends_at()).build() }
    }

    /// The record of a successor that is made at `now`: with the same powers, addresses and times.
    #[must_use]
    pub fn successor(&self, id: &str, now: i64) -> KeyRecord {
        // A start in the past is irrelevant.
        let not_before = self.record.not_before().filter(|begin| *begin > now);
        self.record.edit().id(id).state(KeyState::Active).not_before(not_before).build()
    }

    /// Checks that `new`, made now, may succeed this key: this key is active, has not ended and was not rotated, and the
    /// new one does not exceed its powers.
    pub(crate) fn check_successor(&self, new: &Self) -> Result<(), Refusal> {
        match self.record.state() {
            KeyState::Revoked => return Err(Refusal::KeyRevoked),
            KeyState::Disabled => return Err(Refusal::Disabled { what: "key" }),
            KeyState::Active => {}
        }
        if let Some(rotated_to) = &self.rotated_to {
            return Err(Refusal::KeyRotated { rotated_to: rotated_to.clone() });
        }
        if let Some(ended_at) = self.ends_at().filter(|end| *end <= new.created_at) {
            return Err(Refusal::KeyEnded { ended_at });
        }
        self.check_powers(&new.record)
    }

    /// Checks that `new` may be made now with this API key: this key is active and has not ended, and the new one is of
    /// the same kind and does not exceed its powers, addresses and lifetime.
    pub(crate) fn check_derived(&self, new: &Self) -> Result<(), Refusal> {
        self.check_parent(new.created_at)?;
        self.check_powers(&new.record)?;
        let begins = new.record.not_before().unwrap_or(new.created_at);
        if self.record.not_before().is_some_and(|begin| begins < begin) {
            return Err(Refusal::Field { field: "not_before" });
        }
        let is_within = self.ends_at().is_none_or(|end| new.ends_at().is_some_and(|new_end| new_end <= end));
        if is_within { Ok(()) } else { Err(Refusal::Field { field: "expires_at" }) }
    }

    /// Checks that this key may be a parent at `now`.
    pub(crate) fn check_parent(&self, now: i64) -> Result<(), Refusal> {
        match self.record.state() {
            _ if self.record.kind() != KeyKind::ApiKey => return Err(Refusal::Field { field: "parent" }),
            KeyState::Revoked => return Err(Refusal::KeyRevoked),
            KeyState::Disabled => return Err(Refusal::Disabled { what: "key" }),
            KeyState::Active => {}
        }
        self.ends_at().filter(|end| *end <= now).map_or(Ok(()), |ended_at| Err(Refusal::KeyEnded { ended_at }))
    }

    /// Whether `new` has the same kind and subject, and does not exceed the powers and addresses of this key.
    pub(crate) fn check_powers(&self, new: &KeyRecord) -> Result<(), Refusal> {
        let old = &self.record;
        let is_same = |field, holds| if holds { Ok(()) } else { Err(Refusal::Field { field }) };
        is_same("kind", old.kind() == new.kind())?;
        is_same("subject", old.subject() == new.subject())?;
        is_same("client_id", old.client_id() == new.client_id())?;
        is_same("scopes", new.scopes().iter().all(|scope| old.scopes().contains(scope)))?;
        let (from, new_from) = (old.allowed_addresses(), new.allowed_addresses());
        let is_within = !new_from.is_empty() && new_from.iter().all(|block| from.contains(block));
        is_same("allowed_addresses", from.is_empty() || is_within)?;
        is_same("confirmation", old.confirmation_methods().eq(new.confirmation_methods()))
    }

    /// What its record is [bound to](KeyRecord::confirmation_methods), separated by spaces: as a store and an export have it.
    #[must_use]
    pub fn confirmation(&self) -> String {
        confirmation_text(self.record.confirmation_methods())
    }

    /// Binds a record to what [`confirmation`](Self::confirmation) wrote. `None` if the text is not of that form: what a
    /// credential is bound to must not be ignored.
    #[must_use]
    pub fn bind<'r>(record: KeyRecordBuilder<'r>, confirmation: &str) -> Option<KeyRecordBuilder<'r>> {
        let methods = confirmation_from(confirmation).ok()?;
        Some(methods.into_iter().fold(record, KeyRecordBuilder::bound_to))
    }

    /// Checks that its fields are within their limits. Every [command](crate::Command) that adds or changes a key does
    /// so.
    ///
    /// # Errors
    /// [`Refusal::Field`] with the name of the invalid field.
    pub fn check(&self) -> Result<(), Refusal> {
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
        within("parent", self.parent.as_ref().map_or(1, |id| id.len()), 1, MAX_ID_BYTES)?;
        within("rotated_to", self.rotated_to.as_ref().map_or(1, |id| id.len()), 1, MAX_ID_BYTES)
    }
}

/// Whether a field's length is within its limits.
pub(crate) fn within(field: &'static str, length: usize, min: usize, max: usize) -> Result<(), Refusal> {
    if (min..=max).contains(&length) { Ok(()) } else { Err(Refusal::Field { field }) }
}
