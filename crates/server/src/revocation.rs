use crate::app::App;
use crate::ids::now;
use crate::problem::Problem;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use parking_lot::RwLock;
use std::collections::HashMap;
use std::sync::Arc;
use tollgate::{Principal, PrincipalKind};

/// Tokens made from an authorization code that was used twice (RFC 6749 section 4.1.2), by `jti`, until they expire.
pub(crate) struct RevokedTokens {
    expiries: RwLock<HashMap<String, i64>>,
}

impl RevokedTokens {
    pub(crate) fn new(revoked: Vec<(String, i64)>) -> Self {
        Self { expiries: RwLock::new(revoked.into_iter().collect()) }
    }

    /// Refuses that token from now on.
    pub(crate) fn add(&self, token_id: String, expires_at: i64) {
        self.expiries.write().insert(token_id, expires_at);
    }

    pub(crate) fn forget_expired(&self, now: i64) {
        self.expiries.write().retain(|_, expires_at| now < *expires_at);
    }

    fn contains(&self, principal: &Principal) -> bool {
        let token_id = principal.credential_id().filter(|_| principal.kind() == PrincipalKind::Jwt);
        let expiries = self.expiries.read();
        token_id.is_some_and(|id| expiries.get(id).is_some_and(|expires_at| now() < *expires_at))
    }
}

/// Turns a request away whose token the engine accepts but which was revoked here.
pub(crate) async fn refuse_revoked(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match request.extensions().get::<Principal>() {
        Some(principal) if app.revoked.contains(principal) => Problem::Revoked.into_response(),
        _ => next.run(request).await,
    }
}
