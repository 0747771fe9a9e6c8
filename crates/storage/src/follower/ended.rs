//! Keys that are revoked or expired: what a table holds of them, and for how long.

use crate::key::StoredKey;
use crate::limits::TOMBSTONE_SECONDS;
use tollgate::apikeys::KeyDigest;
use tollgate::{KeyRecord, KeyState};

/// What a table has to hold of a key at `now`, if anything. One that has ended is told by its [end](end_of).
pub(super) fn entry(key: StoredKey, now: i64) -> Option<(KeyDigest, KeyRecord)> {
    let digest = key.key_digest();
    let record = key.into_effective_record();
    let end = match record.state() {
        // Nobody has written down when it was revoked, but it is by now.
        KeyState::Revoked => end_of(&record).min(now),
        _ => end_of(&record),
    };
    if end > now { Some((digest, record)) } else { (forget_at(end) > now).then(|| (digest, tombstone(&record, end))) }
}

/// When a record ends; beyond every time if never.
pub(super) fn end_of(record: &KeyRecord) -> i64 {
    record.expires_at().unwrap_or(i64::MAX)
}

/// When a record that ends then is to be forgotten.
pub(super) fn forget_at(end: i64) -> i64 {
    end.saturating_add(TOMBSTONE_SECONDS)
}

/// All of a record that a rejection needs.
fn tombstone(record: &KeyRecord, end: i64) -> KeyRecord {
    KeyRecord::builder(record.kind(), record.id(), record.subject())
        .client_id(record.client_id())
        .state(record.state())
        .expires_at(end)
        .build()
}
