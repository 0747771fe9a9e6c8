use std::fmt;
use std::ops::Deref;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock, PoisonError};

use crate::key_refresher::KeyRefresher;
use crate::key_set::KeySet;
use crate::sync::{ArcSwap, AtomicU64, Guard, Mutex};

/// The place where the current [`KeySet`] of an issuer is published. Clones are the same ring.
///
/// Readers never wait, neither for each other nor for a writer: they see one whole set or the next. When
/// [`KeyRing::replace`] has returned, no load that starts later sees the old set.
///
/// ```
/// use tollgate_keys::{KeyRing, KeySet};
///
/// let ring = KeyRing::new(KeySet::default());
/// let before = ring.generation();
/// ring.replace(KeySet::default());
/// assert!(ring.generation() > before);
/// assert_eq!(ring.load().generation(), ring.generation());
/// ```
#[derive(Clone)]
pub struct KeyRing(Arc<Ring>);

struct Ring {
    current: ArcSwap<Published>,
    /// A copy of the current set's, for those who want only that.
    generation: AtomicU64,
    /// Held by writers, so that generations are published in their order.
    writer: Mutex<()>,
    refresher: OnceLock<Arc<dyn KeyRefresher>>,
}

struct Published {
    set: KeySet,
    generation: u64,
}

impl KeyRing {
    /// A ring with its first set.
    #[must_use]
    pub fn new(set: KeySet) -> Self {
        KeyRing(Arc::new(Ring {
            current: ArcSwap::from_pointee(Published { set, generation: 0 }),
            generation: AtomicU64::new(0),
            writer: Mutex::new(()),
            refresher: OnceLock::new(),
        }))
    }

    /// The current set. Hold it for one verification, not longer.
    #[must_use]
    pub fn load(&self) -> PublishedKeySet {
        PublishedKeySet(self.0.current.load())
    }

    /// Publishes `set` in place of the current one.
    ///
    /// A removed key counts no more from here on, and the generation has gone up.
    pub fn replace(&self, set: KeySet) {
        // Nothing between lock and unlock can panic half-way.
        let _writer = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = self.0.generation.load(Ordering::Relaxed) + 1;
        self.0.current.store(Arc::new(Published { set, generation }));
        // After the set: who reads the new generation also sees the new set.
        self.0.generation.store(generation, Ordering::Release);
    }

    /// How often the set was replaced. Much cheaper than a load.
    ///
    /// To mark what was verified, take the generation of the loaded set: this one may have moved on in between.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    /// Names the one who keeps this ring up to date, once and for all. Returns whether there was none before.
    ///
    /// The ring keeps `refresher` alive, so that it should not hold the ring.
    pub fn set_refresher(&self, refresher: Arc<dyn KeyRefresher>) -> bool {
        self.0.refresher.set(refresher).is_ok()
    }

    /// The one who keeps this ring up to date, if there is one.
    #[must_use]
    pub fn refresher(&self) -> Option<&Arc<dyn KeyRefresher>> {
        self.0.refresher.get()
    }

    /// Tells the refresher, if there is one, that a token named a key that is not in the set.
    ///
    /// Never blocks and never allocates.
    pub fn report_unknown_key(&self, kid: Option<&str>) {
        if let Some(refresher) = self.refresher() {
            refresher.unknown_key(kid);
        }
    }
}

impl From<KeySet> for KeyRing {
    fn from(set: KeySet) -> Self {
        KeyRing::new(set)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let published = self.load();
        f.debug_struct("KeyRing").field("generation", &published.generation()).field("keys", &*published).finish()
    }
}

/// The set that a ring held when it was loaded. Dereferences to it.
pub struct PublishedKeySet(Guard<Arc<Published>>);

impl PublishedKeySet {
    /// Of this set.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.generation
    }
}

impl Deref for PublishedKeySet {
    type Target = KeySet;

    fn deref(&self) -> &KeySet {
        &self.0.set
    }
}

impl fmt::Debug for PublishedKeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishedKeySet").field("generation", &self.generation()).field("keys", &**self).finish()
    }
}
