//! What an administrator may do with the keys, clients, users and revocations of everybody.

mod api_keys;
mod clients;
mod consents;
mod page;
mod revocations;
mod sites;
mod store;
mod users;

use crate::app::App;
use axum::Router;
use axum::routing::{delete, get, post};
use std::sync::Arc;
use tollgate::Principal;

/// The routes; what stands before them is the caller's business.
pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v2/admin/api-keys", get(api_keys::list).post(api_keys::create))
        .route("/api/v2/admin/api-keys/{id}", get(api_keys::show))
        .route("/api/v2/admin/api-keys/{id}/disable", post(api_keys::disable))
        .route("/api/v2/admin/api-keys/{id}/enable", post(api_keys::enable))
        .route("/api/v2/admin/api-keys/{id}/rotate", post(api_keys::rotate))
        .route("/api/v2/admin/api-keys/{id}/revoke", post(api_keys::revoke))
        .route("/api/v2/admin/clients", get(clients::list).post(clients::create))
        .route("/api/v2/admin/clients/{id}", get(clients::show).delete(clients::remove))
        .route("/api/v2/admin/clients/{id}/disable", post(clients::disable))
        .route("/api/v2/admin/clients/{id}/enable", post(clients::enable))
        .route("/api/v2/admin/clients/{id}/rotate-secret", post(clients::rotate_secret))
        .route("/api/v2/admin/clients/{id}/jwks", post(clients::replace_jwks))
        .route("/api/v2/admin/users", get(users::list).post(users::create))
        .route("/api/v2/admin/users/{id}", get(users::show).delete(users::remove))
        .route("/api/v2/admin/users/{id}/disable", post(users::disable))
        .route("/api/v2/admin/users/{id}/enable", post(users::enable))
        .route("/api/v2/admin/users/{id}/sessions", get(users::sessions).delete(users::end_sessions))
        .route("/api/v2/admin/users/{id}/sessions/{session_id}", delete(users::end_session))
        .route("/api/v2/admin/users/{id}/sites", get(sites::list).post(sites::create))
        .route("/api/v2/admin/users/{id}/sites/{site_id}", delete(sites::remove))
        .route("/api/v2/admin/users/{id}/sites/{site_id}/rename", post(sites::rename))
        .route("/api/v2/admin/users/{id}/consents", get(consents::list))
        .route("/api/v2/admin/users/{id}/consents/{client_id}", delete(consents::revoke))
        .route("/api/v2/admin/users/{id}/password", post(users::set_password))
        .route(
            "/api/v2/admin/revocations",
            get(revocations::list).post(revocations::create).delete(revocations::remove),
        )
        .route("/api/v2/admin/store", get(store::show))
}

/// Who did what: for the log, where an administrator's changes have to be found again. Names are escaped.
fn log(by: &Principal, action: &'static str, name: &str) {
    tracing::info!(action, ?name, by = ?by.subject(), with = ?by.credential_id(), "administration");
}
