use std::future::Future;
use std::pin::Pin;

/// Keeps a [`KeyRing`](crate::KeyRing) up to date, and so has to know of keys that the ring lacks.
///
/// A ring has at most one, from its start: [`KeyRing::with_refresher`](crate::KeyRing::with_refresher).
pub trait KeyRefresher: Send + Sync {
    /// A token may be under a key that the ring does not hold. No key of the ring has `kid`, or the header has none and the
    /// signature is of no key of the ring.
    ///
    /// `kid`: the whole one of the header, unauthenticated and as long as a token can be: an engine's header limit bounds it
    /// (8 KiB by default, at most 64 KiB). No set has a key whose `kid` is longer than
    /// [`MAX_KEY_ID_BYTES`](crate::limits::MAX_KEY_ID_BYTES).
    ///
    /// A hint, sent by verifiers as often as such tokens come, forged ones among them: it must neither block nor allocate,
    /// and what it leads to must be bounded.
    fn unknown_key(&self, kid: Option<&str>);

    /// Waits until the ring may hold a key that it lacked when this was called; not for long. None where nothing is to be
    /// expected soon.
    ///
    /// It resolves to `true` when the keys were refreshed since, and to `false` when they were not and soon will not be.
    fn refreshed<'r>(&'r self, kid: Option<&'r str>) -> Option<Refreshed<'r>>;
}

/// A wait for the keys of a ring: [`KeyRefresher::refreshed`].
pub type Refreshed<'r> = Pin<Box<dyn Future<Output = bool> + Send + 'r>>;
