use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::fingerprint::{Fingerprint, High, Secret};
use super::target::{Kind, Marks, Revocation};
use crate::limits::REVOCATION_SHARDS_LOG2;
use crate::sync::{ArcSwapOption, AtomicBool, AtomicU64, AtomicUsize, Mutex};

/// The table of revocations. Clones share one table, and so may any number of engines.
///
/// When [`Revocations::revoke`] has returned, no verify that starts later accepts a credential that it names. A look-up
/// takes no lock, and writes no memory that another thread reads; while nothing is revoked it costs one load. An entry
/// takes 32 bytes.
#[derive(Clone, Default)]
pub struct Revocations(Arc<Table>);

struct Table {
    secret: Secret,
    /// By the first bits of the fingerprint. Each shard is sorted, and replaced as a whole.
    shards: Box<[ArcSwapOption<Vec<Entry>>]>,
    /// The number of entries of each kind.
    counts: [AtomicUsize; KINDS],
    /// A bit for each kind that has entries, so that other kinds are not looked up: one load while nothing is revoked.
    kinds: AtomicUsize,
    /// Incremented after each change.
    generation: AtomicU64,
    /// Whether the table is declared in sync with the place where revocations are made.
    are_fresh: AtomicBool,
    writer: Mutex<()>,
}

const KINDS: usize = 6;

/// The end of an entry that is never removed.
const NEVER: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Entry {
    fingerprint: Fingerprint,
    issued_before: i64,
    /// In seconds since the Unix epoch, or [`NEVER`].
    until: u32,
    kind: Kind,
}

/// The size that the documentation states.
const _: () = assert!(size_of::<Entry>() == 32);

impl Entry {
    fn stricter(self, other: Self) -> Self {
        let (issued_before, until) = (self.issued_before.max(other.issued_before), self.until.max(other.until));
        Entry { issued_before, until, ..self }
    }
}

impl Default for Table {
    fn default() -> Self {
        Table {
            secret: Secret::default(),
            shards: (0..1 << REVOCATION_SHARDS_LOG2).map(|_| ArcSwapOption::empty()).collect(),
            counts: Default::default(),
            kinds: AtomicUsize::new(0),
            generation: AtomicU64::new(0),
            are_fresh: AtomicBool::new(false),
            writer: Mutex::new(()),
        }
    }
}

impl Revocations {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a revocation. Of two for one name the stricter applies: the later `issued_before` and the later `until`.
    pub fn revoke(&self, revocation: &Revocation) {
        self.revoke_all(std::slice::from_ref(revocation));
    }

    /// Adds many revocations, faster than one by one. Returns how many names were revoked before.
    pub fn revoke_all<'r>(&self, revocations: impl IntoIterator<Item = &'r Revocation>) -> usize {
        let table = &*self.0;
        let mut new: Vec<_> = revocations.into_iter().map(|revocation| table.entry(revocation)).collect();
        new.sort_unstable_by_key(|entry| entry.fingerprint);
        // A panic under the lock leaves no shard half-changed, since each is replaced as a whole.
        let _writer = table.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut already = 0;
        for entries in new.chunk_by(|a, b| shard(a.fingerprint) == shard(b.fingerprint)) {
            already += table.merge(entries, Entry::stricter);
        }
        table.generation.fetch_add(1, Ordering::SeqCst);
        already
    }

    /// Adds a revocation in place of an earlier one of the same name, even a stricter one.
    pub fn replace(&self, revocation: &Revocation) {
        let table = &*self.0;
        let entry = table.entry(revocation);
        let _writer = table.writer.lock().unwrap_or_else(PoisonError::into_inner);
        table.merge(&[entry], |_, later| later);
        table.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Replaces all revocations by `revocations`. A name in both stays revoked throughout. When this has returned, all
    /// of `revocations` apply. Of two for one name the stricter applies.
    pub fn replace_all<'r>(&self, revocations: impl IntoIterator<Item = &'r Revocation>) {
        let table = &*self.0;
        let mut new: Vec<_> = revocations.into_iter().map(|revocation| table.entry(revocation)).collect();
        new.sort_unstable_by_key(|entry| entry.fingerprint);
        unite(&mut new, Entry::stricter);
        let _writer = table.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rest = new.as_slice();
        for number in 0..table.shards.len() {
            let entries;
            (entries, rest) = rest.split_at(rest.partition_point(|entry| shard(entry.fingerprint) == number));
            if !entries.is_empty() {
                // New entries first, so that no name is missing in between.
                table.merge(entries, |_, later| later);
            }
            table.retain(number, |old| {
                entries.binary_search_by_key(&old.fingerprint, |entry| entry.fingerprint).is_ok()
            });
        }
        table.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Removes a revocation. Returns whether there was one for its name.
    pub fn restore(&self, revocation: &Revocation) -> bool {
        let table = &*self.0;
        let fingerprint = revocation.fingerprint(&table.secret);
        let _writer = table.writer.lock().unwrap_or_else(PoisonError::into_inner);
        table.retain(shard(fingerprint), |entry| entry.fingerprint != fingerprint) > 0
    }

    /// Removes the entries that no credential can outlive at `now`, in seconds since the Unix epoch. Returns their
    /// number.
    ///
    /// The owner of the table should call it now and then; a verify never does.
    pub fn forget_expired(&self, now: i64) -> usize {
        let table = &*self.0;
        let _writer = table.writer.lock().unwrap_or_else(PoisonError::into_inner);
        (0..table.shards.len())
            .map(|shard| table.retain(shard, |entry| entry.until == NEVER || i64::from(entry.until) > now))
            .sum()
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.counts.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// Whether nothing is revoked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Declares the table in sync with the place where revocations are made. A feeder that reads a store calls it each
    /// time it has read the store to its end. A new table is stale.
    ///
    /// This matters only where fresh revocations are required: by [issuers](crate::Issuer::require_fresh_revocations),
    /// or for API keys.
    pub fn mark_fresh(&self) {
        // Read first: this is called again and again, and verifying threads read the same memory.
        if !self.are_fresh() {
            self.0.are_fresh.store(true, Ordering::Release);
        }
    }

    /// Declares that revocations made elsewhere may be missing here. How long after the last read of the store that is,
    /// the feeder of the table decides, by a monotonic clock.
    ///
    /// When this has returned, no verify that starts later accepts a token of an issuer that [requires fresh
    /// revocations](crate::Issuer::require_fresh_revocations), until they are [fresh](Self::mark_fresh) again.
    pub fn mark_stale(&self) {
        // Before the generation: a token that is stamped with the new one was checked when they were fresh again.
        if self.0.are_fresh.swap(false, Ordering::AcqRel) {
            self.0.generation.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Whether the table is declared in sync with the place where revocations are made.
    #[must_use]
    pub fn are_fresh(&self) -> bool {
        self.0.are_fresh.load(Ordering::Acquire)
    }

    /// Whether anybody else has this table, who could declare it fresh.
    pub(crate) fn are_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// The number of changes so far. A valid credential is cached with the generation from before its check.
    pub(crate) fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    /// Whether the credential with these marks is revoked. `marks` is called only if anything is revoked.
    pub(crate) fn contain_any<'m>(&self, marks: impl FnOnce() -> Marks<'m>) -> bool {
        let kinds = self.0.kinds.load(Ordering::Acquire);
        kinds != 0 && self.0.contains_any(kinds, &marks())
    }
}

impl Table {
    fn contains_any(&self, kinds: usize, marks: &Marks<'_>) -> bool {
        marks.names().any(|(kind, name)| {
            if kinds & bit(kind) == 0 {
                return false;
            }
            // The marks of an API key have no issuer.
            let high = self.secret.high(kind, marks.issuer, name);
            let entry = self.find(high, || self.secret.complete(high, kind, marks.issuer, name));
            entry.is_some_and(|entry| marks.issued_at.is_none_or(|iat| iat < entry.issued_before))
        })
    }

    fn entry(&self, revocation: &Revocation) -> Entry {
        let (issued_before, until) = revocation.times();
        let until = u32::try_from(until.max(0)).unwrap_or(NEVER);
        Entry { fingerprint: revocation.fingerprint(&self.secret), issued_before, until, kind: revocation.kind() }
    }

    /// The entry with the fingerprint that `complete` returns and whose first half is `high`.
    fn find(&self, high: High, complete: impl FnOnce() -> Fingerprint) -> Option<Entry> {
        let entries = self.shards[high.prefix(REVOCATION_SHARDS_LOG2)].load();
        let entries = entries.as_ref()?;
        let mut candidates = entries[entries.partition_point(|entry| entry.fingerprint.high() < high)..]
            .iter()
            .take_while(|entry| entry.fingerprint.high() == high)
            .peekable();
        candidates.peek()?;
        let fingerprint = complete();
        candidates.find(|entry| entry.fingerprint == fingerprint).copied()
    }

    /// Merges sorted `new` entries into their shard. `choose` makes one entry of an earlier and a later one for the
    /// same name. Returns how many names were present before.
    fn merge(&self, new: &[Entry], choose: impl Fn(Entry, Entry) -> Entry) -> usize {
        let slot = &self.shards[shard(new[0].fingerprint)];
        let old = slot.load_full();
        let old = old.as_deref().map_or(&[][..], Vec::as_slice);
        let mut merged: Vec<Entry> = Vec::with_capacity(old.len() + new.len());
        merged.extend_from_slice(old);
        merged.extend_from_slice(new);
        merged.sort_by_key(|entry| entry.fingerprint);
        unite(&mut merged, choose);
        let already = old.len() + new.len() - merged.len();
        for kind in ALL_KINDS {
            let count = |entries: &[Entry]| entries.iter().filter(|entry| entry.kind == kind).count();
            self.counts[kind as usize].fetch_add(count(&merged) - count(old), Ordering::Release);
        }
        merged.shrink_to_fit();
        slot.store(Some(Arc::new(merged)));
        self.note_kinds();
        already
    }

    /// Keeps only the entries of a shard for which `keep` holds. Returns how many were removed.
    fn retain(&self, shard: usize, keep: impl Fn(&Entry) -> bool) -> usize {
        let Some(old) = self.shards[shard].load_full() else {
            return 0;
        };
        let kept: Vec<Entry> = old.iter().copied().filter(&keep).collect();
        let gone = old.len() - kept.len();
        if gone > 0 {
            self.shards[shard].store(if kept.is_empty() { None } else { Some(Arc::new(kept)) });
            for entry in old.iter().filter(|entry| !keep(entry)) {
                self.counts[entry.kind as usize].fetch_sub(1, Ordering::Release);
            }
            self.note_kinds();
            // A credential that is no longer revoked may have been dropped from a cache; nothing else depends on this.
            self.generation.fetch_add(1, Ordering::SeqCst);
        }
        gone
    }

    /// The writer calls it after the counts have changed and before the generation is incremented.
    fn note_kinds(&self) {
        let there = ALL_KINDS.into_iter().filter(|kind| self.counts[*kind as usize].load(Ordering::Relaxed) > 0);
        self.kinds.store(there.map(bit).sum(), Ordering::Release);
    }
}

const ALL_KINDS: [Kind; KINDS] = [Kind::Token, Kind::Subject, Kind::Session, Kind::Client, Kind::Issuer, Kind::ApiKey];

fn bit(kind: Kind) -> usize {
    1 << kind as usize
}

/// Makes one entry of neighbours for one name, with `choose` of the earlier and the later.
fn unite(entries: &mut Vec<Entry>, choose: impl Fn(Entry, Entry) -> Entry) {
    entries.dedup_by(|later, kept| {
        let is_same = later.fingerprint == kept.fingerprint;
        if is_same {
            *kept = choose(*kept, *later);
        }
        is_same
    });
}

fn shard(fingerprint: Fingerprint) -> usize {
    fingerprint.high().prefix(REVOCATION_SHARDS_LOG2)
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations").field("len", &self.len()).finish_non_exhaustive()
    }
}
