use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::fingerprint::{Fingerprint, High, Secret};
use super::target::{Kind, Marks, Revocation};
use crate::limits::REVOCATION_SHARDS_LOG2;
use crate::sync::{ArcSwapOption, AtomicBool, AtomicU64, AtomicUsize, Mutex};

/// What has been revoked. Clones are the same table, and any number of engines may share it.
///
/// When [`Revocations::revoke`] has returned, no verify that starts later accepts what it names. Looking up takes no lock
/// and writes nothing that another thread reads; while nothing is revoked it costs one load. An entry takes 32 bytes.
#[derive(Clone, Default)]
pub struct Revocations(Arc<Table>);

struct Table {
    secret: Secret,
    /// By the fingerprint's first bits; each shard sorted, and replaced as a whole.
    shards: Box<[ArcSwapOption<Vec<Entry>>]>,
    /// How many entries there are of each kind.
    counts: [AtomicUsize; KINDS],
    /// A bit for each kind of which there are entries, so that others are not looked up: one load while nothing is revoked.
    kinds: AtomicUsize,
    /// Goes up after each change.
    generation: AtomicU64,
    /// Whether it is declared to be in step with the place where revocations are made.
    are_fresh: AtomicBool,
    writer: Mutex<()>,
}

const KINDS: usize = 6;

/// The end of an entry that is never forgotten.
const NEVER: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Entry {
    fingerprint: Fingerprint,
    issued_before: i64,
    /// In seconds since the Unix epoch, or [`NEVER`].
    until: u32,
    kind: Kind,
}

/// What the documentation says.
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

    /// Revokes. Of two revocations of one name the stricter counts: the later `issued_before` and the later `until`.
    pub fn revoke(&self, revocation: &Revocation) {
        self.revoke_all(std::slice::from_ref(revocation));
    }

    /// Revokes many at once, which takes less than one after the other. Returns how many had been there before.
    pub fn revoke_all<'r>(&self, revocations: impl IntoIterator<Item = &'r Revocation>) -> usize {
        let table = &*self.0;
        let mut new: Vec<_> = revocations.into_iter().map(|revocation| table.entry(revocation)).collect();
        new.sort_unstable_by_key(|entry| entry.fingerprint);
        // Nothing between lock and unlock can leave a shard half-changed: each is replaced as a whole.
        let _writer = table.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut already = 0;
        for entries in new.chunk_by(|a, b| shard(a.fingerprint) == shard(b.fingerprint)) {
            already += table.merge(entries, Entry::stricter);
        }
        table.generation.fetch_add(1, Ordering::SeqCst);
        already
    }

    /// Revokes, and whatever was revoked under the same name counts no more: also where it was stricter.
    pub fn replace(&self, revocation: &Revocation) {
        let table = &*self.0;
        let entry = table.entry(revocation);
        let _writer = table.writer.lock().unwrap_or_else(PoisonError::into_inner);
        table.merge(&[entry], |_, later| later);
        table.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Replaces everything by `revocations`. What is in both stays revoked throughout; when this has returned, all of
    /// `revocations` is. Of two of one name the stricter counts.
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
                // First what is new, so that no name is missing in between.
                table.merge(entries, |_, later| later);
            }
            table.retain(number, |old| {
                entries.binary_search_by_key(&old.fingerprint, |entry| entry.fingerprint).is_ok()
            });
        }
        table.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Takes a revocation back. Returns whether there was one of that name.
    pub fn restore(&self, revocation: &Revocation) -> bool {
        let table = &*self.0;
        let fingerprint = revocation.fingerprint(&table.secret);
        let _writer = table.writer.lock().unwrap_or_else(PoisonError::into_inner);
        table.retain(shard(fingerprint), |entry| entry.fingerprint != fingerprint) > 0
    }

    /// Forgets what no credential can outlive at `now`, in seconds since the Unix epoch. Returns how many entries that were.
    ///
    /// To be called now and then by whoever owns the table; a verify never does.
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

    /// Declares that the table is in step with the place where revocations are made. Whoever feeds it from a store does so each time that
    /// the store was read to its end. A new table is stale.
    ///
    /// This matters to issuers alone that [require it](crate::Issuer::require_fresh_revocations).
    pub fn mark_fresh(&self) {
        // Read first: it is said again and again, and threads that verify read beside it.
        if !self.are_fresh() {
            self.0.are_fresh.store(true, Ordering::Release);
        }
    }

    /// Declares that revocations made elsewhere may be missing here. After how long without a look at the store that is, whoever
    /// feeds the table decides, by a monotonic clock.
    ///
    /// When this has returned, no verify that starts later accepts a token of an issuer that
    /// [requires fresh revocations](crate::Issuer::require_fresh_revocations), until they are [fresh](Self::mark_fresh) again.
    pub fn mark_stale(&self) {
        // Before the generation: a token that was stamped under the new one was looked at when they were fresh again.
        if self.0.are_fresh.swap(false, Ordering::AcqRel) {
            self.0.generation.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Whether the table is declared to be in step with the place where revocations are made.
    #[must_use]
    pub fn are_fresh(&self) -> bool {
        self.0.are_fresh.load(Ordering::Acquire)
    }

    /// Whether anybody else has this table, who could declare it to be fresh.
    pub(crate) fn are_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// How often the table was changed. Whoever keeps what was found good keeps with it the generation from before.
    pub(crate) fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    /// Whether the credential of these marks is revoked. They are asked for where anything is.
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
            // An API key has no issuer, whatever its record says.
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

    /// The entry of the fingerprint that begins with `high` and that `complete` gives.
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

    /// Merges sorted `new` entries into their shard; of two of one name `choose` makes one of the earlier and the later.
    /// Returns how many names were there before.
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

    /// Keeps in a shard only what `keep` says. Returns how many entries went.
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
            // What was revoked and is no more may have been dropped from a cache; nothing else depends on it.
            self.generation.fetch_add(1, Ordering::SeqCst);
        }
        gone
    }

    /// To be called by the writer, after the counts have changed and before the generation goes up.
    fn note_kinds(&self) {
        let there = ALL_KINDS.into_iter().filter(|kind| self.counts[*kind as usize].load(Ordering::Relaxed) > 0);
        self.kinds.store(there.map(bit).sum(), Ordering::Release);
    }
}

const ALL_KINDS: [Kind; KINDS] = [Kind::Token, Kind::Subject, Kind::Session, Kind::Client, Kind::Issuer, Kind::ApiKey];

fn bit(kind: Kind) -> usize {
    1 << kind as usize
}

/// Of two neighbours of one name `choose` makes one of the earlier and the later.
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
