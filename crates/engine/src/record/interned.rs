use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Values that many records share, each held once, under a number that stays.
///
/// Who has a number reads the value without a lock. Nothing is ever removed.
pub(super) struct Interned<T> {
    hasher: RandomState,
    parts: [Part<T>; PARTS],
}

/// So that threads which load keys beside each other seldom wait for each other; a power of two.
const PARTS: usize = 16;

struct Part<T> {
    /// Each twice as long as the one before, so that none ever has to move.
    segments: [OnceLock<Box<[OnceLock<T>]>>; SEGMENTS],
    index: Mutex<Index>,
}

/// Together they have more room than there are numbers.
const SEGMENTS: usize = 25;

const FIRST_SEGMENT: usize = 16;

/// Where each value is, by its hash: open addressing.
#[derive(Default)]
struct Index {
    /// The value's position in its part plus one; 0 where there is none.
    slots: Box<[u32]>,
    values: usize,
}

impl<T: Hash> Interned<T> {
    /// The number of the value for which `is_wanted`, which is made if there is none. `None` when that would take a number
    /// of `limit` or above. `key` has to hash as the value does.
    pub(super) fn number(
        &self,
        key: impl Hash,
        limit: u32,
        is_wanted: impl Fn(&T) -> bool,
        make: impl FnOnce() -> T,
    ) -> Option<u32> {
        let hash = self.hasher.hash_one(key);
        let part_number = hash as usize % PARTS;
        let part = &self.parts[part_number];
        // A value is there before the index names it, so that a panic leaves nothing half-done.
        let mut index = part.index.lock().unwrap_or_else(PoisonError::into_inner);
        let position = match index.find(hash, |position| part.get(position).is_some_and(&is_wanted)) {
            Some(position) => position,
            None => {
                let position = index.values;
                if position >= limit as usize / PARTS {
                    return None;
                }
                part.set(position, make())?;
                index.insert(hash, |position| part.get(position).map(|value| self.hasher.hash_one(value)));
                position
            }
        };
        Some((position * PARTS + part_number) as u32)
    }

    /// The value of a number that [`number`](Self::number) gave.
    #[inline]
    pub(super) fn get(&self, number: u32) -> Option<&T> {
        let number = number as usize;
        self.parts[number % PARTS].get(number / PARTS)
    }
}

impl<T> Part<T> {
    #[inline]
    fn get(&self, position: usize) -> Option<&T> {
        let (segment, at) = address(position);
        self.segments.get(segment)?.get()?.get(at)?.get()
    }

    /// `None` when there is no room, or something is there.
    fn set(&self, position: usize, value: T) -> Option<()> {
        let (segment, at) = address(position);
        let vacant = || (0..FIRST_SEGMENT << segment).map(|_| OnceLock::new()).collect();
        self.segments.get(segment)?.get_or_init(vacant).get(at)?.set(value).ok()
    }
}

/// In which segment a position is, and where.
#[inline]
fn address(position: usize) -> (usize, usize) {
    let segment = (position / FIRST_SEGMENT + 1).ilog2() as usize;
    (segment, position - FIRST_SEGMENT * ((1 << segment) - 1))
}

impl Index {
    fn find(&self, hash: u64, is_wanted: impl Fn(usize) -> bool) -> Option<usize> {
        let positions = self.slots_after(hash).map(|at| self.slots[at]).take_while(|slot| *slot != 0);
        positions.map(|slot| slot as usize - 1).find(|position| is_wanted(*position))
    }

    /// Adds the next position. `hash_of` is asked for those that have to move.
    fn insert(&mut self, hash: u64, hash_of: impl Fn(usize) -> Option<u64>) {
        // Below that runs stay short.
        if (self.values + 1) * 5 > self.slots.len() * 4 {
            let room = (self.slots.len() * 2).max(FIRST_SEGMENT);
            let grown = Index { slots: vec![0; room].into(), values: 0 };
            let old = std::mem::replace(self, grown);
            for position in 0..old.values {
                if let Some(hash) = hash_of(position) {
                    self.add(hash);
                }
            }
        }
        self.add(hash);
    }

    fn add(&mut self, hash: u64) {
        if let Some(at) = self.slots_after(hash).find(|at| self.slots[*at] == 0) {
            self.values += 1;
            self.slots[at] = self.values as u32;
        }
    }

    fn slots_after(&self, hash: u64) -> impl Iterator<Item = usize> + use<> {
        // The lower bits named the part.
        let slots = self.slots.len();
        let home = ((u128::from(hash) * slots as u128) >> 64) as usize;
        (home..slots).chain(0..home)
    }
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Interned { hasher: RandomState::new(), parts: Default::default() }
    }
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Part { segments: [const { OnceLock::new() }; SEGMENTS], index: Mutex::default() }
    }
}
