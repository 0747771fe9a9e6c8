use std::fmt;

use crate::limits::{PROOF_AHEAD, REPLAY_SHARES};
use crate::sync::Mutex;

/// Remembers which proofs were accepted, so that each is accepted once.
///
/// An engine has a [`ReplayMemory`] of its own, unless it is given another store
/// ([`Dpop::replay_store`](crate::Dpop::replay_store)), which several engines of one process or of several hosts may
/// share. [`Engine::verify_request`](crate::Engine::verify_request) calls the store as its last step, in the caller's
/// thread, and waits for the answer. So a store should answer at once, from shared memory or from an agent on the same
/// host.
pub trait ReplayStore: Send + Sync {
    /// Spends a proof. Of all calls for one `id`, on any number of threads and hosts, at most one returns `Ok` until
    /// the time is past `expires_at`. A store that has lost proofs returns [`NotSpent::Forgotten`] for every proof that
    /// may have been among them.
    ///
    /// # Errors
    /// [`NotSpent`] says why the proof is not accepted.
    fn spend(&self, proof: &SpentProof) -> Result<(), NotSpent>;

    /// The counters of a store in the memory of this process; `None` of any other store.
    fn statistics(&self) -> Option<ReplayStatistics> {
        None
    }
}

/// The counters of a [`ReplayMemory`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ReplayStatistics {
    /// The number of proofs that there is room for.
    pub capacity: usize,
    /// Proofs that were forgotten while they could still be accepted: the memory was full.
    pub evictions: u64,
}

/// A proof as a [`ReplayStore`] sees it. All times in seconds since the Unix epoch.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SpentProof {
    /// A keyed digest of the key's thumbprint and the proof's `jti`: equal for the same proof only.
    pub id: [u8; 16],
    /// A keyed digest of the key's thumbprint: it tells whose proof this is.
    pub key: u64,
    /// The proof's `iat`, or the time of its nonce if nonces are required.
    pub issued_at: i64,
    /// The last time at which the proof would be accepted.
    pub expires_at: i64,
    /// The time of the check.
    pub now: i64,
}

impl SpentProof {
    /// For the tests of a store. `issued_at`, `expires_at` and `now` are in seconds since the Unix epoch.
    #[must_use]
    pub fn new(id: [u8; 16], key: u64, issued_at: i64, expires_at: i64, now: i64) -> Self {
        SpentProof { id, key, issued_at, expires_at, now }
    }
}

/// Why a proof was not spent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum NotSpent {
    /// It was spent before.
    Replayed,
    /// It may have been spent before: proofs issued at `floor` or before are not remembered.
    Forgotten {
        /// Seconds since the Unix epoch.
        floor: i64,
    },
    /// The store is unavailable.
    Unavailable,
}

/// The [`ReplayStore`] of one process: a table of a fixed size.
///
/// A proof's set is selected by the keyed digests of its key and of the proof, among a sixteenth of the sets for each
/// key. So one client fills at most a sixteenth of the table. A full set evicts the oldest proof of the key with the
/// most proofs in it, and from then on accepts no proof of that key that is as old or older. If no key has more than
/// one proof in it, the set evicts its oldest entry, and accepts no proof of any key that is as old or older. Fresh
/// proofs are still accepted: an attacker shortens the time for which the proofs of others are accepted, and of its own
/// first.
pub struct ReplayMemory {
    sets: Box<[Mutex<Set>]>,
}

/// Spent proofs, and the times up to which proofs are no longer remembered.
struct Set {
    entries: [Entry; WAYS],
    /// Proofs issued then or before are not remembered, of any key.
    floor: i64,
    /// Proofs that were forgotten before they expired.
    evictions: u64,
}

const WAYS: usize = 16;

/// A spent proof; or, with `id` 0, a key's floor: proofs of `key` issued at `issued_at` or before are not remembered.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Entry {
    id: u128,
    key: u64,
    issued_at: i64,
}

const VACANT: Entry = Entry { id: 0, key: 0, issued_at: i64::MIN };

impl ReplayMemory {
    /// A memory of at most `bytes`, but at least one set, that begins at `started_at`, in seconds since the Unix epoch:
    /// a proof that could have been accepted before then is not accepted.
    #[must_use]
    pub fn new(bytes: usize, started_at: i64) -> Self {
        let floor = started_at.saturating_add(if started_at == i64::MIN { 0 } else { PROOF_AHEAD });
        let set = || Mutex::new(Set { entries: [VACANT; WAYS], floor, evictions: 0 });
        let sets = (bytes / size_of::<Mutex<Set>>()).max(1);
        ReplayMemory { sets: (0..sets).map(|_| set()).collect() }
    }

    /// The number of proofs that there is room for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.sets.len() * WAYS
    }

    /// The sets of a key's proofs are neighbours: a fixed share of all sets.
    fn set(&self, key: u64, id: u128) -> &Mutex<Set> {
        let sets = self.sets.len() as u64;
        let share = sets.div_ceil(REPLAY_SHARES);
        &self.sets[((key % sets + (id >> 64) as u64 % share) % sets) as usize]
    }
}

impl ReplayStore for ReplayMemory {
    fn spend(&self, proof: &SpentProof) -> Result<(), NotSpent> {
        // `id` 0 stands for no proof.
        let entry = Entry { id: u128::from_le_bytes(proof.id).max(1), key: proof.key, issued_at: proof.issued_at };
        // Expired proofs may be forgotten. A wrong clock cannot make one acceptable again, since the floor rises with
        // each.
        let expired = proof.now.saturating_sub(proof.expires_at.saturating_sub(proof.issued_at));
        // A thread that panicked with the lock held has left the set in doubt.
        self.set(entry.key, entry.id).lock().map_or(Err(NotSpent::Unavailable), |mut set| set.spend(entry, expired))
    }

    fn statistics(&self) -> Option<ReplayStatistics> {
        let evictions = self.sets.iter().filter_map(|set| Some(set.lock().ok()?.evictions)).sum();
        Some(ReplayStatistics { capacity: self.capacity(), evictions })
    }
}

impl Set {
    /// `expired`: proofs issued before that time are no longer accepted.
    fn spend(&mut self, proof: Entry, expired: i64) -> Result<(), NotSpent> {
        if proof.issued_at <= self.floor {
            return Err(NotSpent::Forgotten { floor: self.floor });
        }
        if self.entries.iter().any(|entry| entry.id == proof.id) {
            return Err(NotSpent::Replayed);
        }
        loop {
            if let Some(floor) = self.floor_of(proof.key).filter(|floor| proof.issued_at <= *floor) {
                return Err(NotSpent::Forgotten { floor });
            }
            let oldest = oldest(self.entries.iter_mut()).expect("a set has entries");
            if *oldest == VACANT || oldest.issued_at < expired {
                self.floor = self.floor.max(oldest.issued_at);
                *oldest = proof;
                return Ok(());
            }
            self.evict(proof)?;
        }
    }

    /// Frees an entry, or turns a proof into a floor, two of which become one the next time.
    fn evict(&mut self, proof: Entry) -> Result<(), NotSpent> {
        let key = self.heaviest(proof.key);
        let has_several = self.count(key) + usize::from(key == proof.key) > 1;
        if !has_several {
            // No key has more than one proof here.
            let oldest = oldest(self.entries.iter_mut()).expect("a set has entries");
            self.floor = self.floor.max(oldest.issued_at);
            self.evictions += u64::from(oldest.id != 0);
            *oldest = VACANT;
            return if proof.issued_at <= self.floor { Err(NotSpent::Forgotten { floor: self.floor }) } else { Ok(()) };
        }
        let of_key = self.entries.iter_mut().filter(|entry| entry.id != 0 && entry.key == key);
        let Some(evicted) = oldest(of_key) else { return Ok(()) };
        self.evictions += 1;
        let floor = evicted.issued_at;
        *evicted = Entry { id: 0, key, issued_at: floor };
        // A key needs one floor, the higher one.
        let mut floors = self.entries.iter_mut().filter(|entry| entry.id == 0 && entry.key == key && **entry != VACANT);
        if let (Some(one), Some(other)) = (floors.next(), floors.next()) {
            one.issued_at = one.issued_at.max(other.issued_at);
            *other = VACANT;
        }
        Ok(())
    }

    /// The key with the most proofs, with one more counted for `key`.
    fn heaviest(&self, key: u64) -> u64 {
        let weight = |other: u64| self.count(other) + usize::from(other == key);
        let proofs = self.entries.iter().filter(|entry| entry.id != 0).map(|entry| entry.key);
        proofs.chain([key]).max_by_key(|other| weight(*other)).unwrap_or(key)
    }

    fn count(&self, key: u64) -> usize {
        self.entries.iter().filter(|entry| entry.id != 0 && entry.key == key).count()
    }

    fn floor_of(&self, key: u64) -> Option<i64> {
        let floors = self.entries.iter().filter(|entry| entry.id == 0 && entry.key == key && **entry != VACANT);
        floors.map(|entry| entry.issued_at).max()
    }
}

fn oldest<'e>(entries: impl Iterator<Item = &'e mut Entry>) -> Option<&'e mut Entry> {
    entries.min_by_key(|entry| entry.issued_at)
}

impl fmt::Debug for ReplayMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayMemory").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}
