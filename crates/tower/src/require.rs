use std::fmt;
use std::sync::Arc;

use http::{HeaderValue, request};
use tollgate::{Principal, Rejection, Requirement};
use tower_layer::Layer;

use crate::decision::Decision;
use crate::error::LayerError;
use crate::resource_metadata::ResourceMetadata;
use crate::response::{EmptyBody, Responder};
use crate::service::{Admit, Guard};

/// Checks the [`Principal`] that [`AuthLayer`](crate::AuthLayer) put into the request's extensions against a
/// [`Requirement`].
///
/// A principal that does not meet it is answered with 403 and, if scopes would help, with a challenge that names
/// them (RFC 6750 section 3.1, `insufficient_scope`); if another login would help, with 401 and a challenge that
/// names its kind (RFC 9470, `insufficient_user_authentication`). A request without a principal is answered with
/// 401.
///
/// ```
/// use tollgate::{PrincipalKind, Requirement};
/// use tollgate_tower::Require;
///
/// let both = Require::scopes(["read:sites", "write:sites"])?;
/// let one_of_them = Require::any_scope(["read:sites", "admin"])?.realm("sites")?;
/// let people = Require::new(Requirement::all([
///     Requirement::scope("read:sites"),
///     Requirement::kind(PrincipalKind::Jwt),
///     Requirement::claim("tier", ["gold", "silver"]),
/// ]))?;
/// // Logged in within the last five minutes, with a second factor.
/// let payments = Require::new(Requirement::all([
///     Requirement::login_within(300),
///     Requirement::acr(["urn:example:mfa"]),
/// ]))?;
/// # Ok::<(), tollgate_tower::LayerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Require<A = EmptyBody> {
    requirement: Requirement,
    clock: Option<Clock>,
    responder: Responder<A>,
}

impl Require {
    /// Requires `requirement`.
    ///
    /// # Errors
    /// [`LayerError::InvalidRequirement`] if nobody can meet it, or a part of it.
    pub fn new(requirement: Requirement) -> Result<Self, LayerError> {
        requirement.check()?;
        Ok(Require { requirement, clock: None, responder: Responder::default() })
    }

    /// Requires every one of `scopes`.
    ///
    /// # Errors
    /// [`LayerError::InvalidRequirement`] for an invalid scope-token (RFC 6749 section 3.3), and without any.
    pub fn scopes<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> Result<Self, LayerError> {
        Self::new(Requirement::all(scopes.into_iter().map(|scope| Requirement::scope(scope.as_ref()))))
    }

    /// Requires at least one of `scopes`.
    ///
    /// # Errors
    /// Those of [`Require::scopes`].
    pub fn any_scope<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> Result<Self, LayerError> {
        Self::new(Requirement::any(scopes.into_iter().map(|scope| Requirement::scope(scope.as_ref()))))
    }
}

impl<A> Require<A> {
    /// Like [`AuthLayer::realm`](crate::AuthLayer::realm).
    ///
    /// # Errors
    /// Those of [`AuthLayer::realm`](crate::AuthLayer::realm).
    pub fn realm(mut self, realm: &str) -> Result<Self, LayerError> {
        self.responder.set_realm(realm)?;
        Ok(self)
    }

    /// Names the metadata of this protected resource in every challenge, like
    /// [`AuthLayer::resource_metadata`](crate::AuthLayer::resource_metadata).
    #[must_use]
    pub fn resource_metadata(mut self, metadata: &ResourceMetadata) -> Self {
        self.responder.set_resource_metadata(metadata.url());
        self
    }

    /// Like [`AuthLayer::respond_with`](crate::AuthLayer::respond_with).
    #[must_use]
    pub fn respond_with<T>(self, respond: T) -> Require<T> {
        Require { requirement: self.requirement, clock: self.clock, responder: self.responder.with(respond) }
    }

    /// Like [`AuthLayer::observe`](crate::AuthLayer::observe).
    #[must_use]
    pub fn observe(mut self, observer: impl Fn(Decision<'_>, &request::Parts) + Send + Sync + 'static) -> Self {
        self.responder.set_observer(observer);
        self
    }

    /// Like [`AuthLayer::danger_report_only`](crate::AuthLayer::danger_report_only).
    #[must_use]
    pub fn danger_report_only(mut self) -> Self {
        self.responder.set_report_only();
        self
    }

    /// Sets the clock for the age of a [login](Requirement::login_within), in seconds since the Unix epoch. The
    /// default is the system's clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        self.clock = Some(Clock(Arc::new(clock)));
        self
    }
}

impl<S, A: Clone> Layer<S> for Require<A> {
    type Service = Guard<S, Self>;

    fn layer(&self, inner: S) -> Self::Service {
        Guard::new(inner, self)
    }
}

impl<A> Admit for Require<A> {
    type Answer = A;

    fn admit(&self, request: &mut request::Parts) -> Result<Option<HeaderValue>, Rejection> {
        let principal = request.extensions.get::<Principal>().ok_or(Rejection::MissingCredential)?;
        match &self.clock {
            None => principal.require(&self.requirement),
            Some(Clock(now)) => principal.require_at(&self.requirement, now()),
        }?;
        Ok(None)
    }

    fn responder(&self) -> &Responder<A> {
        &self.responder
    }
}

#[derive(Clone)]
struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").finish_non_exhaustive()
    }
}
