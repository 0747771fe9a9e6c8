//! arc-swap for the model checker: its names, and of its guarantees only those that its documentation gives.

use std::ops::Deref;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use loom::sync::atomic::AtomicUsize;

/// A pointer that is replaced as a whole: everything that it ever was, and which of it is current.
///
/// A load acquires and a store releases, no more: which of the stores a load sees is for loom to choose.
pub struct ArcSwapAny<P> {
    /// No lock of loom's: it is held between two of its steps, never across one.
    values: Mutex<Vec<P>>,
    current: AtomicUsize,
}

/// For a pointer that is there.
pub type ArcSwap<T> = ArcSwapAny<Arc<T>>;

/// For one that may be there.
pub type ArcSwapOption<T> = ArcSwapAny<Option<Arc<T>>>;

/// What was current when it was loaded.
pub struct Guard<P>(P);

impl<P: Clone> ArcSwapAny<P> {
    /// With its first value.
    pub fn new(value: P) -> Self {
        ArcSwapAny { values: Mutex::new(vec![value]), current: AtomicUsize::new(0) }
    }

    /// What is current.
    pub fn load(&self) -> Guard<P> {
        Guard(self.load_full())
    }

    /// What is current, to be kept.
    pub fn load_full(&self) -> P {
        let current = self.current.load(Ordering::Acquire);
        self.values.lock().unwrap_or_else(PoisonError::into_inner)[current].clone()
    }

    /// Makes `value` current.
    pub fn store(&self, value: P) {
        self.swap(value);
    }

    /// Makes `value` current, and gives what was.
    pub fn swap(&self, value: P) -> P {
        let index = self.push(value);
        let old = self.current.swap(index, Ordering::AcqRel);
        self.at(old)
    }

    fn push(&self, value: P) -> usize {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values.push(value);
        values.len() - 1
    }

    fn at(&self, index: usize) -> P {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)[index].clone()
    }
}

impl<T> ArcSwap<T> {
    /// Makes current what `change` makes of what is, and gives what was.
    pub fn rcu(&self, change: impl Fn(&Arc<T>) -> T) -> Arc<T> {
        loop {
            let old = self.current.load(Ordering::Acquire);
            let index = self.push(Arc::new(change(&self.at(old))));
            if self.current.compare_exchange(old, index, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                return self.at(old);
            }
        }
    }
}

impl<T> ArcSwap<T> {
    /// With its first value.
    pub fn from_pointee(value: T) -> Self {
        Self::new(Arc::new(value))
    }
}

impl<T> ArcSwapOption<T> {
    /// With nothing.
    pub fn empty() -> Self {
        Self::new(None)
    }
}

impl<P> Deref for Guard<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.0
    }
}
