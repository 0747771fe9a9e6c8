//! The service's routes: which exist, and what stands before each.

mod admin;
mod api_keys;
mod consents;
mod cors;
mod observe;
mod profile;
mod reports;
mod sessions;
mod sites;

use crate::app::App;
use crate::audit::note_caller;
use crate::auth::{authenticate, require};
use crate::limits::{MAX_BODY_BYTES, READY_WITHIN};
use crate::problem::Problem;
use crate::{demo, oauth, pages};
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post};
use std::sync::Arc;
use tollgate::PrincipalKind;
use tollgate_tower::LayerError;

/// Every scope that a route asks for.
pub(crate) mod scopes {
    /// An ID token, and the userinfo endpoint (OpenID Connect Core 1.0 section 3.1.2.1).
    pub(crate) const OPENID: &str = "openid";
    /// Who the user is at this service: the id, and what the account may do.
    pub(crate) const PROFILE: &str = "profile";
    /// The user's e-mail address (OpenID Connect Core 1.0 section 5.4).
    pub(crate) const EMAIL: &str = "email";
    /// Access while the user is away (OpenID Connect Core 1.0 section 11).
    pub(crate) const OFFLINE_ACCESS: &str = "offline_access";
    pub(crate) const READ_SITES: &str = "read:sites";
    pub(crate) const READ_REPORTS: &str = "read:reports";
    pub(crate) const MANAGE_API_KEYS: &str = "manage:api-keys";
    /// Whoever has it can make keys with any scope.
    pub(crate) const ADMIN_KEYS: &str = "admin:keys";
    /// Of a client itself: it may introspect the access tokens of all clients.
    pub(crate) const INTROSPECT: &str = "introspect";
    pub(crate) const ALL: [&str; 6] = [PROFILE, READ_SITES, READ_REPORTS, MANAGE_API_KEYS, ADMIN_KEYS, INTROSPECT];
    /// Those of OpenID Connect: what they tell of a user needs no right of the user's.
    pub(crate) const OF_IDENTITY: [&str; 4] = [OPENID, PROFILE, EMAIL, OFFLINE_ACCESS];
}

/// The name of a user's first API key where nobody gives it one.
pub(crate) const FIRST_KEY_NAME: &str = "default";

pub(crate) fn router(app: Arc<App>) -> Result<Router, LayerError> {
    let manage_api_keys = require(&app, scopes::MANAGE_API_KEYS)?;
    // A client's secret is for the token endpoint alone.
    let resources = authenticate(&app, [PrincipalKind::Jwt, PrincipalKind::ApiKey, PrincipalKind::AccessToken])?;
    // A session token must not buy the next one, or it would never end.
    let key_or_password = authenticate(&app, [PrincipalKind::ApiKey])?.optional();
    // The outermost layer is the last: who is calling, then the scope.
    let protected = Router::new()
        .route("/api/v2/sites", get(sites::list).route_layer(require(&app, scopes::READ_SITES)?))
        .route("/api/v2/reports", get(reports::list).route_layer(require(&app, scopes::READ_REPORTS)?))
        .route("/api/v2/profile", get(profile::show))
        .route("/api/v2/profile/api-key", post(profile::rotate_api_key).route_layer(manage_api_keys.clone()))
        .route("/api/v2/api_keys", get(api_keys::list).post(api_keys::create).route_layer(manage_api_keys.clone()))
        .route("/api/v2/api_keys/{id}", delete(api_keys::revoke).route_layer(manage_api_keys))
        .route("/api/v2/profile/password", post(profile::set_password))
        .route("/api/v2/sessions/{id}", delete(sessions::end))
        .route("/api/v2/sessions", get(sessions::list).delete(sessions::end_all))
        .route("/api/v2/consents", get(consents::list))
        .route("/api/v2/consents/{client_id}", delete(consents::revoke))
        .merge(admin::router().route_layer(require(&app, scopes::ADMIN_KEYS)?))
        .route_layer(from_fn_with_state(Arc::clone(&app), note_caller))
        .route_layer(resources);

    // Not an API key: what a user allows a client is in the client's token.
    let userinfo = Router::new()
        .route("/oauth/v2/userinfo", get(oauth::userinfo).post(oauth::userinfo))
        .route_layer(require(&app, scopes::OPENID)?)
        .route_layer(from_fn_with_state(Arc::clone(&app), note_caller))
        .route_layer(authenticate(&app, [PrincipalKind::Jwt, PrincipalKind::AccessToken])?);

    let sessions = Router::new()
        .route("/api/v2/sessions", post(sessions::create))
        .route_layer(from_fn_with_state(Arc::clone(&app), note_caller))
        .route_layer(key_or_password);

    let public = Router::new()
        .route("/oauth/v2/token", post(oauth::token))
        .route("/oauth/v2/device_authorization", post(oauth::authorize_device))
        .route("/oauth/v2/revoke", post(oauth::revoke))
        .route("/oauth/v2/introspect", post(oauth::introspect))
        .route("/oauth/v2/authorize", get(oauth::show).post(oauth::repeat_as_get))
        .route("/oauth/v2/login", post(oauth::login))
        .route("/oauth/v2/logout", get(oauth::show_logout).post(oauth::repeat_as_get))
        .route("/oauth/v2/logout/confirm", post(oauth::confirm_logout))
        .route("/oauth/v2/par", post(oauth::push))
        .route("/oauth/v2/consent", post(oauth::decide))
        .route("/.well-known/jwks.json", get(oauth::jwks))
        .route("/.well-known/oauth-authorization-server", get(oauth::authorization_server))
        .route("/.well-known/openid-configuration", get(oauth::openid_configuration))
        .route(app.resource_metadata.path(), get(oauth::protected_resource))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .merge(for_people())
        .route_layer(from_fn_with_state(Arc::clone(&app), note_caller));

    let router = Router::new()
        .merge(protected)
        .merge(sessions)
        .merge(userinfo)
        .merge(public)
        .fallback(async |headers: HeaderMap| pages::not_found(&headers))
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(cors::layer(&app))
        .layer(from_fn_with_state(Arc::clone(&app), observe::security_headers))
        .layer(from_fn_with_state(Arc::clone(&app), observe::within_time))
        .layer(from_fn_with_state(Arc::clone(&app), observe::log))
        .with_state(app);
    Ok(router)
}

/// What a browser shows.
fn for_people() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(demo::welcome))
        .route("/demo/{site}", get(demo::site))
        .route("/demo/{site}/callback", get(demo::back))
        .route("/login", get(pages::show_login).post(pages::log_in_by_form))
        .route("/logout", get(pages::show_logout).post(pages::log_out))
        .route("/device", get(oauth::show_device).post(oauth::enter_code))
        .route("/device/login", post(oauth::log_in_at_device))
        .route("/device/decision", post(oauth::decide_device))
        .route("/profile", get(pages::show_profile))
        .route("/profile/api-key", post(pages::rotate_key))
        .route("/profile/api-keys", post(pages::make_key))
        .route("/profile/api-keys/revoke", post(pages::revoke_key))
        .route("/profile/sessions/end", post(pages::end_session))
        .route("/profile/sessions/end-all", post(pages::end_all_sessions))
        .route("/profile/consents/revoke", post(pages::revoke_consent))
        .route("/profile/password", post(pages::set_password))
        .route("/assets/style.css", get(pages::style))
        .route("/assets/copy.js", get(pages::copy_script))
        .route("/assets/submit.js", get(pages::submit_script))
        .route("/assets/icon.svg", get(pages::icon))
}

/// The process runs and answers. It says nothing else, since anybody may ask.
async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether the engine goes by what is in the store now, and the store can be written. While it does not, keys that were revoked elsewhere are still
/// accepted here, and tokens until they are stale: whoever distributes requests should send them to another process.
async fn readyz(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    let status = app.accounts.keys.status();
    if status.failures > 0 || status.since_in_sync > READY_WITHIN {
        (StatusCode::SERVICE_UNAVAILABLE, "behind the store\n")
    } else if status.failed_heartbeats > 0 {
        (StatusCode::SERVICE_UNAVAILABLE, "the store cannot be written\n")
    } else {
        (StatusCode::OK, "ready\n")
    }
}
