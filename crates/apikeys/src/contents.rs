//! A table's contents, and the only code that changes them.
//!
//! Readers use one immutable snapshot of the shards and never wait. Writers lock one shard. A replacement of everything
//! is built beside the old contents. Meanwhile writers change the old contents and record each change in a journal. The
//! replacement applies the journals to the new contents, change by change, before it swaps them in.

use crate::entry::{KeyDigest, TableEntry};
use crate::limits::{GROWTH, KEYS_PER_SHARD, REMOVED_KEPT, SHARDS_MAX, SHARDS_MIN, SHARDS_WHEN_UNKNOWN};
use crate::native_key::NativeKey;
use crate::place::Placement;
use crate::slots::Slots;
use crate::sync::{ArcSwap, AtomicUsize, Mutex, MutexGuard, lock, retire};
use std::mem;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

pub(crate) struct Contents<R> {
    snapshot: ArcSwap<Shards<R>>,
    /// One per shard.
    writers: Box<[Mutex<Writer<R>>]>,
    placement: Placement,
    /// For how many keys a shard is sized when it gets its first key.
    first_room: usize,
    /// Never below the number of foreign keys: raised before one is inserted, lowered after one was removed. So one
    /// load rejects garbage while there are none.
    foreign_keys: AtomicUsize,
    /// Held during a replacement of everything. Also held during a [`retain`](Self::retain), which would otherwise
    /// judge records that are about to be replaced.
    replacement_lock: Mutex<()>,
}

type Shards<R> = Box<[Arc<Slots<R>>]>;

/// Writer-only state of a shard.
struct Writer<R> {
    /// Slots that hold or held a key.
    used: usize,
    keys: usize,
    foreign_keys: usize,
    /// Changes since a replacement began; `None` when no replacement runs.
    journal: Option<Vec<Change<R>>>,
}

/// One change of one key.
pub(crate) enum Change<R> {
    Insert(KeyDigest, TableEntry<R>),
    /// Replaces the record of a key that is in the table.
    Replace(KeyDigest, TableEntry<R>),
    Remove(KeyDigest),
}

impl<R> Contents<R> {
    pub(crate) fn with_capacity(keys: usize) -> Self {
        let shards = match keys {
            0 => SHARDS_WHEN_UNKNOWN,
            keys => (keys / KEYS_PER_SHARD).next_power_of_two().clamp(SHARDS_MIN, SHARDS_MAX),
        };
        Self::new(shards, keys, Placement::random())
    }

    fn new(shards: usize, keys: usize, placement: Placement) -> Self {
        // Shards fill unevenly, with the square root of their mean as standard deviation. One shard in 700 exceeds the
        // mean by more than three deviations. A shard also takes more keys than it is sized for before it has to grow.
        let mean = keys.div_ceil(shards);
        let empty = Arc::new(Slots::with_room(0, shards));
        Self {
            snapshot: ArcSwap::from_pointee(vec![empty; shards].into()),
            writers: (0..shards).map(|_| Mutex::new(Writer::new())).collect(),
            placement,
            first_room: if keys == 0 { 0 } else { mean + 3 * mean.isqrt() },
            foreign_keys: AtomicUsize::new(0),
            replacement_lock: Mutex::new(()),
        }
    }

    /// Finds the native key with this checksum that `check` returns. The position depends on the checksum alone, so the
    /// slots are loaded from memory while the key is checked, and the entry while the key is hashed.
    #[inline]
    pub(crate) fn find_native<'k, E>(
        &self,
        checksum: u32,
        check: impl FnOnce() -> Result<NativeKey<'k>, E>,
    ) -> Result<Option<TableEntry<R>>, E> {
        let place = self.placement.of_native(checksum);
        let snapshot = self.snapshot.load();
        let slots = &snapshot[place.shard(snapshot.len())];
        let likely = slots.likely(place);
        let key = check()?;
        let likely = likely.and_then(OnceLock::get).map(|entry| (entry, entry.fetch()));
        let digest = key.digest();
        Ok(match likely {
            Some((entry, found)) if found == digest => Some(entry.clone()),
            _ => slots.find(place, &digest).map(|found| found.entry.clone()),
        })
    }

    pub(crate) fn get(&self, key: &KeyDigest) -> Option<TableEntry<R>> {
        let place = self.placement.of(key);
        let snapshot = self.snapshot.load();
        snapshot[place.shard(snapshot.len())].find(place, key.digest()).map(|found| found.entry.clone())
    }

    #[inline]
    pub(crate) fn has_foreign(&self) -> bool {
        self.foreign_keys.load(Ordering::Acquire) != 0
    }

    pub(crate) fn len(&self) -> usize {
        self.writers.iter().map(|writer| lock(writer).keys).sum()
    }

    /// Applies a change; returns the entry that it displaced.
    pub(crate) fn change(&self, change: Change<R>) -> Option<TableEntry<R>> {
        let number = self.shard(change.key());
        let displaced = self.change_if(change, |_| true).flatten();
        self.tidy(number);
        displaced
    }

    /// Replaces the record of a key that is in the table by the result of `change`; returns the new entry. No other
    /// thread's change is lost, and a key that another thread removed stays removed.
    pub(crate) fn update(&self, key: KeyDigest, mut change: impl FnMut(&R) -> R) -> Option<TableEntry<R>> {
        loop {
            let seen = self.get(&key)?;
            let entry = TableEntry::new(*key.digest(), change(seen.record()));
            let is_still = |current: Option<&TableEntry<R>>| current.is_some_and(|current| current.is_same(&seen));
            if self.change_if(Change::Replace(key, entry.clone()), is_still).is_some() {
                self.tidy(self.shard(&key));
                return Some(entry);
            }
        }
    }

    /// Removes every key for which `keep` returns false, except a key whose record has changed meanwhile; returns how
    /// many.
    pub(crate) fn retain(&self, mut keep: impl FnMut(&TableEntry<R>) -> bool) -> usize {
        let _guard = lock(&self.replacement_lock);
        let mut removed = 0;
        for number in 0..self.writers.len() {
            for (key, entry) in self.page(number) {
                let is_still = |current: Option<&TableEntry<R>>| current.is_some_and(|current| current.is_same(&entry));
                if !keep(&entry) && self.change_if(Change::Remove(key), is_still).is_some() {
                    removed += 1;
                }
            }
            self.tidy(number);
        }
        removed
    }

    /// Replaces everything atomically; changes that other threads make meanwhile hold in the new contents too.
    pub(crate) fn replace_all(&self, entries: impl Iterator<Item = (KeyDigest, TableEntry<R>)>) {
        let _guard = lock(&self.replacement_lock);
        self.writers.iter().for_each(|writer| lock(writer).journal = Some(Vec::new()));
        let _closed = CloseJournals(self);
        let fresh = Self::new(self.writers.len(), entries.size_hint().0, self.placement.clone());
        // The caller's iterator may panic; no lock that another writer waits for is held here.
        for (key, entry) in entries {
            fresh.change(Change::Insert(key, entry));
        }
        // Dropped after the locks: a record's `Drop` may use the table, and dropping everything can take seconds.
        let (mut replaced, mut displaced) = (Replaced(Vec::new()), Vec::new());
        let mut writers: Vec<_> = self.writers.iter().map(lock).collect();
        for (number, (writer, fresh_writer)) in writers.iter_mut().zip(&fresh.writers).enumerate() {
            for change in writer.journal.take().unwrap_or_default() {
                displaced.push(fresh.apply(number, &mut lock(fresh_writer), &change, &mut replaced));
                displaced.push(change.into_entry());
            }
        }
        let foreign_keys = |writers: &[MutexGuard<'_, Writer<R>>]| writers.iter().map(|one| one.foreign_keys).sum();
        let before: usize = foreign_keys(&writers);
        for (writer, fresh) in writers.iter_mut().zip(&fresh.writers) {
            **writer = mem::replace(&mut lock(fresh), Writer::new());
        }
        self.foreign_keys.fetch_add(foreign_keys(&writers), Ordering::AcqRel);
        replaced.0.push(self.snapshot.swap(fresh.snapshot.load_full()));
        self.foreign_keys.fetch_sub(before, Ordering::AcqRel);
    }

    /// Calls `visit` with every key. Copies one shard at a time.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&KeyDigest, &TableEntry<R>)) {
        for (key, entry) in (0..self.writers.len()).flat_map(|number| self.page(number)) {
            visit(&key, &entry);
        }
    }

    /// Copies the entries of one shard.
    fn page(&self, number: usize) -> Vec<(KeyDigest, TableEntry<R>)> {
        let _turn = lock(&self.writers[number]);
        self.snapshot.load()[number].iter().map(|(key, entry)| (key, entry.clone())).collect()
    }

    /// Applies a change if `accepts` returns true for the key's present entry. Returns the entry that the change
    /// displaced, or `None` if refused.
    fn change_if(
        &self,
        change: Change<R>,
        accepts: impl FnOnce(Option<&TableEntry<R>>) -> bool,
    ) -> Option<Option<TableEntry<R>>> {
        let (place, number) = (self.placement.of(change.key()), self.shard(change.key()));
        let mut replaced = Replaced(Vec::new());
        let mut writer = lock(&self.writers[number]);
        if !accepts(self.snapshot.load()[number].find(place, change.key().digest()).map(|found| found.entry)) {
            return None;
        }
        let displaced = self.apply(number, &mut writer, &change, &mut replaced);
        if let Some(journal) = &mut writer.journal {
            journal.push(change);
        }
        Some(displaced)
    }

    fn apply(
        &self,
        number: usize,
        writer: &mut Writer<R>,
        change: &Change<R>,
        replaced: &mut Replaced<R>,
    ) -> Option<TableEntry<R>> {
        let (key, place) = (change.key(), self.placement.of(change.key()));
        let is_foreign = usize::from(matches!(key, KeyDigest::Foreign(_)));
        if change.entry().is_some() && !self.snapshot.load()[number].has_room(writer.used) {
            let keys = writer.keys + 1;
            self.rebuild(number, writer, keys + keys * GROWTH.0 / GROWTH.1, replaced);
        }
        let snapshot = self.snapshot.load();
        let found = snapshot[number].find(place, key.digest());
        match (change, &found) {
            (Change::Replace(..) | Change::Remove(_), None) => return None,
            (Change::Insert(_, entry) | Change::Replace(_, entry), Some(found)) => {
                // Append before marking: a reader that sees the earlier slot marked must find the later slot.
                snapshot[number].append(place, entry.clone());
                writer.used += 1;
                found.remove();
            }
            (Change::Insert(_, entry), None) => {
                self.foreign_keys.fetch_add(is_foreign, Ordering::AcqRel);
                writer.foreign_keys += is_foreign;
                snapshot[number].append(place, entry.clone());
                writer.used += 1;
                writer.keys += 1;
            }
            (Change::Remove(_), Some(found)) => {
                found.remove();
                writer.keys -= 1;
                writer.foreign_keys -= is_foreign;
                self.foreign_keys.fetch_sub(is_foreign, Ordering::AcqRel);
            }
        }
        found.map(|found| found.entry.clone())
    }

    /// Rebuilds a shard that holds many removed keys.
    fn tidy(&self, number: usize) {
        let mut replaced = Replaced(Vec::new());
        let mut writer = lock(&self.writers[number]);
        if (writer.used - writer.keys) * REMOVED_KEPT.1 > writer.keys * REMOVED_KEPT.0 {
            let keys = writer.keys;
            self.rebuild(number, &mut writer, keys, &mut replaced);
        }
    }

    fn shard(&self, key: &KeyDigest) -> usize {
        self.placement.of(key).shard(self.writers.len())
    }

    /// Rebuilds a shard with room for `keys` keys and without the removed ones.
    fn rebuild(&self, number: usize, writer: &mut Writer<R>, keys: usize, replaced: &mut Replaced<R>) {
        let room = if keys == 0 { 0 } else { keys.max(self.first_room) };
        let rebuilt = Arc::new(self.snapshot.load()[number].rebuilt(&self.placement, room));
        replaced.0.push(self.snapshot.rcu(|snapshot| {
            let mut shards = Shards::clone(snapshot);
            shards[number] = rebuilt.clone();
            shards
        }));
        writer.used = writer.keys;
    }
}

impl<R> Writer<R> {
    fn new() -> Self {
        Self { used: 0, keys: 0, foreign_keys: 0, journal: None }
    }
}

impl<R> Change<R> {
    fn key(&self) -> &KeyDigest {
        match self {
            Self::Insert(key, _) | Self::Replace(key, _) | Self::Remove(key) => key,
        }
    }

    fn entry(&self) -> Option<&TableEntry<R>> {
        match self {
            Self::Insert(_, entry) | Self::Replace(_, entry) => Some(entry),
            Self::Remove(_) => None,
        }
    }

    fn into_entry(self) -> Option<TableEntry<R>> {
        match self {
            Self::Insert(_, entry) | Self::Replace(_, entry) => Some(entry),
            Self::Remove(_) => None,
        }
    }
}

/// Retired snapshots, to be dropped while no lock is held.
struct Replaced<R>(Vec<Arc<Shards<R>>>);

impl<R> Drop for Replaced<R> {
    fn drop(&mut self) {
        self.0.drain(..).for_each(retire);
    }
}

/// Closes the journals even when building the new contents panics: they would grow for ever.
struct CloseJournals<'c, R>(&'c Contents<R>);

impl<R> Drop for CloseJournals<'_, R> {
    fn drop(&mut self) {
        for writer in &self.0.writers {
            let abandoned = lock(writer).journal.take();
            drop(abandoned);
        }
    }
}
