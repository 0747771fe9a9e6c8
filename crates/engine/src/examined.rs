use crate::confirmation::ConfirmationMethod;
use crate::principal::{Principal, PrincipalKind};
use crate::scopes::Scopes;

/// A valid access token whose sender was not checked: what [`Engine::examine`](crate::Engine::examine) says of it.
///
/// It authenticates nobody: who sent the token to be examined need not be who may use it. There is no way from here to a
/// [`Principal`](crate::Principal).
#[derive(Clone, Debug)]
pub struct Examined(Principal);

impl Examined {
    pub(crate) fn new(token: Principal) -> Self {
        Examined(token)
    }

    /// Whether it is a JWT or an opaque token.
    #[must_use]
    pub fn kind(&self) -> PrincipalKind {
        self.0.kind()
    }

    /// As [`Principal::subject`].
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.0.subject()
    }

    /// As [`Principal::client_id`].
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.0.client_id()
    }

    /// As [`Principal::scopes`].
    #[must_use]
    pub fn scopes(&self) -> Scopes<'_> {
        self.0.scopes()
    }

    /// As [`Principal::credential_id`].
    #[must_use]
    pub fn credential_id(&self) -> Option<&str> {
        self.0.credential_id()
    }

    /// As [`Principal::session_id`].
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.0.session_id()
    }

    /// As [`Principal::issued_at`].
    #[must_use]
    pub fn issued_at(&self) -> Option<i64> {
        self.0.issued_at()
    }

    /// As [`Principal::not_before`].
    #[must_use]
    pub fn not_before(&self) -> Option<i64> {
        self.0.not_before()
    }

    /// As [`Principal::expires_at`].
    #[must_use]
    pub fn expires_at(&self) -> Option<i64> {
        self.0.expires_at()
    }

    /// What a sender has to have for the token to be accepted from it (`cnf`); empty for a bearer token.
    pub fn confirmation_methods(&self) -> impl Iterator<Item = ConfirmationMethod> {
        self.0.confirmation().methods()
    }
}
