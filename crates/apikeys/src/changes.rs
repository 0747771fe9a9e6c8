//! Writers beside a replacement of everything.
//!
//! A writer that changes the contents while new ones are being built beside them would be undone by the swap: a removed
//! key would work again. So while a replacement is under way every change is also written down, and what was written
//! down is done to the new contents before they are swapped in.

use crate::contents::{Contents, Origin, Retired, TableEntry};
use crate::digest::Digest;
use crate::record::Record;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// One change of one key.
pub(crate) enum Change<R> {
    Insert(Origin, Digest, Arc<R>),
    Remove(Digest),
    /// Removes the key if it still has this record.
    RemoveRecord(Digest, Arc<R>),
}

/// The way by which every change reaches the contents.
///
/// Readers never come here. Writers share the outer lock, so that none is between reading what is there and changing it
/// when the swap comes; the replacement holds it alone, to open the journal and to close it.
pub(crate) struct Changes<R> {
    journal: RwLock<Option<Journal<R>>>,
    one_replacement: Mutex<()>,
}

/// The changes made since a replacement began. The lock is held over a change and its writing down, so that both happen
/// in one order.
type Journal<R> = Mutex<Vec<Change<R>>>;

impl<R: Record> Changes<R> {
    /// Makes a change; returns the record that it displaced.
    pub(crate) fn apply(&self, contents: &Contents<R>, change: Change<R>) -> Option<Arc<R>> {
        let journal = self.read_journal();
        let Some(journal) = journal.as_ref() else {
            return contents.apply(&change);
        };
        let mut journal = lock(journal);
        let displaced = contents.apply(&change);
        journal.push(change);
        displaced
    }

    /// Replaces all contents; returns the old ones and everything else that is to be dropped under no lock.
    pub(crate) fn replace(&self, contents: &Contents<R>, entries: impl Iterator<Item = TableEntry<R>>) -> Replaced<R> {
        let _one = lock(&self.one_replacement);
        *self.write_journal() = Some(Journal::default());
        let closed_on_panic = CloseJournal(self);
        // Runs the caller's iterator, which may panic; no lock that anybody else waits for is held.
        let fresh = contents.built_aside(entries);

        let mut journal = self.write_journal();
        let changes = journal.take().map(Mutex::into_inner);
        let changes = changes.map_or_else(Vec::new, |changes| changes.unwrap_or_else(PoisonError::into_inner));
        let displaced = changes.iter().filter_map(|change| fresh.apply(change)).collect();
        let replaced = contents.swap(fresh);
        drop(journal);
        drop(closed_on_panic);
        Replaced { _contents: replaced, _changes: changes, _displaced: displaced }
    }

    fn read_journal(&self) -> RwLockReadGuard<'_, Option<Journal<R>>> {
        // A poisoned lock is sound here: the journal is opened and closed whole.
        self.journal.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_journal(&self) -> RwLockWriteGuard<'_, Option<Journal<R>>> {
        self.journal.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a replacement leaves to be dropped. A record's own `Drop` may use the table, so not while a lock is held.
pub(crate) struct Replaced<R: Record> {
    _contents: Retired<R>,
    _changes: Vec<Change<R>>,
    _displaced: Vec<Arc<R>>,
}

/// Closes the journal when building the new contents panicked: else it would grow for ever.
struct CloseJournal<'c, R: Record>(&'c Changes<R>);

impl<R: Record> Drop for CloseJournal<'_, R> {
    fn drop(&mut self) {
        let abandoned = self.0.write_journal().take();
        drop(abandoned);
    }
}

impl<R> Default for Changes<R> {
    fn default() -> Self {
        Self { journal: RwLock::new(None), one_replacement: Mutex::new(()) }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
