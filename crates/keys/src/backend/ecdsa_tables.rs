//! ES256 and ES384 with tables of each key's multiples, computed when a set is built (feature `ecdsa-tables`).
//!
//! `tollgate-ecdsa` does the arithmetic, and gives a verdict only if its internal checks have passed. Otherwise the
//! library decides. The library does not check rejections again: a rejection has passed the same internal checks as an
//! acceptance and is the safe verdict, and a second check would make a flood of bad signatures nearly four times as
//! expensive.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use tollgate_ecdsa::limits::KEY_WINDOW_BITS;
use tollgate_ecdsa::{Curve, PreparedKey as Tables, Verdict};

use super::library::{self, sha256, sha384};
use super::{Backend, KeyMaterial, PreparedKey, SignatureCheck};

pub(super) const ES256: Ecdsa = Ecdsa { curve: Curve::P256, library: library::ES256 };
pub(super) const ES384: Ecdsa = Ecdsa { curve: Curve::P384, library: library::ES384 };

/// The number of signatures that [`VerifyingKey::verify`](crate::VerifyingKey::verify) has left to a library since the
/// process started, because an internal check of the table arithmetic did not pass (feature `ecdsa-tables`).
///
/// Only specially crafted signatures have this effect; no ordinary one does. Without an attack, a growing number points
/// to faulty memory or a faulty processor.
#[must_use]
pub fn undecided_checks() -> u64 {
    UNDECIDED.load(Ordering::Relaxed)
}

static UNDECIDED: AtomicU64 = AtomicU64::new(0);

/// Keys start without tables: only a key set knows how many keys there are.
pub(super) struct Ecdsa {
    curve: Curve,
    library: Option<&'static dyn Backend>,
}

impl Backend for Ecdsa {
    fn prepare(&self, key: &KeyMaterial<'_>) -> Option<PreparedKey> {
        match *key {
            KeyMaterial::Encoded(point) => {
                let library = self.library?.prepare(key)?;
                Some(Arc::new(WithoutTables { curve: self.curve, point: point.into(), library }))
            }
            _ => None,
        }
    }
}

#[derive(Clone)]
struct WithoutTables {
    curve: Curve,
    point: Arc<[u8]>,
    library: PreparedKey,
}

impl SignatureCheck for WithoutTables {
    fn check(&self, message: &[u8], signature: &[u8]) -> bool {
        self.library.check(message, signature)
    }

    fn has_tables(&self) -> Option<bool> {
        Some(false)
    }

    fn with_tables(&self, wanted: bool) -> Option<PreparedKey> {
        if !wanted {
            return Some(Arc::new(self.clone()));
        }
        Some(Arc::new(WithTables { without: self.clone(), tables: tables_of(self.curve, &self.point)? }))
    }
}

struct WithTables {
    without: WithoutTables,
    tables: Arc<Tables>,
}

impl SignatureCheck for WithTables {
    fn check(&self, message: &[u8], signature: &[u8]) -> bool {
        let verdict = match self.without.curve {
            Curve::P256 => self.verdict(message, &sha256(message), signature),
            Curve::P384 => self.verdict(message, &sha384(message), signature),
        };
        match verdict {
            Verdict::Valid => true,
            Verdict::Invalid => false,
            Verdict::Undecided(_) => {
                UNDECIDED.fetch_add(1, Ordering::Relaxed);
                self.without.check(message, signature)
            }
        }
    }

    fn has_tables(&self) -> Option<bool> {
        Some(true)
    }

    fn with_tables(&self, wanted: bool) -> Option<PreparedKey> {
        self.without.with_tables(wanted)
    }
}

impl WithTables {
    fn verdict(&self, message: &[u8], digest: &[u8], signature: &[u8]) -> Verdict {
        let verdict = self.tables.verify(digest, signature);
        // Tests and fuzzing compare with the library: about one in eight acceptances, or all.
        let is_sampled = cfg!(fuzzing) || digest[0].is_multiple_of(8);
        debug_assert!(
            verdict != Verdict::Valid || !is_sampled || self.without.check(message, signature),
            "the tables accept a signature that the library rejects"
        );
        verdict
    }
}

/// The tables of every key in use, by point, so that a key keeps its tables when its set is replaced.
///
/// Used while keys are loaded, never by a check.
static IN_USE: LazyLock<Mutex<TablesByPoint>> = LazyLock::new(Mutex::default);

type TablesByPoint = HashMap<Arc<[u8]>, Weak<Tables>>;

/// Returns the tables of a point. None if they were computed wrongly: the library then decides alone. The point's
/// length identifies the curve.
fn tables_of(curve: Curve, point: &Arc<[u8]>) -> Option<Arc<Tables>> {
    let in_use = || IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
    let known = in_use().get(point).and_then(Weak::upgrade);
    if known.is_some() {
        return known;
    }
    // Computed without the lock, so that other threads can load keys. If two threads compute the same tables, the later
    // ones are kept.
    let tables = Arc::new(Tables::new(curve, point, KEY_WINDOW_BITS).ok()?);
    #[cfg(feature = "test-hooks")]
    crate::test_hooks::count_ecdsa_tables();
    let mut in_use = in_use();
    if in_use.len() == in_use.capacity() {
        // Purge before the map grows, so that purging costs no more than inserting.
        in_use.retain(|_, tables| tables.strong_count() > 0);
    }
    in_use.insert(point.clone(), Arc::downgrade(&tables));
    Some(tables)
}
