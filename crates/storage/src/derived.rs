//! Derived records, made with an API key, end with the key, in the same transaction, and never exceed its powers.

use crate::error::StorageError;
use crate::key::StoredKey;
use crate::key_session::{Derived, KeySession};
use crate::revocation::{RevocationKind, StoredRevocation, revoke};
use crate::transaction::KeyTransaction;
use tollgate::{KeyKind, KeyState};

/// Writes the key in its new state, and updates its derived records. Returns the number of changes.
pub(crate) async fn put(
    rows: &mut dyn KeyTransaction,
    was: &StoredKey,
    now: &StoredKey,
    at: i64,
) -> Result<u64, StorageError> {
    if was == now {
        return Ok(0);
    }
    rows.put_key(now).await?;
    Ok(1 + follow(rows, was, Some(now), at).await?)
}

/// Updates the records derived from the key `was`, whose new state is `now`, or which was removed. `at`: seconds since the
/// Unix epoch.
pub(crate) async fn follow(
    rows: &mut dyn KeyTransaction,
    was: &StoredKey,
    now: Option<&StoredKey>,
    at: i64,
) -> Result<u64, StorageError> {
    let mut changed = 0;
    // Each key and its new state. A chain of derived keys may have any length.
    let mut pending = vec![(was.clone(), now.cloned())];
    while let Some((was, now)) = pending.pop() {
        if was.record.kind() != KeyKind::ApiKey || now.as_ref().is_some_and(|now| can_as_much(&was, now)) {
            continue;
        }
        let Derived { keys, sessions } = rows.derived_of(was.record.id()).await?;
        for child in keys {
            let follows = following(&child, now.as_ref());
            if follows != child {
                rows.put_key(&follows).await?;
                changed += 1;
                pending.push((child, Some(follows)));
            }
        }
        let is_over = now.as_ref().is_none_or(|now| {
            now.record.state() != KeyState::Active
                || now.ends_at().is_some_and(|end| end <= at)
                || !has_all_powers(&was, now)
        });
        if is_over {
            changed += end(rows, &sessions).await?;
        }
    }
    Ok(changed)
}

/// Revokes sessions of keys.
pub(crate) async fn end(rows: &mut dyn KeyTransaction, sessions: &[KeySession]) -> Result<u64, StorageError> {
    let mut changed = 0;
    for session in sessions {
        let revocation = StoredRevocation::new(RevocationKind::Session, &session.issuer, &session.id);
        changed += revoke(rows, &StoredRevocation { until: session.ends_at, ..revocation }).await?;
        rows.remove_session(&session.id).await?;
    }
    Ok(changed)
}

/// The derived key under the new state of its parent.
fn following(child: &StoredKey, parent: Option<&StoredKey>) -> StoredKey {
    let active = parent.filter(|parent| parent.record.state() == KeyState::Active);
    match active.filter(|parent| parent.check_powers(&child.record).is_ok()) {
        // A key that can no longer be derived ends permanently; it must be made again.
        None => child.clone().in_state(KeyState::Revoked),
        Some(parent) => match parent.ends_at() {
            Some(end) if child.ends_at().is_none_or(|child_end| child_end > end) => child.clone().ending_by(end),
            _ => child.clone(),
        },
    }
}

/// Whether no derived record is affected.
fn can_as_much(was: &StoredKey, now: &StoredKey) -> bool {
    let ends_no_earlier = now.ends_at().is_none_or(|end| was.ends_at().is_some_and(|was_end| was_end <= end));
    now.record.state() == KeyState::Active && ends_no_earlier && has_all_powers(was, now)
}

/// Whether the key keeps all its powers.
fn has_all_powers(was: &StoredKey, now: &StoredKey) -> bool {
    now.check_powers(&was.record).is_ok()
}
