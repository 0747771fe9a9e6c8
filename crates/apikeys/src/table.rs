use crate::changes::{Change, Changes};
use crate::contents::{Contents, Origin, TableEntry};
use crate::digest::Digest;
use crate::error::{Flaw, KeyError};
use crate::foreign::{ForeignKey, Pepper};
use crate::format::KeyFormat;
use crate::record::{Found, Record};
use std::fmt;
use std::sync::Arc;

/// Finds the record of a presented API key, from one key to ten million.
///
/// Holds digests only. Many threads may find while others insert and remove; a shard's lock is held for one look-up or
/// one change, never while a caller's code runs.
///
/// What is promised:
/// - Once [`remove`](Self::remove), [`retain`](Self::retain) or [`replace_all`](Self::replace_all) has returned, no
///   `find` that starts later finds what it removed, whatever other writers do meanwhile, unless they insert it again.
/// - A match means that all 32 bytes of the digest are equal, compared in constant time. Where to look is decided by a
///   hash keyed with a secret of this table, so that nobody can choose keys that lie in one place.
/// - [`find`](Self::find) allocates nothing. What is not of the operator's [`KeyFormat`] is rejected before anything is
///   hashed, as long as the table holds no foreign key.
///
/// Keys made in the operator's format and foreign keys are kept apart: what starts as native keys do is only ever looked
/// for among the native ones.
pub struct ApiKeyTable<R: Record> {
    format: KeyFormat,
    pepper: Option<Pepper>,
    contents: Contents<R>,
    changes: Changes<R>,
}

impl<R: Record> ApiKeyTable<R> {
    /// An empty table for keys of `format`.
    #[must_use]
    pub fn new(format: KeyFormat) -> Self {
        Self::with_capacity(format, 0)
    }

    /// An empty table with room for `native_keys`: loading them moves nothing, and the shards are as many as that size
    /// asks for. Their number does not change later.
    #[must_use]
    pub fn with_capacity(format: KeyFormat, native_keys: usize) -> Self {
        Self { format, pepper: None, contents: Contents::with_capacity(native_keys), changes: Changes::default() }
    }

    /// Digests foreign keys under this pepper. To be given before the first foreign key is inserted.
    #[must_use]
    pub fn pepper(mut self, pepper: Pepper) -> Self {
        self.pepper = Some(pepper);
        self
    }

    /// The format of this table's native keys.
    #[must_use]
    pub fn format(&self) -> &KeyFormat {
        &self.format
    }

    /// Finds the record of a key as a caller presents it.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when it is neither a key of the format nor, if the table holds foreign keys, of 16 to 512
    /// bytes; [`KeyError::Unknown`] when no key in the table is equal to it.
    ///
    /// ```
    /// # use tollgate_apikeys::{ApiKeyTable, Flaw, KeyError, KeyFormat};
    /// let table = ApiKeyTable::<()>::new(KeyFormat::new("tg", "live")?);
    /// let typo = b"tg_live_100000000000000000000000000000000000000000000JtwuV";
    /// assert_eq!(table.find(typo).unwrap_err(), KeyError::Malformed(Flaw::Checksum));
    /// # Ok::<(), KeyError>(())
    /// ```
    #[inline]
    pub fn find(&self, presented: &[u8]) -> Result<MatchedKey<R>, KeyError> {
        match self.format.check(presented) {
            Ok(()) => self.matched(Origin::Native, Digest::of(presented)),
            Err(malformed) => self.find_foreign(presented, malformed),
        }
    }

    #[cold]
    fn find_foreign(&self, presented: &[u8], malformed: KeyError) -> Result<MatchedKey<R>, KeyError> {
        // What starts as a native key does was decided to be one, and has failed as one.
        if malformed != KeyError::Malformed(Flaw::Prefix) || !self.contents.has_foreign() {
            return Err(malformed);
        }
        let foreign = ForeignKey::presented(presented).ok_or(malformed)?;
        self.matched(Origin::Foreign, self.foreign_digest(&foreign))
    }

    #[inline]
    fn matched(&self, origin: Origin, digest: Digest) -> Result<MatchedKey<R>, KeyError> {
        let found = self.contents.find(origin, &digest).ok_or(KeyError::Unknown)?;
        Ok(MatchedKey { digest, found })
    }

    /// The digest under which this table keeps a foreign key.
    #[must_use]
    pub fn foreign_digest(&self, key: &ForeignKey<'_>) -> Digest {
        key.digest(self.pepper.as_ref())
    }

    /// The record kept under a digest. For administration: it proves nothing about a caller.
    #[must_use]
    pub fn get(&self, digest: &Digest) -> Option<Arc<R>> {
        let found = |origin| self.contents.find(origin, digest);
        found(Origin::Native).or_else(|| found(Origin::Foreign)).map(Found::into_record)
    }

    /// Puts a native key's record under its digest; returns the one it replaces. Later finds see it.
    pub fn insert(&self, digest: Digest, record: Arc<R>) -> Option<Arc<R>> {
        self.changes.apply(&self.contents, Change::Insert(Origin::Native, digest, record))
    }

    /// Puts a foreign key's record under its [`foreign_digest`](Self::foreign_digest); returns the one it replaces.
    ///
    /// From now on, and until the last foreign key is removed, presented bytes that are not of the format are hashed and
    /// looked for.
    pub fn insert_foreign(&self, digest: Digest, record: Arc<R>) -> Option<Arc<R>> {
        self.changes.apply(&self.contents, Change::Insert(Origin::Foreign, digest, record))
    }

    /// Puts in many keys, as [`insert`](Self::insert) and [`insert_foreign`](Self::insert_foreign) do one after the other, and
    /// sooner: the memory that they go to is waited for once for some of them, not once for each. Tuples
    /// `(Digest, Arc<R>)` are native keys.
    ///
    /// ```
    /// # use tollgate_apikeys::{ApiKey, ApiKeyTable, KeyFormat};
    /// let format = KeyFormat::new("tg", "live")?;
    /// let keys = [ApiKey::generate(&format)?, ApiKey::generate(&format)?];
    /// let table = ApiKeyTable::<()>::with_capacity(format, keys.len());
    /// table.insert_all(keys.iter().map(|key| (key.digest(), ().into())));
    /// assert!(table.find(keys[1].as_str().as_bytes()).is_ok());
    /// # Ok::<(), tollgate_apikeys::KeyError>(())
    /// ```
    pub fn insert_all<I>(&self, entries: I)
    where
        I: IntoIterator,
        I::Item: Into<TableEntry<R>>,
    {
        self.contents.insert_all(entries.into_iter().map(Into::into), |change| {
            self.changes.apply(&self.contents, change);
        });
    }

    /// Removes a key, native or foreign. No find that starts later finds it.
    pub fn remove(&self, digest: &Digest) -> Option<Arc<R>> {
        self.changes.apply(&self.contents, Change::Remove(*digest))
    }

    /// Removes every key for which `keep` says no; returns how many. For the background work of whoever owns the table:
    /// records that have expired, for example.
    ///
    /// `keep` runs without any lock. A key whose record was replaced after `keep` saw it stays.
    pub fn retain(&self, mut keep: impl FnMut(&Digest, &Arc<R>) -> bool) -> usize {
        let mut removed = 0;
        for entry in self.pages().flatten() {
            if !keep(&entry.digest, &entry.record) {
                let change = Change::RemoveRecord(entry.digest, entry.record.clone());
                removed += usize::from(self.changes.apply(&self.contents, change).is_some());
            }
        }
        removed
    }

    /// Replaces everything by `entries`, all at once: no find sees a part of the old and a part of the new.
    ///
    /// The new contents are built aside, in memory of their own, while finds go on in the old ones; then they are swapped
    /// in while every shard is locked, some microseconds. Keys that others insert or remove meanwhile are carried over:
    /// what they did holds in the new contents too. Tuples `(Digest, Arc<R>)` are native keys.
    ///
    /// `entries` may use the table, but not call `replace_all` on it: one replacement waits for the other.
    ///
    /// ```
    /// # use tollgate_apikeys::{ApiKey, ApiKeyTable, KeyFormat};
    /// let format = KeyFormat::new("tg", "live")?;
    /// let (old, new) = (ApiKey::generate(&format)?, ApiKey::generate(&format)?);
    /// let table = ApiKeyTable::<()>::new(format);
    /// table.insert(old.digest(), ().into());
    /// table.replace_all([(new.digest(), ().into())]);
    /// assert!(table.find(old.as_str().as_bytes()).is_err());
    /// assert!(table.find(new.as_str().as_bytes()).is_ok());
    /// # Ok::<(), tollgate_apikeys::KeyError>(())
    /// ```
    pub fn replace_all<I>(&self, entries: I)
    where
        I: IntoIterator,
        I::Item: Into<TableEntry<R>>,
    {
        let replaced = self.changes.replace(&self.contents, entries.into_iter().map(Into::into));
        // Freed here, by the caller and under no lock: it can take seconds.
        drop(replaced);
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

    /// Everything in the table, a page at a time, in no particular order.
    ///
    /// A page is a copy of one shard, taken at once; between pages nothing is locked and the table can change. What is in
    /// the table from the first page to the last is given exactly once; what comes or goes meanwhile, once or not at all.
    pub fn pages(&self) -> impl Iterator<Item = Vec<TableEntry<R>>> {
        (0..self.contents.page_count()).map(|number| self.contents.page(number))
    }

    /// Calls `visit` with every key, as [`pages`](Self::pages) gives them. No lock is held meanwhile.
    pub fn for_each(&self, mut visit: impl FnMut(&Digest, &Arc<R>)) {
        for entry in self.pages().flatten() {
            visit(&entry.digest, &entry.record);
        }
    }
}

impl<R: Record> fmt::Debug for ApiKeyTable<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ApiKeyTable");
        debug.field("format", &self.format).field("len", &self.len()).finish_non_exhaustive()
    }
}

/// The proof that a presented key is in the table. Only [`ApiKeyTable::find`] makes it.
pub struct MatchedKey<R: Record> {
    digest: Digest,
    found: Found<R>,
}

impl<R: Record> MatchedKey<R> {
    /// The record as it was in the table, packed or whole.
    #[inline]
    #[must_use]
    pub fn found(&self) -> &Found<R> {
        &self.found
    }

    /// Gives up the proof for what was found.
    #[inline]
    #[must_use]
    pub fn into_found(self) -> Found<R> {
        self.found
    }

    /// Gives up the proof for the record; one that was packed is made anew.
    #[must_use]
    pub fn into_record(self) -> Arc<R> {
        self.found.into_record()
    }

    /// The digest of what was presented.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

impl<R: Record> fmt::Debug for MatchedKey<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MatchedKey(..)")
    }
}
