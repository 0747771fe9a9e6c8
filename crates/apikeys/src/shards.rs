//! Many keys in many shards.

use crate::digest::Digest;
use crate::hasher::{Place, PlacementKey};
use crate::limits::GROWTH;
use crate::record::{Packed, Record};
use crate::shard::Shard;
use crate::slots::{Position, Slots};
use dashmap::DashMap;
use std::sync::Arc;

/// The shards as they are at one time. Changes within a shard show in every copy; a shard that was moved, in copies made
/// later alone.
pub(crate) struct Shards<R> {
    shards: Box<[Arc<Shard>]>,
    placement: PlacementKey,
    /// How many keys each shard is made for when its first one comes.
    first_room: usize,
    /// The records that do not pack. Their slots say no more than that.
    whole: Arc<DashMap<Digest, Arc<R>, PlacementKey>>,
}

/// What lies in a slot instead of a record that does not pack.
const WHOLE: Packed = Packed([u64::MAX; 4]);

/// What a shard holds of a key.
pub(crate) enum Held<R> {
    Packed(Packed),
    Whole(Arc<R>),
}

/// There is no room in the shard.
pub(crate) struct NoRoom;

impl<R: Record> Shards<R> {
    /// Room for `keys` in `shards`, a power of two, wherever each of them falls.
    pub(crate) fn with_room(keys: usize, shards: usize, placement: PlacementKey) -> Self {
        // Shards fill unevenly, with the square root of their mean as deviation; three of it are exceeded by one in 700, and
        // before it has to move, a shard takes in more than it is made for.
        let mean = keys.div_ceil(shards);
        Self {
            shards: (0..shards).map(|_| Arc::new(Shard::new(Slots::empty()))).collect(),
            first_room: if keys == 0 { 0 } else { mean + 3 * mean.isqrt() },
            whole: Arc::new(DashMap::with_hasher(placement.clone())),
            placement,
        }
    }

    /// As many shards with the same placement, empty: shard for shard the same keys belong into both.
    pub(crate) fn twin_with_room(&self, keys: usize) -> Self {
        Self::with_room(keys, self.shards.len(), self.placement.clone())
    }

    #[inline]
    pub(crate) fn find(&self, digest: &Digest) -> Option<Held<R>> {
        let lanes = digest.lanes();
        let place = self.placement.place(&lanes);
        let shard = &self.shards[place.shard(self.shards.len())];
        shard.read(|slots| match slots.find(&self.placement, place, &lanes)? {
            WHOLE => self.whole.get(digest).map(|record| Held::Whole(record.clone())),
            packed => Some(Held::Packed(packed)),
        })
    }

    /// In which shard the key is. A writer has to wait for that shard's turn.
    pub(crate) fn number(&self, digest: &Digest) -> usize {
        self.placement.place(&digest.lanes()).shard(self.shards.len())
    }

    /// Whether nothing lies where the search for a key begins.
    pub(crate) fn is_home_vacant(&self, digest: &Digest) -> bool {
        let (place, shard) = self.shard(digest);
        shard.slots().is_home_vacant(place)
    }

    /// Puts in a key, packed or else whole; returns what it displaced.
    pub(crate) fn insert(
        &self,
        digest: &Digest,
        packed: Option<Packed>,
        record: &Arc<R>,
    ) -> Result<Option<Held<R>>, NoRoom> {
        let (place, shard) = self.shard(digest);
        let position = shard.slots().position(&self.placement, place, &digest.lanes());
        if !shard.slots().has_room(position) {
            return Err(NoRoom);
        }
        let packed = packed.filter(|Packed([first, ..])| *first != 0 && *first != WHOLE.0[0]);
        // Before the slot says that there is one.
        let displaced = if packed.is_none() { self.whole.insert(*digest, record.clone()) } else { None };
        let packed = packed.unwrap_or(WHOLE);
        match position {
            Position::Found(at) => {
                let old = shard.slots().packed(at);
                shard.write(|slots| slots.replace(at, packed));
                Ok(match (old, packed) {
                    (WHOLE, WHOLE) => displaced.map(Held::Whole),
                    (WHOLE, _) => self.take_whole(digest),
                    (old, _) => Some(Held::Packed(old)),
                })
            }
            Position::Vacant(at) | Position::Behind(at) => {
                shard.write(|slots| slots.insert(at, digest, packed));
                Ok(None)
            }
            Position::NoRoom => Err(NoRoom),
        }
    }

    /// Removes a key if `condition` says so of what is held; returns that.
    pub(crate) fn remove_if(&self, digest: &Digest, condition: impl Fn(&Held<R>) -> bool) -> Option<Held<R>> {
        let (place, shard) = self.shard(digest);
        let Position::Found(at) = shard.slots().position(&self.placement, place, &digest.lanes()) else {
            return None;
        };
        let held = self.held(digest, shard.slots().packed(at)).filter(condition)?;
        shard.write(|slots| slots.remove(&self.placement, at));
        // After the slot no longer says that there is one.
        if let Held::Whole(_) = held {
            self.whole.remove(digest);
        }
        Some(held)
    }

    /// A copy of the shards in which this one has room for more keys.
    pub(crate) fn with_grown(&self, number: usize) -> Self {
        let slots = self.shards[number].slots();
        let room = (slots.len() + slots.len() * GROWTH.0 / GROWTH.1 + 1).max(self.first_room).max(SMALLEST_ROOM);
        let grown = Arc::new(Shard::new(slots.moved(&self.placement, room)));
        let mut copy = self.clone();
        copy.shards[number] = grown;
        copy
    }

    pub(crate) fn count(&self) -> usize {
        self.shards.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.slots().len()).sum()
    }

    /// A copy of what is in one shard.
    pub(crate) fn copy(&self, number: usize) -> Vec<(Digest, Held<R>)> {
        let held = |(digest, packed)| Some((digest, self.held(&digest, packed)?));
        self.shards[number].slots().iter().filter_map(held).collect()
    }

    fn held(&self, digest: &Digest, packed: Packed) -> Option<Held<R>> {
        match packed {
            WHOLE => self.whole.get(digest).map(|record| Held::Whole(record.clone())),
            packed => Some(Held::Packed(packed)),
        }
    }

    fn take_whole(&self, digest: &Digest) -> Option<Held<R>> {
        self.whole.remove(digest).map(|(_, record)| Held::Whole(record))
    }

    fn shard(&self, digest: &Digest) -> (Place, &Shard) {
        let place = self.placement.place(&digest.lanes());
        (place, &self.shards[place.shard(self.shards.len())])
    }
}

impl<R> Clone for Shards<R> {
    fn clone(&self) -> Self {
        Self {
            shards: self.shards.clone(),
            placement: self.placement.clone(),
            first_room: self.first_room,
            whole: self.whole.clone(),
        }
    }
}

/// Keys for which the first slots of a shard are made when nobody has said how many there will be.
const SMALLEST_ROOM: usize = 4;
