use http::{HeaderValue, request};
use tollgate::{Principal, Rejection, Requirement};
use tower_layer::Layer;

use crate::error::LayerError;
use crate::response::{EmptyBody, Responder};
use crate::service::{Admit, Guard};

/// Holds the [`Principal`] that [`AuthLayer`](crate::AuthLayer) left in the request's extensions to a [`Requirement`].
///
/// A principal that does not meet it is answered with 403, and, where scopes would help, with a challenge that names them
/// (RFC 6750 section 3.1, `insufficient_scope`); a request without a principal with 401.
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
/// # Ok::<(), tollgate_tower::LayerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Require<A = EmptyBody> {
    requirement: Requirement,
    responder: Responder<A>,
}

impl Require {
    /// Requires what `requirement` says.
    ///
    /// # Errors
    /// [`LayerError::InvalidRequirement`] where nobody could meet it, or a part of it.
    pub fn new(requirement: Requirement) -> Result<Self, LayerError> {
        requirement.check()?;
        Ok(Require { requirement, responder: Responder::default() })
    }

    /// Requires every one of `scopes`.
    ///
    /// # Errors
    /// [`LayerError::InvalidRequirement`] for what is no scope-token (RFC 6749 section 3.3), and where there is none.
    pub fn scopes<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> Result<Self, LayerError> {
        Self::new(Requirement::all(scopes.into_iter().map(|scope| Requirement::scope(scope.as_ref()))))
    }

    /// Requires at least one of `scopes`.
    ///
    /// # Errors
    /// As [`Require::scopes`].
    pub fn any_scope<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> Result<Self, LayerError> {
        Self::new(Requirement::any(scopes.into_iter().map(|scope| Requirement::scope(scope.as_ref()))))
    }
}

impl<A> Require<A> {
    /// As [`AuthLayer::realm`](crate::AuthLayer::realm).
    ///
    /// # Errors
    /// As there.
    pub fn realm(mut self, realm: &str) -> Result<Self, LayerError> {
        self.responder.set_realm(realm)?;
        Ok(self)
    }

    /// As [`AuthLayer::body`](crate::AuthLayer::body).
    #[must_use]
    pub fn body<T>(self, body: T) -> Require<T> {
        Require { requirement: self.requirement, responder: self.responder.with_body(body) }
    }

    /// As [`AuthLayer::on_rejection`](crate::AuthLayer::on_rejection).
    #[must_use]
    pub fn on_rejection(mut self, observer: impl Fn(&Rejection, &request::Parts) + Send + Sync + 'static) -> Self {
        self.responder.set_observer(observer);
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
    type Body = A;

    fn admit(&self, request: &mut request::Parts) -> Result<Option<HeaderValue>, Rejection> {
        let principal = request.extensions.get::<Principal>().ok_or(Rejection::MissingCredential)?;
        principal.require(&self.requirement).map(|()| None)
    }

    fn responder(&self) -> &Responder<A> {
        &self.responder
    }
}
