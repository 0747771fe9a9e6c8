use http::request;
use tollgate::jwt::is_scope_token;
use tollgate::{Principal, Rejection};
use tower_layer::Layer;

use crate::error::LayerError;
use crate::response::{EmptyBody, Responder};
use crate::service::{Admit, Guard};

/// Requires scopes of the [`Principal`] that [`AuthLayer`](crate::AuthLayer) left in the request's extensions.
///
/// A principal without them is answered with 403 and a challenge that names what is required (RFC 6750 section 3.1,
/// `insufficient_scope`); a request without a principal with 401.
///
/// ```
/// use tollgate_tower::RequireScopes;
///
/// let both = RequireScopes::all(["read:sites", "write:sites"])?;
/// let one_of_them = RequireScopes::any(["read:sites", "admin"])?.realm("sites")?;
/// # Ok::<(), tollgate_tower::LayerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RequireScopes<A = EmptyBody> {
    requirement: Requirement,
    responder: Responder<A>,
}

#[derive(Clone, Debug)]
enum Requirement {
    All(Vec<&'static str>),
    Any(Vec<&'static str>),
}

impl RequireScopes {
    /// Requires every one of `scopes`.
    ///
    /// # Errors
    /// [`LayerError::InvalidScope`] for what is no scope-token (RFC 6749 section 3.3), [`LayerError::NoScope`] when
    /// there is none.
    pub fn all(scopes: impl IntoIterator<Item = &'static str>) -> Result<Self, LayerError> {
        Ok(Self::new(Requirement::All(checked(scopes)?)))
    }

    /// Requires at least one of `scopes`.
    ///
    /// # Errors
    /// As [`RequireScopes::all`].
    pub fn any(scopes: impl IntoIterator<Item = &'static str>) -> Result<Self, LayerError> {
        Ok(Self::new(Requirement::Any(checked(scopes)?)))
    }

    fn new(requirement: Requirement) -> Self {
        RequireScopes { requirement, responder: Responder::default() }
    }
}

impl<A> RequireScopes<A> {
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
    pub fn body<T>(self, body: T) -> RequireScopes<T> {
        RequireScopes { requirement: self.requirement, responder: self.responder.with_body(body) }
    }

    /// As [`AuthLayer::on_rejection`](crate::AuthLayer::on_rejection).
    #[must_use]
    pub fn on_rejection(mut self, observer: impl Fn(&Rejection, &request::Parts) + Send + Sync + 'static) -> Self {
        self.responder.set_observer(observer);
        self
    }
}

impl<S, A: Clone> Layer<S> for RequireScopes<A> {
    type Service = Guard<S, Self>;

    fn layer(&self, inner: S) -> Self::Service {
        Guard::new(inner, self)
    }
}

impl<A> Admit for RequireScopes<A> {
    type Body = A;

    fn admit(&self, request: &mut request::Parts) -> Result<(), Rejection> {
        let principal = request.extensions.get::<Principal>().ok_or(Rejection::MissingCredential)?;
        match &self.requirement {
            Requirement::All(scopes) => principal.require_all(scopes),
            Requirement::Any(scopes) => principal.require_any(scopes),
        }
    }

    fn responder(&self) -> &Responder<A> {
        &self.responder
    }
}

fn checked(scopes: impl IntoIterator<Item = &'static str>) -> Result<Vec<&'static str>, LayerError> {
    let scopes: Vec<_> = scopes.into_iter().collect();
    match scopes.iter().find(|scope| !is_scope_token(scope)) {
        Some(&scope) => Err(LayerError::InvalidScope { scope: scope.into() }),
        None if scopes.is_empty() => Err(LayerError::NoScope),
        None => Ok(scopes),
    }
}
