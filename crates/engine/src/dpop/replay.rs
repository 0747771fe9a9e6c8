use std::fmt;

use crate::limits::{PROOF_AHEAD, REPLAY_SHARES};
use crate::sync::Mutex;

/// Remembers which proofs were accepted, so that each is accepted once.
///
/// The store of an engine is a [`ReplayMemory`] of its own, unless it is given another
/// ([`Dpop::replay_store`](crate::Dpop::replay_store)): one that several engines share, of one process or of several hosts.
/// [`Engine::verify_request`](crate::Engine::verify_request) calls it as the last step, in the thread of its caller, and waits for it: it should answer
/// at once, from memory that is shared or from an agent on the same host.
pub trait ReplayStore: Send + Sync {
    /// Spends a proof. Of any number of calls for one `id`, on any number of threads and hosts, at most one is answered with
    /// `Ok` as long as the time is not past `expires_at`; a store that has lost something answers
    /// [`NotSpent::Forgotten`] to whatever may have been in it.
    ///
    /// # Errors
    /// [`NotSpent`] says why the proof does not count.
    fn spend(&self, proof: &SpentProof) -> Result<(), NotSpent>;
}

/// What a [`ReplayStore`] learns of a proof. All times in seconds since the Unix epoch.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SpentProof {
    /// A keyed digest of the key's thumbprint and the proof's `jti`: the same for the same proof, and no other's.
    pub id: [u8; 16],
    /// A keyed digest of the key's thumbprint: whose proof it is.
    pub key: u64,
    /// The proof's `iat`.
    pub issued_at: i64,
    /// Until when the proof would be accepted.
    pub expires_at: i64,
    /// The time of the check.
    pub now: i64,
}

impl SpentProof {
    /// For the tests of a store. The times are `issued_at`, `expires_at` and `now`.
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
    /// It may have been spent before: what was issued at `floor` or before is not remembered.
    Forgotten {
        /// Seconds since the Unix epoch.
        floor: i64,
    },
    /// The store cannot be asked now.
    Unavailable,
}

/// The [`ReplayStore`] of one process: a table of a fixed size.
///
/// Where a proof is kept depends on its key and on its digest, both of which are secret: in one of a sixteenth of the sets. So one
/// client fills a sixteenth of the table at most. Of a full set the oldest proof goes, of the key that has most in it, and from
/// then on nothing of that key that is as old is accepted there. Where no key has more than one, what is as old as the
/// oldest is not accepted of any. Fresh proofs are accepted meanwhile: an attacker shortens the time for which those of others
/// are good, and its own first.
pub struct ReplayMemory {
    sets: Box<[Mutex<Set>]>,
}

/// Proofs that were spent, and what is not remembered any more.
struct Set {
    entries: [Entry; WAYS],
    /// What was issued then or before is not remembered, whoever's it is.
    floor: i64,
}

const WAYS: usize = 16;

/// A proof; or, without an `id`, that what was issued to `key` at `issued_at` or before is not remembered.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Entry {
    id: u128,
    key: u64,
    issued_at: i64,
}

const VACANT: Entry = Entry { id: 0, key: 0, issued_at: i64::MIN };

impl ReplayMemory {
    /// A memory of at most `bytes`, one set at least, that begins at `started_at`, in seconds since the Unix epoch: no proof
    /// is accepted that could have been accepted before.
    #[must_use]
    pub fn new(bytes: usize, started_at: i64) -> Self {
        let floor = started_at.saturating_add(if started_at == i64::MIN { 0 } else { PROOF_AHEAD });
        let set = || Mutex::new(Set { entries: [VACANT; WAYS], floor });
        let sets = (bytes / size_of::<Mutex<Set>>()).max(1);
        ReplayMemory { sets: (0..sets).map(|_| set()).collect() }
    }

    /// How many proofs there is room for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.sets.len() * WAYS
    }

    /// The sets that a key's proofs are in are neighbours: a share of all of them.
    fn set(&self, key: u64, id: u128) -> &Mutex<Set> {
        let sets = self.sets.len() as u64;
        let share = sets.div_ceil(REPLAY_SHARES);
        &self.sets[((key % sets + (id >> 64) as u64 % share) % sets) as usize]
    }
}

impl ReplayStore for ReplayMemory {
    fn spend(&self, proof: &SpentProof) -> Result<(), NotSpent> {
        // No digest is 0, which stands for none.
        let entry = Entry { id: u128::from_le_bytes(proof.id).max(1), key: proof.key, issued_at: proof.issued_at };
        // Nobody has asked for what has expired by now; a wrong clock cannot bring it back, since the floor goes up with it.
        let expired = proof.now.saturating_sub(proof.expires_at.saturating_sub(proof.issued_at));
        // A thread that panicked in here has left the set in doubt.
        self.set(entry.key, entry.id).lock().map_or(Err(NotSpent::Unavailable), |mut set| set.spend(entry, expired))
    }
}

impl Set {
    /// `expired`: what was issued before that time is not accepted any more.
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

    /// Makes room, or brings it nearer.
    fn evict(&mut self, proof: Entry) -> Result<(), NotSpent> {
        let key = self.heaviest(proof.key);
        let has_several = self.count(key) + usize::from(key == proof.key) > 1;
        if !has_several {
            // Proofs and floors of as many keys as there are entries.
            let oldest = oldest(self.entries.iter_mut()).expect("a set has entries");
            self.floor = self.floor.max(oldest.issued_at);
            *oldest = VACANT;
            return if proof.issued_at <= self.floor { Err(NotSpent::Forgotten { floor: self.floor }) } else { Ok(()) };
        }
        let of_key = self.entries.iter_mut().filter(|entry| entry.id != 0 && entry.key == key);
        let Some(evicted) = oldest(of_key) else { return Ok(()) };
        let floor = evicted.issued_at;
        *evicted = Entry { id: 0, key, issued_at: floor };
        // One floor of a key is enough, the higher one.
        let mut floors = self.entries.iter_mut().filter(|entry| entry.id == 0 && entry.key == key && **entry != VACANT);
        if let (Some(one), Some(other)) = (floors.next(), floors.next()) {
            one.issued_at = one.issued_at.max(other.issued_at);
            *other = VACANT;
        }
        Ok(())
    }

    /// The key with most proofs, one of `key` counted in addition.
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
