//! Counters of verifies: each thread has its own, and a collection adds them up.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tollgate::{PrincipalKind, Verification};

use crate::durations::{DurationSums, Durations, representative};
use crate::limits::{MAX_ISSUERS, MAX_REJECTIONS};
use crate::names::{NONE, OTHER};

/// The slots of accepted credentials, by issuer, kind and cache hit, so that counting takes no lock.
const KINDS: usize = PrincipalKind::ALL.len();
const SLOTS: usize = ISSUERS * KINDS * 2;
/// One slot for credentials without an issuer, and one for issuers beyond the limit.
const ISSUERS: usize = MAX_ISSUERS + 2;
const NO_ISSUER: usize = 0;
const OTHER_ISSUER: usize = ISSUERS - 1;

/// The counters of all threads.
pub(crate) struct Counts {
    id: usize,
    shared: Mutex<Shared>,
}

#[derive(Default)]
struct Shared {
    /// The issuers with their own label, from slot 1 on.
    issuers: Vec<Arc<str>>,
    running: Vec<Arc<OfThread>>,
    /// The sums of the threads that have ended.
    accepted: HashMap<usize, u64>,
    rejected: HashMap<Rejected, u64>,
    checks: HashMap<(usize, bool), u64>,
    durations: DurationSums,
    /// The sums that were passed to the recorder.
    reported: DurationSums,
}

/// One thread's counters, on separate cache lines.
#[repr(align(128))]
struct OfThread {
    accepted: [AtomicU64; SLOTS],
    durations: Durations,
    /// Rejections and signature checks take microseconds, so an uncontended lock does not matter.
    slow: Mutex<Slow>,
}

#[derive(Default)]
struct Slow {
    rejected: HashMap<Rejected, u64>,
    checks: HashMap<(usize, bool), u64>,
}

/// A series of rejections.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
struct Rejected {
    issuer: usize,
    kind: Option<PrincipalKind>,
    is_cache_hit: bool,
    code: &'static str,
}

/// A thread's state for one [`Counts`].
struct Own {
    id: usize,
    counters: Arc<OfThread>,
    /// The issuer of the last verify, and its slot. Holding the issuer ensures that no other one has its address.
    last: Option<(Arc<str>, usize)>,
}

thread_local! {
    static OWN: RefCell<Vec<Own>> = const { RefCell::new(Vec::new()) };
}

/// One time series of verifies.
pub(crate) struct Series<'c> {
    pub(crate) issuer: &'c str,
    pub(crate) kind: Option<PrincipalKind>,
    pub(crate) is_cache_hit: bool,
    pub(crate) code: Option<&'static str>,
    pub(crate) count: u64,
}

impl Counts {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Counts { id: NEXT.fetch_add(1, Ordering::Relaxed), shared: Mutex::default() }
    }

    #[inline]
    pub(crate) fn count(&self, seen: &Verification<'_>) {
        // A thread that is ending no longer counts.
        let _ = OWN.try_with(|own| {
            let mut own = own.borrow_mut();
            let index = match own.iter().position(|own| own.id == self.id) {
                Some(index) => index,
                None => self.join(&mut own),
            };
            self.count_in(&mut own[index], seen);
        });
    }

    #[inline]
    fn count_in(&self, own: &mut Own, seen: &Verification<'_>) {
        let issuer = match (seen.configured_issuer(), &own.last) {
            (None, _) => NO_ISSUER,
            (Some(issuer), Some((last, slot))) if Arc::ptr_eq(issuer, last) => *slot,
            (Some(issuer), _) => self.slot_of(issuer, own),
        };
        if !seen.duration().is_zero() {
            own.counters.durations.record(seen.is_cache_hit(), seen.duration());
        }
        if let (Ok(principal), false) = (seen.verdict(), seen.is_signature_checked()) {
            let slot = (issuer * KINDS + principal.kind() as usize) * 2 + usize::from(seen.is_cache_hit());
            let counter = &own.counters.accepted[slot];
            // Only one thread writes, so no read-modify-write is needed.
            counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            return;
        }
        own.counters.count_slow(issuer, seen);
    }

    /// The counters of this thread, which are created on first use.
    #[cold]
    fn join(&self, own: &mut Vec<Own>) -> usize {
        let accepted = std::array::from_fn(|_| AtomicU64::new(0));
        let counters = Arc::new(OfThread { accepted, durations: Durations::default(), slow: Mutex::default() });
        let mut shared = self.lock();
        shared.fold_ended();
        shared.running.push(counters.clone());
        drop(shared);
        // Counters without other owners belong to counts that no longer exist.
        own.retain(|own| Arc::strong_count(&own.counters) > 1);
        own.push(Own { id: self.id, counters, last: None });
        own.len() - 1
    }

    #[cold]
    fn slot_of(&self, issuer: &Arc<str>, own: &mut Own) -> usize {
        let mut shared = self.lock();
        let known = shared.issuers.iter().position(|known| **known == **issuer);
        let slot = match known {
            Some(index) => index + 1,
            None if shared.issuers.len() < MAX_ISSUERS => {
                shared.issuers.push(issuer.clone());
                shared.issuers.len()
            }
            None => OTHER_ISSUER,
        };
        own.last = Some((issuer.clone(), slot));
        slot
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes on every series of verifies, then every series of signature checks (issuer, whether they verified, number),
    /// and then the durations since the last call (whether cache hits, seconds, number).
    pub(crate) fn collect(
        &self,
        mut verifies: impl FnMut(&Series<'_>),
        mut checks: impl FnMut(&str, bool, u64),
        mut durations: impl FnMut(bool, f64, u64),
    ) {
        let mut shared = self.lock();
        shared.fold_ended();
        let (mut accepted, mut rejected) = (shared.accepted.clone(), shared.rejected.clone());
        let (mut checked, mut lasted) = (shared.checks.clone(), shared.durations);
        for thread in &shared.running {
            thread.add_to(&mut accepted, &mut rejected, &mut checked);
            thread.durations.add_to(&mut lasted);
        }
        let reported = std::mem::replace(&mut shared.reported, lasted);
        let name = |slot: usize| match slot {
            NO_ISSUER => NONE,
            OTHER_ISSUER => OTHER,
            slot => &shared.issuers[slot - 1],
        };
        for (slot, count) in accepted {
            let (issuer, kind) = (name(slot / 2 / KINDS), PrincipalKind::ALL[slot / 2 % KINDS]);
            verifies(&Series { issuer, kind: Some(kind), is_cache_hit: slot % 2 == 1, code: None, count });
        }
        for (Rejected { issuer, kind, is_cache_hit, code }, count) in rejected {
            verifies(&Series { issuer: name(issuer), kind, is_cache_hit, code: Some(code), count });
        }
        for ((issuer, is_good), count) in checked {
            checks(name(issuer), is_good, count);
        }
        for (index, (sums, reported)) in lasted.iter().zip(&reported).enumerate() {
            for (bucket, (sum, reported)) in
                sums.iter().zip(reported).enumerate().filter(|(_, (sum, reported))| sum > reported)
            {
                durations(index == 1, representative(bucket), sum - reported);
            }
        }
    }
}

impl Shared {
    /// So that ended threads leave only their sums.
    fn fold_ended(&mut self) {
        let Shared { running, accepted, rejected, checks, durations, .. } = self;
        running.retain(|thread| {
            let is_running = Arc::strong_count(thread) > 1;
            if !is_running {
                thread.add_to(accepted, rejected, checks);
                thread.durations.add_to(durations);
            }
            is_running
        });
    }
}

impl OfThread {
    #[cold]
    #[inline(never)]
    fn count_slow(&self, issuer: usize, seen: &Verification<'_>) {
        let mut slow = self.slow.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_signature_checked() {
            let is_good = seen.code().is_none_or(|code| !matches!(code, "bad-signature"));
            *slow.checks.entry((issuer, is_good)).or_default() += 1;
        }
        let Some(code) = seen.code() else {
            let Ok(principal) = seen.verdict() else { return };
            let slot = (issuer * KINDS + principal.kind() as usize) * 2 + usize::from(seen.is_cache_hit());
            let counter = &self.accepted[slot];
            counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            return;
        };
        let mut series = Rejected { issuer, kind: seen.kind(), is_cache_hit: seen.is_cache_hit(), code };
        if slow.rejected.len() >= MAX_REJECTIONS && !slow.rejected.contains_key(&series) {
            series.code = OTHER;
        }
        *slow.rejected.entry(series).or_default() += 1;
    }

    fn add_to(
        &self,
        accepted: &mut HashMap<usize, u64>,
        rejected: &mut HashMap<Rejected, u64>,
        checks: &mut HashMap<(usize, bool), u64>,
    ) {
        for (slot, counter) in self.accepted.iter().enumerate() {
            let count = counter.load(Ordering::Relaxed);
            if count > 0 {
                *accepted.entry(slot).or_default() += count;
            }
        }
        let slow = self.slow.lock().unwrap_or_else(PoisonError::into_inner);
        slow.rejected.iter().for_each(|(series, count)| *rejected.entry(*series).or_default() += count);
        slow.checks.iter().for_each(|(series, count)| *checks.entry(*series).or_default() += count);
    }
}
