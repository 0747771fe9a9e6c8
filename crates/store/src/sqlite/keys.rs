use super::change_rows;
use super::key_rows::{self, COLUMNS, KeyReader};
use super::store::Store;
use crate::error::StoreError;
use crate::key::StoredKey;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use tollgate::{Digest, KeyKind, KeyState};

/// Which keys to list; `None` for any.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyFilter<'a> {
    /// Of this subject.
    pub subject: Option<&'a str>,
    /// Of this kind.
    pub kind: Option<KeyKind>,
    /// In this state.
    pub state: Option<KeyState>,
    /// That end, by their own expiry or a rotation's overlap, before this time in seconds since the Unix epoch.
    pub ends_before: Option<i64>,
}

/// What became of a key that should be put into a state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StateChange {
    /// It is in that state now.
    Done,
    /// It was in that state already.
    WasSo,
    /// It is revoked, which is for ever.
    IsRevoked,
    /// There is none of that id.
    Unknown,
}

impl Store {
    /// Adds a key. Returns the number of the change.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`] when the id or the digest is taken, [`StoreError::Field`] for a field out of its limits.
    pub fn add_key(&self, key: &StoredKey) -> Result<u64, StoreError> {
        let ((), sequence) = self.write(|transaction| add(transaction, key))?;
        Ok(sequence)
    }

    /// Adds many, all or none. Returns the number of the last change.
    ///
    /// # Errors
    /// As [`add_key`](Self::add_key).
    pub fn add_keys(&self, keys: &[StoredKey]) -> Result<u64, StoreError> {
        let ((), sequence) = self.write(|transaction| keys.iter().try_for_each(|key| add(transaction, key)))?;
        Ok(sequence)
    }

    /// Adds many, in one transaction. `failed` is told which one could not be added and why, and either has it passed over or
    /// ends the whole, after which none of them is there. Tells which were added.
    pub(crate) fn add_each<'k>(
        &self,
        keys: impl Iterator<Item = &'k StoredKey>,
        mut failed: impl FnMut(usize, StoreError) -> Result<(), StoreError>,
    ) -> Result<Vec<bool>, StoreError> {
        let (are_added, _) = self.write(|transaction| {
            keys.enumerate()
                .map(|(index, key)| match add(transaction, key) {
                    Ok(()) => Ok(true),
                    Err(error) => failed(index, error).map(|()| false),
                })
                .collect()
        })?;
        Ok(are_added)
    }

    /// Adds a key, unless its subject has `max` of that kind that are neither revoked nor expired by the new key's
    /// creation; then nothing changes and there is no number.
    ///
    /// # Errors
    /// As [`add_key`](Self::add_key).
    pub fn add_key_within(&self, key: &StoredKey, max: u32) -> Result<Option<u64>, StoreError> {
        let (is_added, sequence) = self.write(|transaction| {
            let live: i64 = transaction
                .prepare_cached(
                    "SELECT count(*) FROM keys WHERE subject = ?1 AND kind = ?2 AND state <> 'revoked'
                     AND (expires_at IS NULL OR expires_at > ?3) AND (overlap_ends_at IS NULL OR overlap_ends_at > ?3)",
                )?
                .query_row(params![key.record.subject(), key.record.kind().as_str(), key.created_at], |row| {
                    row.get(0)
                })?;
            if live >= i64::from(max) {
                return Ok(false);
            }
            add(transaction, key)?;
            Ok(true)
        })?;
        Ok(is_added.then_some(sequence))
    }

    /// Gives the key what `change` says; `None` when there is none of that id. Id, digest, format and kind stay.
    ///
    /// # Errors
    /// [`StoreError::KeyRevoked`] when it is revoked, [`StoreError::Field`] for a field out of its limits.
    pub fn change_key(&self, id: &str, change: impl FnOnce(StoredKey) -> StoredKey) -> Result<Option<u64>, StoreError> {
        let (is_changed, sequence) = self.write(|transaction| {
            let Some((number, key)) = Self::changeable(transaction, id)? else {
                return Ok(false);
            };
            let (digest, kind) = (key.digest, key.record.kind());
            let changed = change(key);
            if changed.digest != digest || changed.record.kind() != kind || changed.record.id() != id {
                return Err(StoreError::Field { field: "id" });
            }
            key_rows::update(transaction, number, &changed)?;
            change_rows::key(transaction, number)?;
            Ok(true)
        })?;
        Ok(is_changed.then_some(sequence))
    }

    /// Switches a key off; [`enable_key`](Self::enable_key) switches it on again. `None` when there is none of that id.
    ///
    /// # Errors
    /// [`StoreError::KeyRevoked`] when it is revoked.
    pub fn disable_key(&self, id: &str) -> Result<Option<u64>, StoreError> {
        self.change_key(id, |key| key.in_state(KeyState::Disabled))
    }

    /// Switches a key on. `None` when there is none of that id.
    ///
    /// # Errors
    /// [`StoreError::KeyRevoked`] when it is revoked.
    pub fn enable_key(&self, id: &str) -> Result<Option<u64>, StoreError> {
        self.change_key(id, |key| key.in_state(KeyState::Active))
    }

    /// Revokes a key for ever; its record stays. `None` when there is none of that id that is not revoked already.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn revoke_key(&self, id: &str) -> Result<Option<u64>, StoreError> {
        match self.change_key(id, |key| key.in_state(KeyState::Revoked)) {
            Err(StoreError::KeyRevoked) => Ok(None),
            revoked => revoked,
        }
    }

    /// Puts many keys into a state, all in one transaction; tells of each what became of it, in order.
    ///
    /// # Errors
    /// When the store cannot be written; then nothing has changed.
    pub fn put_keys_in_state(&self, ids: &[&str], state: KeyState) -> Result<Vec<StateChange>, StoreError> {
        let (changes, _) = self.write(|transaction| {
            let mut reader = KeyReader::default();
            ids.iter()
                .map(|id| {
                    let Some((number, key)) = key_rows::by_id(transaction, &mut reader, id)? else {
                        return Ok(StateChange::Unknown);
                    };
                    match key.record.state() {
                        now if now == state => Ok(StateChange::WasSo),
                        KeyState::Revoked => Ok(StateChange::IsRevoked),
                        _ => {
                            key_rows::update(transaction, number, &key.in_state(state))?;
                            change_rows::key(transaction, number)?;
                            Ok(StateChange::Done)
                        }
                    }
                })
                .collect()
        })?;
        Ok(changes)
    }

    /// Adds `new` in the place of the key `old_id`, which stays good until `overlap_ends_at`, in seconds since the Unix
    /// epoch; both in one step. `None` when there is no such old key.
    ///
    /// # Errors
    /// [`StoreError::KeyRevoked`] when the old one is revoked, [`StoreError::AlreadyExists`] when the new id or digest is
    /// taken.
    pub fn rotate_key(&self, old_id: &str, new: &StoredKey, overlap_ends_at: i64) -> Result<Option<u64>, StoreError> {
        let (is_rotated, sequence) = self.write(|transaction| {
            let Some((number, mut old)) = Self::changeable(transaction, old_id)? else {
                return Ok(false);
            };
            // Rotated twice: the earlier end holds.
            old.overlap_ends_at = Some(old.overlap_ends_at.map_or(overlap_ends_at, |end| end.min(overlap_ends_at)));
            old.rotated_to = Some(new.record.id().into());
            // The new one first: no reader finds neither.
            add(transaction, new)?;
            key_rows::update(transaction, number, &old)?;
            change_rows::key(transaction, number)?;
            Ok(true)
        })?;
        Ok(is_rotated.then_some(sequence))
    }

    /// Removes a key and all that is known of it. `None` when there is none of that id.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn remove_key(&self, id: &str) -> Result<Option<u64>, StoreError> {
        let (is_removed, sequence) =
            self.write(|transaction| match key_rows::by_id(transaction, &mut KeyReader::default(), id)? {
                Some((_, key)) => remove(transaction, &key.digest),
                None => Ok(false),
            })?;
        Ok(is_removed.then_some(sequence))
    }

    /// Removes the opaque access tokens and the revocations that ended by `now`, in seconds since the Unix epoch. Engines
    /// reject the former and need not know the latter, so that it is no change. Returns how many there were.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn forget_expired(&self, now: i64) -> Result<usize, StoreError> {
        let (forgotten, _) = self.write(|transaction| {
            let tokens = transaction
                .prepare_cached("DELETE FROM keys WHERE kind = 'access-token' AND expires_at <= ?1")?
                .execute([now])?;
            let revocations =
                transaction.prepare_cached("DELETE FROM revocations WHERE until <= ?1")?.execute([now])?;
            Ok(tokens + revocations)
        })?;
        Ok(forgotten)
    }

    /// The key of that id.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn key(&self, id: &str) -> Result<Option<StoredKey>, StoreError> {
        self.read(|transaction| {
            let found = key_rows::by_id(transaction, &mut KeyReader::default(), id)?;
            Ok(found.map(|(_, key)| key))
        })
    }

    /// The key of that digest.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn key_of(&self, digest: &Digest) -> Result<Option<StoredKey>, StoreError> {
        self.read(|transaction| key_rows::by_digest(transaction, &mut KeyReader::default(), digest))
    }

    /// What the operator's own keys begin with ([`KeyFormat::head`](tollgate::KeyFormat::head)), by the first of them;
    /// `None` while there is none.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn first_format(&self) -> Result<Option<String>, StoreError> {
        self.read(|transaction| {
            let first = "SELECT format FROM keys WHERE format IS NOT NULL ORDER BY number LIMIT 1";
            Ok(transaction.prepare_cached(first)?.query_row((), |row| row.get(0)).optional()?)
        })
    }

    /// The keys that pass `filter`, in the order of their ids, after `after`; at most `max`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn keys(&self, filter: KeyFilter<'_>, after: Option<&str>, max: usize) -> Result<Vec<StoredKey>, StoreError> {
        self.read(|transaction| {
            let mut reader = KeyReader::default();
            // Two texts, so that each uses its index.
            let subject = if filter.subject.is_some() { "subject = ?2" } else { "?2 IS NULL" };
            let mut select = transaction.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM keys WHERE id > ?1 AND {subject} AND (?3 IS NULL OR kind = ?3)
                 AND (?4 IS NULL OR state = ?4)
                 AND (?6 IS NULL OR expires_at < ?6 OR overlap_ends_at < ?6) ORDER BY id LIMIT ?5"
            ))?;
            let mut rows = select.query(params![
                after.unwrap_or(""),
                filter.subject,
                filter.kind.map(KeyKind::as_str),
                filter.state.map(KeyState::as_str),
                i64::try_from(max).unwrap_or(i64::MAX),
                filter.ends_before,
            ])?;
            let mut keys = Vec::new();
            while let Some(row) = rows.next()? {
                keys.push(reader.read(transaction, row)?);
            }
            Ok(keys)
        })
    }

    /// About how many keys there are, for the size of a table: never fewer.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn key_count(&self) -> Result<usize, StoreError> {
        self.read(|transaction| {
            let (first, last) = numbers(transaction)?;
            Ok(usize::try_from(last - first).unwrap_or(0))
        })
    }

    /// The key of that id, which must not be revoked.
    fn changeable(transaction: &Transaction<'_>, id: &str) -> Result<Option<(i64, StoredKey)>, StoreError> {
        match key_rows::by_id(transaction, &mut KeyReader::default(), id)? {
            Some((_, key)) if key.record.state() == KeyState::Revoked => Err(StoreError::KeyRevoked),
            found => Ok(found),
        }
    }

    /// Makes the key so, whether or not it is there.
    pub(super) fn put(transaction: &Transaction<'_>, key: &StoredKey) -> Result<(), StoreError> {
        match Self::changeable(transaction, key.record.id()) {
            Err(StoreError::KeyRevoked) if key.record.state() == KeyState::Revoked => Ok(()),
            Err(error) => Err(error),
            Ok(None) => add(transaction, key),
            Ok(Some((number, old))) => {
                if old.digest != key.digest || old.record.kind() != key.record.kind() || old.format != key.format {
                    return Err(StoreError::AlreadyExists { what: "key" });
                }
                key_rows::update(transaction, number, key)?;
                change_rows::key(transaction, number)
            }
        }
    }
}

pub(super) fn add(transaction: &Transaction<'_>, key: &StoredKey) -> Result<(), StoreError> {
    let number = key_rows::insert(transaction, key)?;
    change_rows::key(transaction, number)
}

pub(super) fn remove(transaction: &Transaction<'_>, digest: &Digest) -> Result<bool, StoreError> {
    let removed = transaction.prepare_cached("DELETE FROM keys WHERE digest = ?1")?.execute([digest.as_bytes()])? > 0;
    if removed {
        change_rows::key_removed(transaction, digest)?;
    }
    Ok(removed)
}

/// The lowest number of a key, and the one after the highest.
pub(super) fn numbers(connection: &Connection) -> Result<(i64, i64), StoreError> {
    let end = |select: &str| connection.prepare_cached(select)?.query_row((), |row| row.get::<_, Option<i64>>(0));
    // Apart, because SQLite uses the index for one of them alone only.
    let (first, last) = (end("SELECT min(number) FROM keys")?, end("SELECT max(number) FROM keys")?);
    Ok((first.unwrap_or(0), last.map_or(0, |last| last + 1)))
}
