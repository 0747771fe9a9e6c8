use crate::contents::{Change, Contents};
use crate::digest::Digest;
use crate::entry::{KeyDigest, TableEntry};
use crate::error::{Flaw, KeyError};
use crate::foreign::{ForeignKey, Pepper};
use crate::format::KeyFormat;
use crate::limits::CAPACITY_MAX;
use crate::native_key::NativeKey;
use std::fmt;
use std::marker::PhantomData;

/// Finds the record of a presented API key, from one key to ten million.
///
/// Holds digests only. Many threads may call `find` while others insert and remove. `find` takes no lock and never
/// waits. The only shared memory it writes is the reference count of the record it has found. Writers lock one shard at
/// a time, and never run a caller's code while they hold the lock.
///
/// Guarantees:
/// - Once [`remove`](Self::remove), [`retain`](Self::retain) or [`replace_all`](Self::replace_all) has returned, no
///   `find` that starts later finds what it removed, whatever other writers do meanwhile, unless they insert it again.
/// - A match means that all 32 bytes of the digest are equal, compared in constant time. The key's position comes from
///   a hash keyed with a secret of this table.
/// - [`find`](Self::find) does not allocate. As long as the table holds no foreign key, bytes that are not in
///   tollgate's format are rejected before anything is hashed.
///
/// Native and foreign keys are kept apart. A key that starts with this table's own prefix is looked up among the native
/// keys only.
pub struct ApiKeyTable<R> {
    format: KeyFormat,
    pepper: Option<Pepper>,
    contents: Contents<R>,
}

/// Configures an [`ApiKeyTable`].
#[derive(Debug)]
pub struct ApiKeyTableBuilder<R> {
    format: KeyFormat,
    pepper: Option<Pepper>,
    capacity: usize,
    record: PhantomData<fn() -> R>,
}

impl<R> ApiKeyTableBuilder<R> {
    /// Digests foreign keys with this pepper.
    #[must_use]
    pub fn pepper(mut self, pepper: impl Into<Option<Pepper>>) -> Self {
        self.pepper = pepper.into();
        self
    }

    /// Reserves room for `keys` keys, at most [`CAPACITY_MAX`], and chooses the number of shards for that size. Loading
    /// that many keys moves none of them. The number of shards never changes later. A table may hold more keys than its
    /// capacity.
    #[must_use]
    pub fn capacity(mut self, keys: usize) -> Self {
        self.capacity = keys.min(CAPACITY_MAX);
        self
    }

    /// Builds the table, empty.
    #[must_use]
    pub fn build(self) -> ApiKeyTable<R> {
        ApiKeyTable { format: self.format, pepper: self.pepper, contents: Contents::with_capacity(self.capacity) }
    }
}

impl<R> ApiKeyTable<R> {
    /// Builds an empty table for keys of `format`, without a pepper.
    #[must_use]
    pub fn new(format: KeyFormat) -> Self {
        Self::builder(format).build()
    }

    /// Begins to configure a table for keys of `format`.
    #[must_use]
    pub fn builder(format: KeyFormat) -> ApiKeyTableBuilder<R> {
        ApiKeyTableBuilder { format, pepper: None, capacity: 0, record: PhantomData }
    }

    /// The format of this table's native keys.
    #[must_use]
    pub fn format(&self) -> &KeyFormat {
        &self.format
    }

    /// Finds the record of a presented key.
    ///
    /// A key in tollgate's format with another prefix or environment is found if the table holds it.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when `presented` is not a key of the format and cannot be a foreign key: the table holds
    /// no foreign key, the length is not 16 to 512 bytes, or it is a native key with another prefix or environment that
    /// the table lacks. [`KeyError::Unknown`] when no key in the table is equal to `presented`.
    ///
    /// ```
    /// # use tollgate_apikeys::{ApiKeyTable, Flaw, KeyError, KeyFormat};
    /// let table = ApiKeyTable::<()>::new(KeyFormat::new("tg", "live")?);
    /// let typo = b"tg_live_2000000000000000000000000000000000000000000023A3zt";
    /// assert_eq!(table.find(typo).unwrap_err(), KeyError::Malformed(Flaw::Checksum));
    /// # Ok::<(), KeyError>(())
    /// ```
    #[inline]
    pub fn find(&self, presented: &[u8]) -> Result<MatchedKey<R>, KeyError> {
        let Some(tail) = self.format.tail(presented) else {
            return self.find_other(presented);
        };
        let check = || self.format.check_tail(presented, tail);
        let found = self.contents.find_native(NativeKey::claimed_checksum(tail), check)?;
        found.map(MatchedKey).ok_or(KeyError::Unknown)
    }

    /// Looks up a key that has another prefix or another length than the table's own keys.
    #[cold]
    fn find_other(&self, presented: &[u8]) -> Result<MatchedKey<R>, KeyError> {
        let key = self.digest_unless(presented, || !self.contents.has_foreign())?;
        self.contents.get(&key).map(MatchedKey).ok_or(match key {
            KeyDigest::Native(_) => KeyError::Malformed(Flaw::Prefix),
            KeyDigest::Foreign(_) => KeyError::Unknown,
        })
    }

    /// Computes the digest under which this table stores a foreign key.
    #[must_use]
    pub fn foreign_digest(&self, key: &ForeignKey<'_>) -> KeyDigest {
        KeyDigest::Foreign(key.digest(self.pepper.as_ref()))
    }

    /// Computes the digest that this table looks up for a presented key.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when `presented` is not a key in tollgate's format and cannot be a foreign key.
    pub fn digest_of(&self, presented: &[u8]) -> Result<KeyDigest, KeyError> {
        self.digest_unless(presented, || false)
    }

    fn digest_unless(&self, presented: &[u8], foreign_refused: impl FnOnce() -> bool) -> Result<KeyDigest, KeyError> {
        if let Ok(key) = NativeKey::parse(presented) {
            return Ok(KeyDigest::Native(key.digest()));
        }
        match (self.format.check(presented), ForeignKey::presented(presented)) {
            (Err(KeyError::Malformed(Flaw::Prefix)), Some(key)) if !foreign_refused() => Ok(self.foreign_digest(&key)),
            // A key that starts like a native one is judged as native only, so its flaw is the answer.
            (checked, _) => Ok(KeyDigest::Native(checked?.digest())),
        }
    }

    /// Returns the entry stored under a digest. For administration: an entry proves nothing about a caller.
    #[must_use]
    pub fn get(&self, digest: &Digest) -> Option<TableEntry<R>> {
        either(digest, |key| self.contents.get(&key))
    }

    /// Stores a record under a key's digest and returns the entry that it replaces. Later finds see the new record.
    ///
    /// While the table holds at least one foreign key, presented bytes that are not in tollgate's format are hashed and
    /// looked up.
    pub fn insert(&self, key: impl Into<KeyDigest>, record: impl Into<R>) -> Option<TableEntry<R>> {
        let (key, record) = (key.into(), record.into());
        self.contents.change(Change::Insert(key, TableEntry::new(*key.digest(), record)))
    }

    /// Replaces a key's record by the result of `change` and returns the new entry; `None` when the table does not hold
    /// the key.
    ///
    /// The update is atomic: a key that another thread removes meanwhile stays removed, and no other thread's change is
    /// lost. `change` runs without any lock. `change` runs again when another thread's change came first.
    ///
    /// ```
    /// # use tollgate_apikeys::{ApiKey, ApiKeyTable, KeyFormat};
    /// # let format = KeyFormat::new("tg", "live")?;
    /// # let key = ApiKey::generate(&format)?;
    /// let table = ApiKeyTable::<u32>::new(format);
    /// table.insert(&key, 1_u32);
    /// assert_eq!(table.update(&key.digest(), |number| number + 1).map(|entry| *entry.record()), Some(2));
    /// table.remove(&key.digest());
    /// assert!(table.update(&key.digest(), |number| number + 1).is_none());
    /// # Ok::<(), tollgate_apikeys::KeyError>(())
    /// ```
    pub fn update(&self, digest: &Digest, mut change: impl FnMut(&R) -> R) -> Option<TableEntry<R>> {
        either(digest, |key| self.contents.update(key, &mut change))
    }

    /// Removes a key and returns its entry. No find that starts later finds the key.
    pub fn remove(&self, digest: &Digest) -> Option<TableEntry<R>> {
        let remove = |key| self.contents.change(Change::Remove(key));
        // Remove both, found or not: a replacement that is being built may already hold the key.
        let (native, foreign) = (remove(KeyDigest::Native(*digest)), remove(KeyDigest::Foreign(*digest)));
        native.or(foreign)
    }

    /// Removes every key for which `keep` returns false; returns how many. For the owner's background work, such as
    /// removing expired records.
    ///
    /// `keep` runs without any lock that a find or another writer waits for. `keep` may use the table, but must not
    /// call `retain` or [`replace_all`](Self::replace_all) on it: the two calls would wait for each other. A key whose
    /// record was replaced after `keep` saw it stays.
    pub fn retain(&self, keep: impl FnMut(&TableEntry<R>) -> bool) -> usize {
        self.contents.retain(keep)
    }

    /// Replaces all keys by `entries` atomically: no find sees a part of the old contents and a part of the new.
    ///
    /// The new contents are built in memory of their own while finds use the old ones. The swap holds the locks of all
    /// shards for some microseconds. Keys that other threads insert, update or remove meanwhile are carried over to the
    /// new contents.
    ///
    /// `entries` may use the table, but must not call `replace_all` or [`retain`](Self::retain) on it: the two calls
    /// would wait for each other.
    ///
    /// ```
    /// # use tollgate_apikeys::{ApiKey, ApiKeyTable, KeyFormat};
    /// # let format = KeyFormat::new("tg", "live")?;
    /// let (old, new) = (ApiKey::generate(&format)?, ApiKey::generate(&format)?);
    /// let table = ApiKeyTable::<()>::new(format);
    /// table.insert(&old, ());
    /// table.replace_all([(&new, ())]);
    /// assert!(table.find(old.as_str().as_bytes()).is_err());
    /// assert!(table.find(new.as_str().as_bytes()).is_ok());
    /// # Ok::<(), tollgate_apikeys::KeyError>(())
    /// ```
    pub fn replace_all<K: Into<KeyDigest>>(&self, entries: impl IntoIterator<Item = (K, R)>) {
        self.contents.replace_all(entries.into_iter().map(|(key, record)| {
            let key = key.into();
            (key, TableEntry::new(*key.digest(), record))
        }));
    }

    /// How many keys the table holds, native and foreign.
    #[must_use]
    pub fn len(&self) -> usize {
        self.contents.len()
    }

    /// Whether the table holds no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `visit` with every key in the table, in no particular order, while no lock is held. A key that is in the
    /// table from the first call to the last is visited exactly once; a key that is inserted or removed meanwhile, once
    /// or not at all.
    pub fn for_each(&self, visit: impl FnMut(&KeyDigest, &TableEntry<R>)) {
        self.contents.for_each(visit);
    }
}

/// Looks up the digest as a native key's, then as a foreign key's.
fn either<T>(digest: &Digest, mut look: impl FnMut(KeyDigest) -> Option<T>) -> Option<T> {
    look(KeyDigest::Native(*digest)).or_else(|| look(KeyDigest::Foreign(*digest)))
}

impl<R> fmt::Debug for ApiKeyTable<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ApiKeyTable");
        debug.field("format", &self.format).field("len", &self.len()).finish_non_exhaustive()
    }
}

/// The proof that a presented key is in the table. Only [`ApiKeyTable::find`] makes it.
///
/// Cheap to clone, and no larger than a pointer. Keeps the matched record alive, and nothing else of the table.
pub struct MatchedKey<R>(TableEntry<R>);

impl<R> MatchedKey<R> {
    /// The record that the table held when the key was found.
    #[inline]
    #[must_use]
    pub fn record(&self) -> &R {
        self.0.record()
    }

    /// The digest of the presented key.
    #[inline]
    #[must_use]
    pub fn digest(&self) -> &Digest {
        self.0.digest()
    }
}

impl<R> Clone for MatchedKey<R> {
    #[inline]
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<R> fmt::Debug for MatchedKey<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MatchedKey(..)")
    }
}
