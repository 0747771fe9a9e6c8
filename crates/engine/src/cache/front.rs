use std::sync::Arc;

use super::statistics::ThreadStatistics;
use super::{Cache, Tag, registry};
use crate::token::Token;

/// A thread's tables, one for each living cache that it has used.
#[derive(Default)]
pub(crate) struct Fronts {
    /// By the index of the cache.
    tables: Vec<Option<Front>>,
}

impl Fronts {
    /// The table for `cache`, made where there is none.
    #[inline]
    pub(super) fn of(&mut self, cache: &Cache) -> &mut Front {
        let (index, serial) = (cache.registration.index(), cache.registration.serial());
        let is_there = self.tables.get(index).is_some_and(|table| table.as_ref().is_some_and(|it| it.serial == serial));
        if !is_there {
            self.make(cache);
        }
        self.tables[index].as_mut().expect("it is there or was made")
    }

    #[cold]
    fn make(&mut self, cache: &Cache) {
        let index = cache.registration.index();
        if self.tables.len() <= index {
            self.tables.resize_with(index + 1, || None);
        }
        // In place of that of a dropped cache of the same index, if there is one.
        self.tables[index] = Some(Front::new(cache));
    }

    /// Lets go of the tables of caches that were dropped.
    pub(crate) fn release_dropped(&mut self) {
        let living = registry::living();
        for (index, table) in self.tables.iter_mut().enumerate() {
            table.take_if(|table| !living.has(index, table.serial));
        }
    }
}

/// One thread's direct-mapped table for one cache. What it holds are copies of its own.
pub(super) struct Front {
    /// The cache's.
    serial: u64,
    slots: Box<[Slot]>,
    statistics: Arc<ThreadStatistics>,
}

/// Half a cache line.
#[derive(Default)]
#[repr(align(32))]
struct Slot {
    tag: Tag,
    token: Option<Token>,
    /// Half of the tag that asked for this slot last and did not get it. One that has the same half gets a copy too soon.
    candidate: u32,
    /// Whether there was a hit since.
    is_used: bool,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Slot>() == 32);

impl Front {
    fn new(cache: &Cache) -> Self {
        let slots = cache.config.per_thread_slots.max(1).next_power_of_two();
        Front {
            serial: cache.registration.serial(),
            slots: (0..slots).map(|_| Slot::default()).collect(),
            statistics: cache.statistics.of_this_thread(),
        }
    }

    /// The token of this tag, if it `is` the one.
    #[inline]
    pub(super) fn find(&mut self, tag: Tag, is: impl Fn(&Token) -> bool) -> Option<Token> {
        let slot = self.slot(tag);
        if slot.tag != tag {
            return None;
        }
        let token = slot.token.as_ref().filter(|token| is(token))?;
        slot.is_used = true;
        Some(token.clone())
    }

    /// Takes a token that was found in the shared table, once it has been asked for twice and the token that lies in its
    /// place has not been asked for in between. So tokens that come once in a while evict none that comes often, and
    /// copies are made seldom.
    pub(super) fn offer(&mut self, tag: Tag, token: &Token) {
        let half = (tag.0 >> 32) as u32;
        let slot = self.slot(tag);
        if slot.candidate == half && !slot.is_used {
            *slot = Slot { tag, token: Some(token.copy()), candidate: 0, is_used: false };
        } else {
            slot.candidate = half;
            slot.is_used = false;
        }
    }

    pub(super) fn remove(&mut self, tag: Tag) {
        let slot = self.slot(tag);
        if slot.tag == tag {
            *slot = Slot::default();
        }
    }

    #[inline]
    pub(super) fn count_hit(&self) {
        self.statistics.count_front_hit();
    }

    pub(super) fn count_back_hit(&self) {
        self.statistics.count_back_hit();
    }

    pub(super) fn count_miss(&self) {
        self.statistics.count_miss();
    }

    fn slot(&mut self, tag: Tag) -> &mut Slot {
        let index = tag.0 as usize & (self.slots.len() - 1);
        &mut self.slots[index]
    }
}
