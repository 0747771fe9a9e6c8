use std::fmt;
use std::ops::Deref;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};

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
    refresher: Option<Arc<dyn KeyRefresher>>,
    is_static: bool,
}

struct Published {
    set: KeySet,
    generation: u64,
}

impl KeyRing {
    /// A ring with its first set, to be replaced by others: the set may be empty for now.
    #[must_use]
    pub fn new(set: KeySet) -> Self {
        Self::make(set, None, false)
    }

    /// A ring that `refresher` keeps up to date.
    ///
    /// The ring keeps `refresher` alive: that one must not hold the ring itself, but a [`WeakKeyRing`], or tell somebody who
    /// does. When the last reader of the ring is dropped, so is the refresher.
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

    /// Whether this ring was converted from a [`KeySet`], which then is the set that it is meant to have: nobody is
    /// expected to fill it when it is empty.
    #[must_use]
    pub fn is_static(&self) -> bool {
        self.0.is_static
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

    /// The same ring, which is not kept alive by this.
    #[must_use]
    pub fn downgrade(&self) -> WeakKeyRing {
        WeakKeyRing(Arc::downgrade(&self.0))
    }

    /// Keeps this ring up to date, if anybody does.
    #[must_use]
    pub fn refresher(&self) -> Option<&Arc<dyn KeyRefresher>> {
        self.0.refresher.as_ref()
    }

    /// Tells the refresher, if there is one, that a token may be under a key that is not in the set.
    ///
    /// Never blocks and never allocates.
    pub fn report_unknown_key(&self, kid: Option<&str>) {
        if let Some(refresher) = self.refresher() {
            refresher.unknown_key(kid);
        }
    }
}

/// A [`KeyRing`] as long as somebody else holds it: for whoever keeps a ring up to date only while it is read.
#[derive(Clone)]
pub struct WeakKeyRing(Weak<Ring>);

impl WeakKeyRing {
    /// The ring, unless nobody holds it any more.
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

/// The set as it is: a [static](KeyRing::is_static) ring.
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
