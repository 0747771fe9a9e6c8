//! What a program may know of every verify, for metrics and logs.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::accepted::Kinds;
use crate::issuer::ConfiguredIssuer;
use crate::principal::{Principal, PrincipalKind};
use crate::rejection::Rejection;

/// A verify that has ended, as an [observer](crate::EngineBuilder::observer) sees it.
pub struct Verification<'v> {
    verdict: Result<&'v Principal, &'v Rejection>,
    kind: Option<PrincipalKind>,
    issuer: Option<&'v Arc<str>>,
    duration: Duration,
    is_cache_hit: bool,
    is_signature_checked: bool,
}

impl<'v> Verification<'v> {
    /// What the verify gives: the principal, or why there is none. A rejection's `Display` is its detail, for the server's own log.
    ///
    /// # Errors
    /// The rejection, where the credential was rejected.
    pub fn verdict(&self) -> Result<&'v Principal, &'v Rejection> {
        self.verdict
    }

    /// The [code](Rejection::code) of the rejection; `None` where the credential was accepted.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        self.verdict.err().map(Rejection::code)
    }

    /// The kind of the credential. Of one that was rejected it is `None` where its form does not tell: a `Bearer` value that is
    /// no JWT may be an API key or an opaque token, and where neither was found nothing has decided which.
    #[must_use]
    pub fn kind(&self) -> Option<PrincipalKind> {
        self.kind
    }

    /// The issuer whose policy the token was held to, under the name that is configured: for a
    /// [template](crate::Issuer::tenant_claim) the template. It is never what a token says, so that there are no more values than
    /// issuers, whoever sends what.
    #[must_use]
    pub fn issuer(&self) -> Option<&'v str> {
        self.issuer.map(|name| &**name)
    }

    /// As [`issuer`](Self::issuer), the engine's own copy: for observers that keep it, and tell issuers apart by its address while they do.
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

    /// Whether the token was found in the cache, so that its signature was not checked again. What was found may be rejected all the
    /// same, when it has expired, say.
    #[must_use]
    pub fn is_cache_hit(&self) -> bool {
        self.is_cache_hit
    }

    /// Whether the signature of a JWT was checked, well or badly.
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

/// What a verify notes on its way. Nobody asks where there is no observer, and then nothing is done.
pub(crate) trait Notes {
    fn cache_hit(&self) {}

    /// The kinds that the credential may be of.
    fn kinds(&self, _kinds: Kinds) {}

    /// The issuer that decides on the token, also where a rejection leads to another one. A principal tells its own.
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
    /// Whether an observer of this thread is at work.
    static IS_OBSERVING: Cell<bool> = const { Cell::new(false) };
}

impl Observer {
    pub(crate) fn new(observe: impl Fn(&Verification<'_>) + Send + Sync + 'static, is_timed: bool) -> Self {
        Observer { observe: Arc::new(observe), is_timed }
    }

    /// Verifies, and tells the observer. A verify inside of an observer is not told: it would tell for ever.
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
            // Not a count of references, which all threads share.
            Ok(principal) => (Some(principal.kind()), principal.configured_issuer()),
            Err(_) => (kinds.get().and_then(Kinds::only), rejected_by.as_ref()),
        };
        let (is_cache_hit, is_signature_checked) = (is_cache_hit.get(), is_signature_checked.get());
        let seen =
            Verification { verdict: verdict.as_ref(), kind, issuer, duration, is_cache_hit, is_signature_checked };
        // The verdict is settled, and shared with the observer behind a reference alone.
        let told = catch_unwind(AssertUnwindSafe(|| (self.observe)(&seen)));
        IS_OBSERVING.set(false);
        match told {
            Ok(()) => verdict,
            // What could not be observed does not pass, and what was rejected stays rejected for its own reason.
            Err(_) => verdict.and(Err(Rejection::ObserverPanicked)),
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observer").finish_non_exhaustive()
    }
}
