//! What a program can observe of every verify, for metrics and logs.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::accepted::Kinds;
use crate::issuer::ConfiguredIssuer;
use crate::principal::{Principal, PrincipalKind};
use crate::rejection::Rejection;

/// A finished verify, as an [observer](crate::EngineBuilder::observer) sees it.
pub struct Verification<'v> {
    verdict: Result<&'v Principal, &'v Rejection>,
    kind: Option<PrincipalKind>,
    issuer: Option<&'v Arc<str>>,
    duration: Duration,
    is_cache_hit: bool,
    is_signature_checked: bool,
}

impl<'v> Verification<'v> {
    /// The result of the verify. A rejection's `Display` is its detail, for the server's own log.
    ///
    /// # Errors
    /// The rejection, if the credential was rejected.
    pub fn verdict(&self) -> Result<&'v Principal, &'v Rejection> {
        self.verdict
    }

    /// The [code](Rejection::code) of the rejection; `None` if the credential was accepted.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        self.verdict.err().map(Rejection::code)
    }

    /// The kind of the credential. `None` for a rejected credential whose form does not tell its kind: a `Bearer` value
    /// that is not a JWT may be an API key or an opaque token, and neither was found.
    #[must_use]
    pub fn kind(&self) -> Option<PrincipalKind> {
        self.kind
    }

    /// The issuer whose policy checked the token, by its configured name: for a [template](crate::Issuer::tenant_claim)
    /// the template. It is never taken from the token, so there are no more values than issuers, whatever is sent.
    #[must_use]
    pub fn issuer(&self) -> Option<&'v str> {
        self.issuer.map(|name| &**name)
    }

    /// Like [`issuer`](Self::issuer), but the engine's own copy: for observers that keep it, and meanwhile tell issuers
    /// apart by its address.
    #[must_use]
    pub fn configured_issuer(&self) -> Option<&'v Arc<str>> {
        self.issuer
    }

    /// How long the verify took, by the system's monotonic clock; zero for an
    /// [untimed observer](crate::EngineBuilder::untimed_observer).
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Whether the token was found in the cache, so that its signature was not checked again. A cached token may still
    /// be rejected, for example because it has expired.
    #[must_use]
    pub fn is_cache_hit(&self) -> bool {
        self.is_cache_hit
    }

    /// Whether the signature of a JWT was checked, with either result.
    #[must_use]
    pub fn is_signature_checked(&self) -> bool {
        self.is_signature_checked
    }
}

impl fmt::Debug for Verification<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verification")
            .field("verdict", &self.verdict)
            .field("kind", &self.kind)
            .field("issuer", &self.issuer)
            .field("duration", &self.duration)
            .field("is_cache_hit", &self.is_cache_hit)
            .field("is_signature_checked", &self.is_signature_checked)
            .finish()
    }
}

/// Records facts during a verify. Without an observer it records nothing.
pub(crate) trait Notes {
    fn cache_hit(&self) {}

    /// The kinds that the credential may have.
    fn kinds(&self, _kinds: Kinds) {}

    /// The issuer that decides on the token. A later call overwrites it. An accepted token's principal has its own.
    fn issuer(&self, _issuer: &Arc<ConfiguredIssuer>) {}

    fn signature_checked(&self) {}
}

impl Notes for () {}

#[derive(Default)]
pub(crate) struct Noted {
    is_cache_hit: Cell<bool>,
    is_signature_checked: Cell<bool>,
    kinds: Cell<Option<Kinds>>,
    issuer: RefCell<Option<Arc<str>>>,
}

impl Notes for Noted {
    fn cache_hit(&self) {
        self.is_cache_hit.set(true);
    }

    fn kinds(&self, kinds: Kinds) {
        self.kinds.set(Some(kinds));
    }

    fn issuer(&self, issuer: &Arc<ConfiguredIssuer>) {
        *self.issuer.borrow_mut() = Some(issuer.policy().name().clone());
    }

    fn signature_checked(&self) {
        self.is_signature_checked.set(true);
    }
}

/// The observer of an engine.
#[derive(Clone)]
pub(crate) struct Observer {
    observe: Arc<Observe>,
    is_timed: bool,
}

type Observe = dyn Fn(&Verification<'_>) + Send + Sync;

thread_local! {
    /// Whether an observer is running in this thread.
    static IS_OBSERVING: Cell<bool> = const { Cell::new(false) };
}

impl Observer {
    pub(crate) fn new(observe: impl Fn(&Verification<'_>) + Send + Sync + 'static, is_timed: bool) -> Self {
        Observer { observe: Arc::new(observe), is_timed }
    }

    /// Verifies, and calls the observer. A verify inside an observer is not observed, since that would never end.
    #[inline(never)]
    pub(crate) fn watch(
        &self,
        verify: impl FnOnce(&Noted) -> Result<Principal, Rejection>,
    ) -> Result<Principal, Rejection> {
        let (noted, begun) = (Noted::default(), self.is_timed.then(Instant::now));
        let verdict = verify(&noted);
        if IS_OBSERVING.replace(true) {
            return verdict;
        }
        let duration = begun.map_or(Duration::ZERO, |begun| begun.elapsed());
        let Noted { is_cache_hit, is_signature_checked, kinds, issuer } = noted;
        let rejected_by = issuer.into_inner();
        let (kind, issuer) = match &verdict {
            // Borrowed, without a reference count that all threads would share.
            Ok(principal) => (Some(principal.kind()), principal.configured_issuer()),
            Err(_) => (kinds.get().and_then(Kinds::only), rejected_by.as_ref()),
        };
        let (is_cache_hit, is_signature_checked) = (is_cache_hit.get(), is_signature_checked.get());
        let seen =
            Verification { verdict: verdict.as_ref(), kind, issuer, duration, is_cache_hit, is_signature_checked };
        // The verdict is final, and the observer has only a shared reference to it.
        let told = catch_unwind(AssertUnwindSafe(|| (self.observe)(&seen)));
        IS_OBSERVING.set(false);
        match told {
            Ok(()) => verdict,
            // A verification that could not be observed is not accepted. A rejected one keeps its own reason.
            Err(_) => verdict.and(Err(Rejection::ObserverPanicked)),
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observer").finish_non_exhaustive()
    }
}
