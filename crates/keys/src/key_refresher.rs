use std::future::Future;
use std::pin::Pin;

/// Keeps a [`KeyRing`](crate::KeyRing) up to date, and is notified of keys that the ring lacks.
///
/// A ring has at most one refresher, set at its creation: [`KeyRing::with_refresher`](crate::KeyRing::with_refresher).
pub trait KeyRefresher: Send + Sync {
    /// Called when a token may be signed by a key that the ring lacks: no key of the ring has `kid`, or the header has
    /// no `kid` and no key of the ring verifies the signature.
    ///
    /// `kid`: the complete, unauthenticated `kid` of the header. It can be as long as a token: an engine's header limit
    /// bounds it (8 KiB by default, at most 64 KiB). No set has a key whose `kid` is longer than
    /// [`MAX_KEY_ID_BYTES`](crate::limits::MAX_KEY_ID_BYTES).
    ///
    /// The call is only a hint. Verifiers make it for every such token, forged ones included. An implementation must
    /// not block or allocate here, and must bound the work that follows.
    fn unknown_key(&self, kid: Option<&str>);

    /// Waits, for a short time, until the ring may hold a key that it lacked when this was called. None if no refresh
    /// is expected soon.
    ///
    /// Resolves to `true` when the keys have been refreshed, and to `false` when they have not and will not be soon.
    fn refreshed<'r>(&'r self, kid: Option<&'r str>) -> Option<Refreshed<'r>>;
}

/// The future of [`KeyRefresher::refreshed`].
pub type Refreshed<'r> = Pin<Box<dyn Future<Output = bool> + Send + 'r>>;
