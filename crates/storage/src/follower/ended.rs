//! Tombstones: the entries of revoked and expired keys, and how long a table holds them.

use crate::key::StoredKey;
use crate::limits::TOMBSTONE_SECONDS;
use tollgate::apikeys::KeyDigest;
use tollgate::{KeyRecord, KeyState};

/// The table's entry for a key at `now`, if any. [`end_of`] identifies the entry of a key that has ended.
pub(super) fn entry(key: StoredKey, now: i64) -> Option<(KeyDigest, KeyRecord)> {
    let digest = key.key_digest();
    let record = key.into_effective_record();
    let end = match record.state() {
        // The time of the revocation is not recorded, but it has passed.
        KeyState::Revoked => end_of(&record).min(now),
        _ => end_of(&record),
    };
    if end > now { Some((digest, record)) } else { (forget_at(end) > now).then(|| (digest, tombstone(&record, end))) }
}

/// The end of a record; the latest possible time if it does not end.
pub(super) fn end_of(record: &KeyRecord) -> i64 {
    record.expires_at().unwrap_or(i64::MAX)
}

/// The time at which a record with this end is freed.
pub(super) fn forget_at(end: i64) -> i64 {
    end.saturating_add(TOMBSTONE_SECONDS)
}

/// The part of a record that a rejection needs.
fn tombstone(record: &KeyRecord, end: i64) -> KeyRecord {
    KeyRecord::builder(record.kind(), record.id(), record.subject())
        .client_id(record.client_id())
        .state(record.state())
        .expires_at(end)
        .build()
}
