use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use tokio::sync::Notify;
use tollgate_keys::limits::MAX_KEY_ID_BYTES;
use tollgate_keys::{KeySet, VerifyingKey};

use crate::limits::{MISSING_KEY_MAX, UNKNOWN_KEYS};

/// The key ids that tokens named and the set lacks: a table that verifiers write without waiting, of a size that no
/// number of key ids changes.
///
/// A key id is kept as a keyed hash of 62 bits, so that nobody can choose two that are taken for one. Where two fall
/// into one slot the later one stays: a flood can make the table forget, which costs a fetch that the budget bounds.
#[derive(Debug)]
pub(crate) struct UnknownKeys {
    slots: Box<[AtomicU64]>,
    hasher: RandomState,
    /// Whether the refresher has been woken since it looked last.
    told: AtomicBool,
    wake: Notify,
}

/// What is known of a key id, in the two low bits of its slot. A slot of zero is empty.
const STATE: u64 = 3;
/// Nobody has looked for it yet.
const PENDING: u64 = 1;
/// A fetch is under way that began after it was reported.
const SOUGHT: u64 = 2;
/// It was not in the set that was fetched for it.
const MISSING: u64 = 3;

impl UnknownKeys {
    pub(crate) fn new() -> Self {
        UnknownKeys {
            slots: (0..UNKNOWN_KEYS).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
            told: AtomicBool::new(false),
            wake: Notify::new(),
        }
    }

    /// For verifiers: takes no lock but to wake the refresher, which it does once until that one has looked.
    pub(crate) fn report(&self, kid: Option<&str>) {
        let Some((name, slot)) = self.find(kid) else {
            return;
        };
        if slot.load(SeqCst) & !STATE == name {
            return;
        }
        // The order of these two, against that in `pending`, is what no report is lost by.
        slot.store(name | PENDING, SeqCst);
        if !self.told.load(SeqCst) && !self.told.swap(true, SeqCst) {
            self.wake.notify_one();
        }
    }

    /// Whether a fetch has shown that there is no such key, not long ago.
    pub(crate) fn is_missing(&self, kid: Option<&str>) -> bool {
        // A key id that no set can hold is missing for good. Tokens without one are never remembered.
        self.find(kid).is_none_or(|(name, slot)| slot.load(SeqCst) == name | MISSING)
    }

    /// Waits for a report since the last [`UnknownKeys::pending`].
    pub(crate) async fn reported(&self) {
        self.wake.notified().await;
    }

    /// Whether there are key ids that nobody has looked for yet.
    pub(crate) fn pending(&self) -> bool {
        self.told.store(false, SeqCst);
        self.slots.iter().any(|slot| slot.load(SeqCst) & STATE == PENDING)
    }

    /// A fetch begins: it is for all that were reported up to now.
    pub(crate) fn seek(&self) {
        for slot in &self.slots {
            let held = slot.load(SeqCst);
            if held & STATE == PENDING {
                exchange(slot, held, held & !STATE | SOUGHT);
            }
        }
    }

    /// The fetch has failed: what it was for may be reported again.
    pub(crate) fn give_up(&self) {
        for slot in &self.slots {
            let held = slot.load(SeqCst);
            if held & STATE == SOUGHT {
                exchange(slot, held, 0);
            }
        }
    }

    /// The fetch has brought `set`: what it was for and is not there is remembered as missing.
    ///
    /// Not so for tokens without a key id: they are of one name, so that a forged one would keep the keys of all others
    /// from being looked for. They lead to as many fetches as the budget has.
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

    /// Lets the key ids be looked for again that have been missing for long enough.
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

    /// Of the whole key id. Never zero, and with the bits of [`STATE`] clear.
    fn name(&self, kid: Option<&str>) -> u64 {
        (self.hasher.hash_one(kid) & !STATE).max(STATE + 1)
    }
}

/// Leaves the slot alone where a verifier was faster.
fn exchange(slot: &AtomicU64, held: u64, new: u64) -> bool {
    slot.compare_exchange(held, new, SeqCst, SeqCst).is_ok()
}

/// For how long each missing key id is to be remembered: the first time for a cool-down, each further time for twice as
/// long as before.
#[derive(Debug)]
pub(crate) struct MissingKeys {
    first: Duration,
    /// One for each slot of [`UnknownKeys`].
    entries: Box<[Missing]>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Missing {
    name: u64,
    for_long: Duration,
    /// None: it may be looked for again, and is known only to be remembered for longer if it is missing still.
    until: Option<Duration>,
}

impl MissingKeys {
    pub(crate) fn new(first: Duration) -> Self {
        MissingKeys { first, entries: vec![Missing::default(); UNKNOWN_KEYS].into() }
    }

    /// When the next one is to be forgotten.
    pub(crate) fn next_expiry(&self) -> Option<Duration> {
        self.entries.iter().filter_map(|entry| entry.until).min()
    }

    fn remember(&mut self, index: usize, name: u64, now: Duration) {
        let entry = &mut self.entries[index];
        let for_long = if entry.name == name { entry.for_long.saturating_mul(2) } else { self.first };
        let for_long = for_long.min(MISSING_KEY_MAX.max(self.first));
        *entry = Missing { name, for_long, until: Some(now.saturating_add(for_long)) };
    }

    fn expire(&mut self, now: Duration) -> impl Iterator<Item = (usize, u64)> {
        let expired = self.entries.iter_mut().enumerate();
        expired
            .filter_map(move |(index, entry)| entry.until.take_if(|until| *until <= now).map(|_| (index, entry.name)))
    }
}
