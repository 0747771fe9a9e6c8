//! What is in a table, and the one way by which it changes.
//!
//! Readers look into one immutable snapshot of the shards and wait for nobody. Writers take turns at a shard. A replacement
//! of everything is built aside; what writers change meanwhile they change in the old contents and write down, and what they
//! have written down is done to the new contents, key by key, before these take the place of the old.

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
    now: ArcSwap<Shards<R>>,
    /// Of each shard that of its one writer.
    writers: Box<[Mutex<Writer<R>>]>,
    placement: Placement,
    /// For how many keys a shard is made when its first one comes.
    first_room: usize,
    /// Never below the number of foreign keys: raised before one comes, lowered after one has gone. So garbage is rejected by
    /// one load while there are none.
    foreign_keys: AtomicUsize,
    /// Held through a replacement of everything, and through a [`retain`](Self::retain), which would judge what is about to
    /// be replaced.
    one_replacement: Mutex<()>,
}

type Shards<R> = Box<[Arc<Slots<R>>]>;

struct Writer<R> {
    /// Slots that have or had a key.
    used: usize,
    keys: usize,
    foreign_keys: usize,
    /// What has changed since a replacement began.
    journal: Option<Vec<Change<R>>>,
}

/// One change of one key.
pub(crate) enum Change<R> {
    Insert(KeyDigest, TableEntry<R>),
    /// Gives a key that is there another record.
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
        // Shards fill unevenly, with the square root of their mean as deviation; three of it are exceeded by one in 700, and
        // before it has to grow, a shard takes in more than it is made for.
        let mean = keys.div_ceil(shards);
        let empty = Arc::new(Slots::with_room(0, shards));
        Self {
            now: ArcSwap::from_pointee(vec![empty; shards].into()),
            writers: (0..shards).map(|_| Mutex::new(Writer::new())).collect(),
            placement,
            first_room: if keys == 0 { 0 } else { mean + 3 * mean.isqrt() },
            foreign_keys: AtomicUsize::new(0),
            one_replacement: Mutex::new(()),
        }
    }

    /// Finds the native key of this checksum that `check` gives. The search begins before: the memory of the slots arrives
    /// while the key is checked, that of the entry while it is digested.
    #[inline]
    pub(crate) fn find_native<'k, E>(
        &self,
        checksum: u32,
        check: impl FnOnce() -> Result<NativeKey<'k>, E>,
    ) -> Result<Option<TableEntry<R>>, E> {
        let place = self.placement.of_native(checksum);
        let now = self.now.load();
        let slots = &now[place.shard(now.len())];
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
        let now = self.now.load();
        now[place.shard(now.len())].find(place, key.digest()).map(|found| found.entry.clone())
    }

    #[inline]
    pub(crate) fn has_foreign(&self) -> bool {
        self.foreign_keys.load(Ordering::Acquire) != 0
    }

    pub(crate) fn len(&self) -> usize {
        self.writers.iter().map(|writer| lock(writer).keys).sum()
    }

    /// Makes a change; returns the entry that it displaced.
    pub(crate) fn change(&self, change: Change<R>) -> Option<TableEntry<R>> {
        let number = self.shard(change.key());
        let displaced = self.change_if(change, |_| true).flatten();
        self.tidy(number);
        displaced
    }

    /// Gives a key that is there the record that `change` makes of its own; returns the new entry. Whatever others do, no
    /// change of theirs is lost, and a key that they have removed stays removed.
    pub(crate) fn update(&self, key: KeyDigest, mut change: impl FnMut(&R) -> R) -> Option<TableEntry<R>> {
        loop {
            let seen = self.get(&key)?;
            let entry = TableEntry::new(*key.digest(), change(seen.record()));
            let is_still = |now: Option<&TableEntry<R>>| now.is_some_and(|now| now.is_same(&seen));
            if self.change_if(Change::Replace(key, entry.clone()), is_still).is_some() {
                self.tidy(self.shard(&key));
                return Some(entry);
            }
        }
    }

    /// Removes every key for which `keep` says no, but one of which the record has changed meanwhile; returns how many.
    pub(crate) fn retain(&self, mut keep: impl FnMut(&TableEntry<R>) -> bool) -> usize {
        let _one = lock(&self.one_replacement);
        let mut removed = 0;
        for number in 0..self.writers.len() {
            for (key, entry) in self.page(number) {
                let is_still = |now: Option<&TableEntry<R>>| now.is_some_and(|now| now.is_same(&entry));
                if !keep(&entry) && self.change_if(Change::Remove(key), is_still).is_some() {
                    removed += 1;
                }
            }
            self.tidy(number);
        }
        removed
    }

    /// Replaces everything, all at once; what others change meanwhile holds in the new contents too.
    pub(crate) fn replace_all(&self, entries: impl Iterator<Item = (KeyDigest, TableEntry<R>)>) {
        let _one = lock(&self.one_replacement);
        self.writers.iter().for_each(|writer| lock(writer).journal = Some(Vec::new()));
        let _closed = CloseJournals(self);
        let fresh = Self::new(self.writers.len(), entries.size_hint().0, self.placement.clone());
        // Runs the caller's iterator, which may panic; no lock that another writer waits for is held.
        for (key, entry) in entries {
            fresh.change(Change::Insert(key, entry));
        }
        // A record's own `Drop` may use the table, and it can take seconds: not while a lock is held.
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
        replaced.0.push(self.now.swap(fresh.now.load_full()));
        self.foreign_keys.fetch_sub(before, Ordering::AcqRel);
    }

    /// Calls `visit` with every key, a copy of one shard after the other.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&KeyDigest, &TableEntry<R>)) {
        for (key, entry) in (0..self.writers.len()).flat_map(|number| self.page(number)) {
            visit(&key, &entry);
        }
    }

    /// A copy of one shard.
    fn page(&self, number: usize) -> Vec<(KeyDigest, TableEntry<R>)> {
        let _turn = lock(&self.writers[number]);
        self.now.load()[number].iter().map(|(key, entry)| (key, entry.clone())).collect()
    }

    /// Makes a change if `may` says so of what is there now; returns the entry that it displaced.
    fn change_if(
        &self,
        change: Change<R>,
        may: impl FnOnce(Option<&TableEntry<R>>) -> bool,
    ) -> Option<Option<TableEntry<R>>> {
        let (place, number) = (self.placement.of(change.key()), self.shard(change.key()));
        let mut replaced = Replaced(Vec::new());
        let mut writer = lock(&self.writers[number]);
        if !may(self.now.load()[number].find(place, change.key().digest()).map(|found| found.entry)) {
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
        if change.entry().is_some() && !self.now.load()[number].has_room(writer.used) {
            let keys = writer.keys + 1;
            self.rebuild(number, writer, keys + keys * GROWTH.0 / GROWTH.1, replaced);
        }
        let now = self.now.load();
        let found = now[number].find(place, key.digest());
        match (change, &found) {
            (Change::Replace(..) | Change::Remove(_), None) => return None,
            (Change::Insert(_, entry) | Change::Replace(_, entry), Some(found)) => {
                // In this order: a reader meets the later slot if the earlier one is marked.
                now[number].append(place, entry.clone());
                writer.used += 1;
                found.remove();
            }
            (Change::Insert(_, entry), None) => {
                self.foreign_keys.fetch_add(is_foreign, Ordering::AcqRel);
                writer.foreign_keys += is_foreign;
                now[number].append(place, entry.clone());
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

    /// Leaves removed keys behind, where there are many.
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

    /// Makes a shard anew with room for so many keys, without what was removed.
    fn rebuild(&self, number: usize, writer: &mut Writer<R>, keys: usize, replaced: &mut Replaced<R>) {
        let room = if keys == 0 { 0 } else { keys.max(self.first_room) };
        let rebuilt = Arc::new(self.now.load()[number].rebuilt(&self.placement, room));
        replaced.0.push(self.now.rcu(|now| {
            let mut shards = Shards::clone(now);
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

/// Snapshots that no new reader sees, to be dropped under no lock.
struct Replaced<R>(Vec<Arc<Shards<R>>>);

impl<R> Drop for Replaced<R> {
    fn drop(&mut self) {
        self.0.drain(..).for_each(retire);
    }
}

/// Closes the journals also when building the new contents panicked: they would grow for ever.
struct CloseJournals<'c, R>(&'c Contents<R>);

impl<R> Drop for CloseJournals<'_, R> {
    fn drop(&mut self) {
        for writer in &self.0.writers {
            let abandoned = lock(writer).journal.take();
            drop(abandoned);
        }
    }
}
