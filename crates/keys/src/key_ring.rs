use std::fmt;
use std::ops::Deref;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};

use crate::key_refresher::KeyRefresher;
use crate::key_set::KeySet;
use crate::sync::{ArcSwap, AtomicU64, Guard, Mutex};

/// Publishes the current [`KeySet`] of an issuer. Clones share one ring.
///
/// Readers never wait, neither for each other nor for a writer: they see either the old or the new set, always
/// complete. A load that starts after [`KeyRing::replace`] has returned does not see the old set.
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
    /// A copy of the current set's generation, for readers that need nothing else.
    generation: AtomicU64,
    /// Held by writers, so that generations are published in order.
    writer: Mutex<()>,
    refresher: Option<Arc<dyn KeyRefresher>>,
    is_static: bool,
}

struct Published {
    set: KeySet,
    generation: u64,
}

impl KeyRing {
    /// Creates a ring with its first set, which may be empty until the ring is filled by [`KeyRing::replace`].
    #[must_use]
    pub fn new(set: KeySet) -> Self {
        Self::make(set, None, false)
    }

    /// Creates a ring that `refresher` keeps up to date.
    ///
    /// The ring keeps `refresher` alive. To avoid a cycle, `refresher` must hold a [`WeakKeyRing`], not the ring.
    /// Dropping the last clone of the ring drops the refresher.
    #[must_use]
    pub fn with_refresher(set: KeySet, refresher: Arc<dyn KeyRefresher>) -> Self {
        Self::make(set, Some(refresher), false)
    }

    fn make(set: KeySet, refresher: Option<Arc<dyn KeyRefresher>>, is_static: bool) -> Self {
        KeyRing(Arc::new(Ring {
            current: ArcSwap::from_pointee(Published { set, generation: 0 }),
            generation: AtomicU64::new(0),
            writer: Mutex::new(()),
            refresher,
            is_static,
        }))
    }

    /// Whether this ring was converted from a [`KeySet`]. If such a ring is empty, nobody is expected to fill it.
    #[must_use]
    pub fn is_static(&self) -> bool {
        self.0.is_static
    }

    /// The current set. Hold it for one verification, not longer.
    #[must_use]
    pub fn load(&self) -> PublishedKeySet {
        PublishedKeySet(self.0.current.load())
    }

    /// Replaces the current set by `set`.
    ///
    /// From the return on, a removed key verifies nothing, and the generation is higher.
    pub fn replace(&self, set: KeySet) {
        // Nothing under this lock can panic half-way, so poisoning is ignored.
        let _writer = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = self.0.generation.load(Ordering::Relaxed) + 1;
        self.0.current.store(Arc::new(Published { set, generation }));
        // Stored after the set: a reader of the new generation also sees the new set.
        self.0.generation.store(generation, Ordering::Release);
    }

    /// How often the set was replaced. Much cheaper than a load.
    ///
    /// To label a verification, use the generation of the loaded set: this one may already be newer.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    /// Returns a weak reference to the ring.
    #[must_use]
    pub fn downgrade(&self) -> WeakKeyRing {
        WeakKeyRing(Arc::downgrade(&self.0))
    }

    /// The refresher of this ring, if any.
    #[must_use]
    pub fn refresher(&self) -> Option<&Arc<dyn KeyRefresher>> {
        self.0.refresher.as_ref()
    }

    /// Notifies the refresher, if any, that a token may be signed by a key that is not in the set.
    ///
    /// Never blocks and never allocates.
    pub fn report_unknown_key(&self, kid: Option<&str>) {
        if let Some(refresher) = self.refresher() {
            refresher.unknown_key(kid);
        }
    }
}

/// A weak reference to a [`KeyRing`], for tasks that keep a ring up to date only while it is used.
#[derive(Clone)]
pub struct WeakKeyRing(Weak<Ring>);

impl WeakKeyRing {
    /// The ring, unless all its clones were dropped.
    #[must_use]
    pub fn upgrade(&self) -> Option<KeyRing> {
        self.0.upgrade().map(KeyRing)
    }
}

impl fmt::Debug for WeakKeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakKeyRing")
    }
}

/// Creates a [static](KeyRing::is_static) ring.
impl From<KeySet> for KeyRing {
    fn from(set: KeySet) -> Self {
        KeyRing::make(set, None, true)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let published = self.load();
        f.debug_struct("KeyRing").field("generation", &published.generation()).field("keys", &*published).finish()
    }
}

/// The set that a ring held when it was loaded. Dereferences to the set.
pub struct PublishedKeySet(Guard<Arc<Published>>);

impl PublishedKeySet {
    /// The generation of this set.
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
