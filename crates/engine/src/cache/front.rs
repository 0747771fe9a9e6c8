use std::sync::Arc;

use super::statistics::ThreadStatistics;
use super::{Cache, Tag, registry};
use crate::token::Token;

/// A thread's tables, one for each living cache that it has used.
#[derive(Default)]
pub(crate) struct Fronts {
    /// By the index of the cache in the registry.
    tables: Vec<Option<Front>>,
}

impl Fronts {
    /// The table for `cache`, created if there is none.
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
        // Replaces the table of a dropped cache with the same index, if there is one.
        self.tables[index] = Some(Front::new(cache));
    }

    /// Drops the tables of dropped caches.
    pub(crate) fn release_dropped(&mut self) {
        let living = registry::living();
        for (index, table) in self.tables.iter_mut().enumerate() {
            table.take_if(|table| !living.has(index, table.serial));
        }
    }
}

/// One thread's direct-mapped table for one cache. Its tokens are copies of its own.
pub(super) struct Front {
    /// The serial number of the cache.
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
    /// Half of the tag that last asked for this slot without getting it. Another tag with the same half is copied too
    /// soon.
    candidate: u32,
    /// Whether the token had a hit since that tag asked.
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

    /// Finds the token with this tag for which `is` holds.
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

    /// Takes a copy of a token found in the shared table, once the token was asked for twice while the current token of
    /// its slot was not. So rare tokens do not evict frequent ones, and copies are rare.
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
