use std::sync::Arc;

use super::statistics::{Statistics, ThreadStatistics};
use super::{CacheConfig, Stamp};
use crate::limits::MAX_FRONTS_PER_THREAD;
use crate::token::Token;

/// A thread's tables, one for each engine that it has used.
#[derive(Default)]
pub(crate) struct Fronts(Vec<Front>);

impl Fronts {
    /// The table for the cache `id`, made where there is none.
    pub(super) fn of(&mut self, id: u64, config: &CacheConfig, statistics: &Arc<Statistics>) -> &mut Front {
        let index = match self.0.iter().position(|front| front.id == id) {
            Some(index) => index,
            None => self.add(Front::new(id, config, statistics)),
        };
        &mut self.0[index]
    }

    #[cold]
    fn add(&mut self, front: Front) -> usize {
        // The counters are the engine's as well as the thread's: of an engine that is gone they are the thread's alone.
        self.0.retain(|front| Arc::strong_count(&front.statistics) > 1);
        if self.0.len() >= MAX_FRONTS_PER_THREAD {
            self.0.remove(0);
        }
        self.0.push(front);
        self.0.len() - 1
    }
}

/// One thread's direct-mapped table for one cache. What it holds are copies of its own.
pub(super) struct Front {
    id: u64,
    slots: Box<[Slot]>,
    statistics: Arc<ThreadStatistics>,
}

#[derive(Default)]
struct Slot {
    tag: u64,
    stamp: Stamp,
    token: Option<Arc<Token>>,
    /// The tag that asked for this slot last and did not get it.
    candidate: u64,
    /// Whether there was a hit since.
    is_used: bool,
}

impl Front {
    fn new(id: u64, config: &CacheConfig, statistics: &Arc<Statistics>) -> Self {
        let slots = config.per_thread_slots.max(1).next_power_of_two();
        Front { id, slots: (0..slots).map(|_| Slot::default()).collect(), statistics: statistics.of_this_thread() }
    }

    /// The token whose whole text is `jws`, unless it was verified before `oldest`.
    pub(super) fn find(&mut self, tag: u64, jws: &[u8], oldest: i64) -> Option<(Arc<Token>, Stamp)> {
        let slot = self.slot(tag);
        if slot.tag != tag {
            return None;
        }
        let token = slot.token.as_ref()?;
        if token.times().verified_at < oldest || token.jws() != jws {
            return None;
        }
        slot.is_used = true;
        Some((token.clone(), slot.stamp))
    }

    /// Marks the token that was found.
    pub(super) fn restamp(&mut self, tag: u64, stamp: Stamp) {
        self.slot(tag).stamp = stamp;
    }

    /// Takes a token that was found in the shared table, once it has been asked for twice and the token that lies in its
    /// place has not been asked for in between. So tokens that come once in a while evict none that comes often, and
    /// copies are made seldom.
    pub(super) fn offer(&mut self, tag: u64, token: &Arc<Token>, stamp: Stamp) {
        let slot = self.slot(tag);
        if slot.candidate == tag && !slot.is_used {
            // A copy, so that this thread's hits count references where no other thread does.
            *slot = Slot { tag, stamp, token: Some(Arc::new(Token::clone(token))), candidate: 0, is_used: false };
        } else {
            slot.candidate = tag;
            slot.is_used = false;
        }
    }

    pub(super) fn remove(&mut self, tag: u64) {
        let slot = self.slot(tag);
        if slot.tag == tag {
            *slot = Slot::default();
        }
    }

    pub(super) fn count_hit(&self) {
        self.statistics.count_front_hit();
    }

    pub(super) fn count_back_hit(&self) {
        self.statistics.count_back_hit();
    }

    pub(super) fn count_miss(&self) {
        self.statistics.count_miss();
    }

    fn slot(&mut self, tag: u64) -> &mut Slot {
        // The low bit is always set; the others are as good as random.
        let index = (tag >> 1) as usize & (self.slots.len() - 1);
        &mut self.slots[index]
    }
}
