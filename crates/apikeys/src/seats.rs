use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// One value, with a reference count for each thread.
///
/// A reference count that all threads share would be written by every one of them at every request, and each write would
/// wait for the cache line to come from the thread that wrote before. So each thread counts at a seat of its own, or at
/// one that it has in common with few when there are more threads than seats.
pub(crate) struct Seats<T>(Box<[Shared<T>]>);

/// A share in a value, cheap to clone.
pub struct Shared<T>(Arc<Seat<T>>);

/// Two cache lines: the processor fetches them in pairs. The counts of the `Arc` around it come first.
#[repr(align(128))]
struct Seat<T>(Arc<T>);

impl<T> Seats<T> {
    pub(crate) fn new(value: T) -> Self {
        let value = Arc::new(value);
        Self((0..seat_count()).map(|_| Shared(Arc::new(Seat(value.clone())))).collect())
    }

    /// The share of the thread that calls.
    #[inline]
    pub(crate) fn mine(&self) -> &Shared<T> {
        // The number of seats is a power of two.
        &self.0[thread_number() & (self.0.len() - 1)]
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0.0
    }
}

impl<T> Clone for Shared<T> {
    #[inline]
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared(..)")
    }
}

/// Four times as many as threads can run, as `DashMap` has shards: two seldom meet. A power of two.
pub(crate) fn seat_count() -> usize {
    4 * thread::available_parallelism().map_or(1, usize::from).next_power_of_two()
}

/// Threads are numbered as they come.
#[inline]
pub(crate) fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| *number)
}
