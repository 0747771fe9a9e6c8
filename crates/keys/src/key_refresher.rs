use std::future::Future;
use std::pin::Pin;

/// Keeps a [`KeyRing`](crate::KeyRing) up to date, and so has to know of keys that the ring lacks.
///
/// A ring has at most one, from its start: [`KeyRing::with_refresher`](crate::KeyRing::with_refresher).
pub trait KeyRefresher: Send + Sync {
    /// A token names a key that the ring does not hold. `kid`: what its header says, unauthenticated and of any
    /// length.
    ///
    /// A hint, sent by verifiers as often as such tokens come: it must neither block nor allocate, and what it leads to
    /// must be bounded.
    fn unknown_key(&self, kid: Option<&str>);

    /// Waits until the ring may hold a key that it lacked when this was called; not for long.
    ///
    /// It resolves to `true` when the keys were refreshed since, and to `false` when nothing is to be expected soon.
    fn refreshed<'r>(&'r self, kid: Option<&'r str>) -> Pin<Box<dyn Future<Output = bool> + Send + 'r>>;
}
