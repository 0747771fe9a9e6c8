use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use tokio::sync::Notify;
use tollgate_keys::limits::MAX_KEY_ID_BYTES;
use tollgate_keys::{KeySet, VerifyingKey};

use crate::limits::{MISSING_KEY_MAX, UNKNOWN_KEYS};

/// The key ids that tokens named and the set lacks: a table of fixed size that verifiers write without waiting.
///
/// A key id is stored as a keyed hash of 62 bits, so nobody can choose two that collide. If two key ids fall into one
/// slot, the later one stays. A flood can evict entries; that costs a fetch, which the budget bounds.
#[derive(Debug)]
pub(crate) struct UnknownKeys {
    slots: Box<[AtomicU64]>,
    hasher: RandomState,
    /// Whether the refresher has been woken since it last read the table.
    is_woken: AtomicBool,
    wake: Notify,
}

/// The state of a key id, in the two low bits of its slot. An empty slot is zero.
const STATE: u64 = 3;
/// Reported; no fetch for it has started.
const PENDING: u64 = 1;
/// A fetch that started after the report is in progress.
const SOUGHT: u64 = 2;
/// The set that was fetched for it does not contain it.
const MISSING: u64 = 3;

impl UnknownKeys {
    pub(crate) fn new() -> Self {
        UnknownKeys {
            slots: (0..UNKNOWN_KEYS).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
            is_woken: AtomicBool::new(false),
            wake: Notify::new(),
        }
    }

    /// Called by verifiers. Takes no lock, except to wake the refresher, once until the refresher has read the table.
    pub(crate) fn report(&self, kid: Option<&str>) {
        let Some((name, slot)) = self.find(kid) else {
            return;
        };
        if slot.load(SeqCst) & !STATE == name {
            return;
        }
        // This order, against that in `pending`, ensures that no report is lost.
        slot.store(name | PENDING, SeqCst);
        if !self.is_woken.load(SeqCst) && !self.is_woken.swap(true, SeqCst) {
            self.wake.notify_one();
        }
    }

    /// Whether a recent fetch has shown that the key does not exist.
    pub(crate) fn is_missing(&self, kid: Option<&str>) -> bool {
        // A key id that no set can contain is always missing. Tokens without a key id are never remembered.
        self.find(kid).is_none_or(|(name, slot)| slot.load(SeqCst) == name | MISSING)
    }

    /// Waits for a report since the last [`UnknownKeys::pending`].
    pub(crate) async fn reported(&self) {
        self.wake.notified().await;
    }

    /// Whether there are reported key ids without a fetch.
    pub(crate) fn pending(&self) -> bool {
        self.is_woken.store(false, SeqCst);
        self.slots.iter().any(|slot| slot.load(SeqCst) & STATE == PENDING)
    }

    /// A fetch starts, for all key ids reported so far.
    pub(crate) fn seek(&self) {
        for slot in &self.slots {
            let held = slot.load(SeqCst);
            if held & STATE == PENDING {
                exchange(slot, held, held & !STATE | SOUGHT);
            }
        }
    }

    /// The fetch has failed: its key ids may be reported again.
    pub(crate) fn give_up(&self) {
        for slot in &self.slots {
            let held = slot.load(SeqCst);
            if held & STATE == SOUGHT {
                exchange(slot, held, 0);
            }
        }
    }

    /// The fetch has returned `set`. Its key ids that are not in `set` are remembered as missing.
    ///
    /// Tokens without a key id are not remembered: they share one entry, so a forged token would prevent the fetch for
    /// all others. The budget bounds their fetches.
    pub(crate) fn settle(&self, set: &KeySet, missing: &mut MissingKeys, now: Duration) {
        let mut found: Vec<_> = set.iter().map(VerifyingKey::kid).chain([None]).map(|kid| self.name(kid)).collect();
        found.sort_unstable();
        for (index, slot) in self.slots.iter().enumerate() {
            let held = slot.load(SeqCst);
            if held == 0 {
                continue;
            }
            if found.binary_search(&(held & !STATE)).is_ok() {
                exchange(slot, held, 0);
            } else if held & STATE == SOUGHT && exchange(slot, held, held | MISSING) {
                missing.remember(index, held & !STATE, now);
            }
        }
    }

    /// Allows fetches for key ids whose time as missing has ended.
    pub(crate) fn forget(&self, missing: &mut MissingKeys, now: Duration) {
        for (index, name) in missing.expire(now) {
            exchange(&self.slots[index], name | MISSING, 0);
        }
    }

    fn find(&self, kid: Option<&str>) -> Option<(u64, &AtomicU64)> {
        if kid.is_some_and(|kid| kid.len() > MAX_KEY_ID_BYTES) {
            return None;
        }
        let name = self.name(kid);
        Some((name, &self.slots[(name >> 2) as usize % UNKNOWN_KEYS]))
    }

    /// The hash of the whole key id. Never zero, and with the bits of [`STATE`] clear.
    fn name(&self, kid: Option<&str>) -> u64 {
        (self.hasher.hash_one(kid) & !STATE).max(STATE + 1)
    }
}

/// Does nothing if a verifier has changed the slot meanwhile.
fn exchange(slot: &AtomicU64, held: u64, new: u64) -> bool {
    slot.compare_exchange(held, new, SeqCst, SeqCst).is_ok()
}

/// How long each missing key id is remembered: the first time for a cool-down, each further time for twice as long.
#[derive(Debug)]
pub(crate) struct MissingKeys {
    first: Duration,
    /// One per slot of [`UnknownKeys`].
    entries: Box<[Missing]>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Missing {
    name: u64,
    duration: Duration,
    /// None: the key id may be fetched again. The entry stays so that the next time is longer if the key is still
    /// missing.
    until: Option<Duration>,
}

impl MissingKeys {
    pub(crate) fn new(first: Duration) -> Self {
        MissingKeys { first, entries: vec![Missing::default(); UNKNOWN_KEYS].into() }
    }

    /// When the next entry expires.
    pub(crate) fn next_expiry(&self) -> Option<Duration> {
        self.entries.iter().filter_map(|entry| entry.until).min()
    }

    fn remember(&mut self, index: usize, name: u64, now: Duration) {
        let entry = &mut self.entries[index];
        let duration = if entry.name == name { entry.duration.saturating_mul(2) } else { self.first };
        let duration = duration.min(MISSING_KEY_MAX.max(self.first));
        *entry = Missing { name, duration, until: Some(now.saturating_add(duration)) };
    }

    fn expire(&mut self, now: Duration) -> impl Iterator<Item = (usize, u64)> {
        let expired = self.entries.iter_mut().enumerate();
        expired
            .filter_map(move |(index, entry)| entry.until.take_if(|until| *until <= now).map(|_| (index, entry.name)))
    }
}
