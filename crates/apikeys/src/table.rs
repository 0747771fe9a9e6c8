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
/// Holds digests only. Many threads may find while others insert and remove. A find takes no lock and waits for nobody; the
/// only memory it writes that another thread may read is the reference count of the record it has found. Writers take turns
/// at a shard, and no caller's code runs while one has its turn.
///
/// What is promised:
/// - Once [`remove`](Self::remove), [`retain`](Self::retain) or [`replace_all`](Self::replace_all) has returned, no
///   `find` that starts later finds what it removed, whatever other writers do meanwhile, unless they insert it again.
/// - A match means that all 32 bytes of the digest are equal, compared in constant time. Where to look is decided by a
///   hash keyed with a secret of this table.
/// - [`find`](Self::find) allocates nothing. What is not in tollgate's format is rejected before anything is hashed, as
///   long as the table holds no foreign key.
///
/// Keys in tollgate's format and foreign keys are kept apart: what starts as this table's own keys do is only ever looked
/// for among the native ones.
pub struct ApiKeyTable<R> {
    format: KeyFormat,
    pepper: Option<Pepper>,
    contents: Contents<R>,
}

/// What an [`ApiKeyTable`] is made of.
#[derive(Debug)]
pub struct ApiKeyTableBuilder<R> {
    format: KeyFormat,
    pepper: Option<Pepper>,
    capacity: usize,
    record: PhantomData<fn() -> R>,
}

impl<R> ApiKeyTableBuilder<R> {
    /// Digests foreign keys under this pepper.
    #[must_use]
    pub fn pepper(mut self, pepper: impl Into<Option<Pepper>>) -> Self {
        self.pepper = pepper.into();
        self
    }

    /// Makes room for so many keys, at most [`CAPACITY_MAX`]: loading them moves none, and the shards are as many as that size
    /// asks for. Their number does not change later. A table may hold more keys than it was made for.
    #[must_use]
    pub fn capacity(mut self, keys: usize) -> Self {
        self.capacity = keys.min(CAPACITY_MAX);
        self
    }

    /// The table, empty.
    #[must_use]
    pub fn build(self) -> ApiKeyTable<R> {
        ApiKeyTable { format: self.format, pepper: self.pepper, contents: Contents::with_capacity(self.capacity) }
    }
}

impl<R> ApiKeyTable<R> {
    /// An empty table for keys of `format`, without a pepper.
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

    /// Finds the record of a key as a caller presents it.
    ///
    /// A key in tollgate's format with another prefix or environment is found if the table holds it.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when it is neither a key of the format nor, if the table holds foreign keys, of 16 to 512
    /// bytes; [`KeyError::Unknown`] when no key in the table is equal to it.
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

    /// What does not begin as the table's own keys do, or has not their length.
    #[cold]
    fn find_other(&self, presented: &[u8]) -> Result<MatchedKey<R>, KeyError> {
        let key = self.digest_unless(presented, || !self.contents.has_foreign())?;
        self.contents.get(&key).map(MatchedKey).ok_or(match key {
            KeyDigest::Native(_) => KeyError::Malformed(Flaw::Prefix),
            KeyDigest::Foreign(_) => KeyError::Unknown,
        })
    }

    /// The digest under which this table keeps a foreign key.
    #[must_use]
    pub fn foreign_digest(&self, key: &ForeignKey<'_>) -> KeyDigest {
        KeyDigest::Foreign(key.digest(self.pepper.as_ref()))
    }

    /// The digest under which this table looks for a key as it is presented.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when it is neither a key in tollgate's format nor may be a foreign one.
    pub fn digest_of(&self, presented: &[u8]) -> Result<KeyDigest, KeyError> {
        self.digest_unless(presented, || false)
    }

    fn digest_unless(&self, presented: &[u8], foreign_refused: impl FnOnce() -> bool) -> Result<KeyDigest, KeyError> {
        if let Ok(key) = NativeKey::parse(presented) {
            return Ok(KeyDigest::Native(key.digest()));
        }
        match (self.format.check(presented), ForeignKey::presented(presented)) {
            (Err(KeyError::Malformed(Flaw::Prefix)), Some(key)) if !foreign_refused() => Ok(self.foreign_digest(&key)),
            // What starts as a native key does was decided to be one, and has failed as one.
            (checked, _) => Ok(KeyDigest::Native(checked?.digest())),
        }
    }

    /// What is kept under a digest. For administration: it proves nothing about a caller.
    #[must_use]
    pub fn get(&self, digest: &Digest) -> Option<TableEntry<R>> {
        either(digest, |key| self.contents.get(&key))
    }

    /// Puts a record under a key's digest; returns what it replaces. Later finds see it.
    ///
    /// From the first foreign key until the last is removed, presented bytes that are not of the format are hashed and looked
    /// for.
    pub fn insert(&self, key: impl Into<KeyDigest>, record: impl Into<R>) -> Option<TableEntry<R>> {
        let (key, record) = (key.into(), record.into());
        self.contents.change(Change::Insert(key, TableEntry::new(*key.digest(), record)))
    }

    /// Gives a key the record that `change` makes of the one it has, and returns what is there now; `None` when the key is not
    /// there.
    ///
    /// It is one step: whatever others do meanwhile, a key that they remove stays removed, and no change of theirs is lost.
    /// `change` runs without any lock, and again when another change came first.
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

    /// Removes a key. No find that starts later finds it.
    pub fn remove(&self, digest: &Digest) -> Option<TableEntry<R>> {
        let remove = |key| self.contents.change(Change::Remove(key));
        // Both, whether or not it is there: what replaces everything meanwhile may hold it.
        let (native, foreign) = (remove(KeyDigest::Native(*digest)), remove(KeyDigest::Foreign(*digest)));
        native.or(foreign)
    }

    /// Removes every key for which `keep` says no; returns how many. For the background work of whoever owns the table:
    /// records that have expired, for example.
    ///
    /// `keep` runs without any lock that a find or another writer waits for, and may use the table, but not call `retain` or
    /// [`replace_all`](Self::replace_all) on it: one waits for the other. A key whose record was replaced after `keep` saw it
    /// stays.
    pub fn retain(&self, keep: impl FnMut(&TableEntry<R>) -> bool) -> usize {
        self.contents.retain(keep)
    }

    /// Replaces everything by `entries`, all at once: no find sees a part of the old and a part of the new.
    ///
    /// The new contents are built aside, in memory of their own, while finds go on in the old ones; then they are swapped
    /// in while every shard has its turn taken, some microseconds. Keys that others insert, update or remove meanwhile are
    /// carried over: what they did holds in the new contents too.
    ///
    /// `entries` may use the table, but not call `replace_all` or [`retain`](Self::retain) on it: one waits for the other.
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

    /// Calls `visit` with everything in the table, in no particular order. No lock is held meanwhile: what is in the table
    /// from the first call to the last is given exactly once; what comes or goes meanwhile, once or not at all.
    pub fn for_each(&self, visit: impl FnMut(&KeyDigest, &TableEntry<R>)) {
        self.contents.for_each(visit);
    }
}

/// Tries the digest as that of a native and then as that of a foreign key.
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
/// Cheap to clone, and no larger than a pointer. It keeps the record that was found alone, whatever becomes of the table.
pub struct MatchedKey<R>(TableEntry<R>);

impl<R> MatchedKey<R> {
    /// The record as it was in the table.
    #[inline]
    #[must_use]
    pub fn record(&self) -> &R {
        self.0.record()
    }

    /// What is kept of the key that was presented.
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
