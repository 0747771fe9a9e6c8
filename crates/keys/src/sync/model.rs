//! A model of arc-swap for the model checker: the same names, with only the guarantees that arc-swap documents.

use std::ops::Deref;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use loom::sync::atomic::AtomicUsize;

/// An atomic pointer: all values that it ever had, and the index of the current one.
///
/// A load acquires and a store releases, no more: loom chooses which store a load sees.
pub struct ArcSwapAny<P> {
    /// Not a loom lock: it is held between two of loom's steps, never across one.
    values: Mutex<Vec<P>>,
    current: AtomicUsize,
}

/// A pointer that is never null.
pub type ArcSwap<T> = ArcSwapAny<Arc<T>>;

/// A pointer that may be null.
pub type ArcSwapOption<T> = ArcSwapAny<Option<Arc<T>>>;

/// The value that was current when it was loaded.
pub struct Guard<P>(P);

impl<P: Clone> ArcSwapAny<P> {
    /// Creates the pointer with its first value.
    pub fn new(value: P) -> Self {
        ArcSwapAny { values: Mutex::new(vec![value]), current: AtomicUsize::new(0) }
    }

    /// Returns the current value.
    pub fn load(&self) -> Guard<P> {
        Guard(self.load_full())
    }

    /// Returns an owned reference to the current value.
    pub fn load_full(&self) -> P {
        let current = self.current.load(Ordering::Acquire);
        self.values.lock().unwrap_or_else(PoisonError::into_inner)[current].clone()
    }

    /// Sets the current value.
    pub fn store(&self, value: P) {
        self.swap(value);
    }

    /// Sets the current value and returns the old one.
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
    /// Replaces the current value by the result of `change` and returns the old one.
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
    /// Creates the pointer with its first value.
    pub fn from_pointee(value: T) -> Self {
        Self::new(Arc::new(value))
    }
}

impl<T> ArcSwapOption<T> {
    /// Creates a null pointer.
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
