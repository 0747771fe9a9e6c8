//! Who is calling: every protected route gets its principal from
//! [`Engine::verify_request`](tollgate::Engine::verify_request), through [`AuthLayer`], and from nowhere else.

use crate::accounts::is_user_id;
use crate::app::App;
use crate::problem::{Problem, rejection_body};
use crate::routes::scopes;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response};
use std::sync::Arc;
use tollgate::jwt::is_scope_token;
use tollgate::{AcceptedCredentials, Principal, PrincipalKind, PublicOrigin, Rejection};
use tollgate_telemetry::Metrics;
use tollgate_tower::{AuthLayer, Decision, LayerError, Require, Respond};

/// Lets a request with a valid credential of one of these kinds through, in Authorization or X-API-Key.
pub(crate) fn authenticate(
    app: &App,
    kinds: impl IntoIterator<Item = PrincipalKind>,
) -> Result<AuthLayer<ErrorBody>, LayerError> {
    let layer = AuthLayer::new(Arc::clone(&app.engine))
        .api_key_header("x-api-key")?
        .accept(AcceptedCredentials::only(kinds))?
        .trusted_proxies(app.trusted_proxies.clone())
        .public_origins(app.origins.iter().map(PublicOrigin::as_str))?
        .resource_metadata(&app.resource_metadata)
        .respond_with(ErrorBody);
    Ok(layer.observe(observer(app)))
}

/// Lets a request through whose principal has that scope.
pub(crate) fn require(app: &App, scope: &'static str) -> Result<Require<ErrorBody>, LayerError> {
    let require = Require::scopes([scope])?.resource_metadata(&app.resource_metadata);
    Ok(require.respond_with(ErrorBody).observe(observer(app)))
}

/// Writes each rejection to the log, and counts every decision where there are metrics.
fn observer(app: &App) -> impl Fn(Decision<'_>, &Parts) + Send + Sync + 'static {
    let count = app.metrics.as_ref().map(Metrics::decision_observer);
    move |decision, request| {
        if let Some(count) = &count {
            count(decision, request);
        }
        if let Decision::Rejected(rejection) = decision {
            tracing::info!(code = rejection.code(), detail = %rejection, "rejected");
        }
    }
}

/// Rejections in the form that every error of the API has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorBody;

impl Respond<Body> for ErrorBody {
    fn respond(&self, rejection: &Rejection, _: &Parts, mut standard: Response<()>) -> Response<Body> {
        standard.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        standard.map(|()| rejection_body(rejection).to_string().into())
    }
}

/// Passes when `scopes` are scope-tokens that `principal` has, none too: what is made with a credential does no more than that.
pub(crate) fn require_granted(principal: &Principal, scopes: &[&str]) -> Result<(), Problem> {
    if !scopes.iter().all(|scope| is_scope_token(scope)) {
        return Err(Problem::BadField("scope"));
    }
    if scopes.is_empty() { Ok(()) } else { Ok(principal.require_all(scopes)?) }
}

/// Passes a user's own credential: a session token, or an API key that may manage API keys. What a client was given for the user speaks for
/// the user as far as its scopes go, and does not decide who is logged in.
pub(crate) fn require_own(principal: &Principal) -> Result<(), Problem> {
    match principal.kind() {
        PrincipalKind::Jwt if principal.client_id().is_none() => Ok(()),
        PrincipalKind::ApiKey => Ok(principal.require_scope(scopes::MANAGE_API_KEYS)?),
        _ => Err(Problem::NotOwn),
    }
}

impl App {
    /// Passes a credential that may decide about the user's logins, consents and password: one that was had for the password, or the user's
    /// own with the scope `manage:api-keys`. A session of an API key does no more than the key.
    pub(crate) async fn require_control(&self, caller: &UserCaller) -> Result<(), Problem> {
        require_own(&caller.principal)?;
        let may_manage = caller.principal.require_scope(scopes::MANAGE_API_KEYS);
        if may_manage.is_err() && self.made_with_key(caller).await? { Ok(may_manage?) } else { Ok(()) }
    }

    /// Whether the session of a session token was made with an API key.
    async fn made_with_key(&self, caller: &UserCaller) -> Result<bool, Problem> {
        let sessions = self.accounts.store.login_sessions_of(&caller.user_id, i64::MIN).await?;
        let session = sessions.into_iter().find(|session| caller.principal.session_id() == Some(&session.id));
        let session = session.ok_or(Problem::Rejected(Rejection::CredentialNotAccepted))?;
        Ok(session.key_id.is_some())
    }
}

/// The caller, when it speaks for a user: by the user's own credential, or by a token that the user let a client have.
pub(crate) struct UserCaller {
    pub(crate) principal: Principal,
    pub(crate) user_id: String,
}

impl<S: Sync> FromRequestParts<S> for UserCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let principal = parts.extensions.get::<Principal>().cloned();
        let principal = principal.ok_or(Problem::Rejected(Rejection::MissingCredential))?;
        // A client's own token has the client's id as its subject, and no client has an id like a user's.
        let user_id = principal.subject().filter(|subject| is_user_id(subject)).map(str::to_owned);
        let user_id = user_id.ok_or(Problem::NotAUser)?;
        Ok(Self { principal, user_id })
    }
}
