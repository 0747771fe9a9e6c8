use super::super::api_keys::secret_answer_with;
use super::api_keys::Overlap;
use super::log;
use super::page::{Page, parameters};
use crate::accounts::{check, is_text};
use crate::app::App;
use crate::clients::ClientWithSecrets;
use crate::ids::now;
use crate::json::{self, rfc3339};
use crate::key_store::NewKey;
use crate::limits::MAX_NAME_BYTES;
use crate::problem::Problem;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tollgate_storage::{
    CertificateSubject, Client, ClientAuthMethod, ClientKeys, ClientKind, ClientSettings, GrantType, RedirectUri,
    StoredKey, SubjectName,
};
use tollgate_tower::Authenticated;

/// `GET /api/v2/admin/clients?limit=&page_token=`: by id.
pub(super) async fn list(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Json<Value>, Problem> {
    let query = query.unwrap_or_default();
    app.blocking(move |app| {
        let form = parameters(&query)?;
        let page = Page::of(&form)?;
        let clients = app.clients(page.after.as_deref(), page.wanted())?;
        Ok(Json(page.answer(&clients, |client| client.client.id().to_owned(), description)))
    })
    .await
}

/// `POST /api/v2/admin/clients`: registers a client; its secret is shown this once.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let CreateBody { client: wanted } = json::read(&headers, &json::body(body)?, None)?;
    app.blocking(move |app| {
        check("name", is_text(&wanted.name, MAX_NAME_BYTES))?;
        let new = app.accounts.register_client(&wanted.client()?)?;
        log(&admin, "client-made", &wanted.id);
        match new {
            Some(new) => answer_with_secret(app, &wanted.id, &new),
            None => Ok((StatusCode::CREATED, answer(app, &wanted.id)?).into_response()),
        }
    })
    .await
}

/// `GET /api/v2/admin/clients/{id}`.
pub(super) async fn show(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    app.blocking(move |app| answer(app, &id)).await
}

/// `POST /api/v2/admin/clients/{id}/disable`: its secrets are switched off, its tokens revoked.
pub(super) async fn disable(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    app.blocking(move |app| {
        app.disable_client(&id)?;
        log(&admin, "client-disabled", &id);
        answer(app, &id)
    })
    .await
}

/// `POST /api/v2/admin/clients/{id}/enable`: its secrets are switched on; tokens that were revoked stay so.
pub(super) async fn enable(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    app.blocking(move |app| {
        app.enable_client(&id)?;
        log(&admin, "client-enabled", &id);
        answer(app, &id)
    })
    .await
}

/// `POST /api/v2/admin/clients/{id}/rotate-secret`: a new secret, shown this once; the old one ends after `overlap_seconds`,
/// or at once.
pub(super) async fn rotate_secret(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let overlap = Overlap::read(&headers, body)?;
    app.blocking(move |app| {
        let new = app.rotate_client_secret(&id, overlap.seconds)?;
        log(&admin, "client-secret-rotated", &id);
        answer_with_secret(app, &id, &new)
    })
    .await
}

/// `POST /api/v2/admin/clients/{id}/jwks`: other keys for its assertions, or of its certificates.
pub(super) async fn replace_jwks(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let ReplaceBody { jwks } = json::read(&headers, &json::body(body)?, None)?;
    app.blocking(move |app| {
        app.replace_client_keys(&id, ClientKeys::new(jwks.to_string())?)?;
        log(&admin, "client-keys-replaced", &id);
        answer(app, &id)
    })
    .await
}

/// `DELETE /api/v2/admin/clients/{id}`: its secrets and tokens are revoked, and the client is forgotten.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.blocking(move |app| {
        app.remove_client(&id)?;
        log(&admin, "client-removed", &id);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

fn answer(app: &App, id: &str) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({"data": description(&app.client(id)?)})))
}

fn answer_with_secret(app: &App, id: &str, new: &NewKey) -> Result<Response, Problem> {
    Ok(secret_answer_with(description(&app.client(id)?), &new.secret))
}

fn description(found: &ClientWithSecrets) -> Value {
    let (client, settings) = (&found.client, found.client.settings());
    let secret = |secret: &StoredKey| {
        json!({
            "id": secret.record.id(),
            "state": secret.record.state().as_str(),
            "created_at": rfc3339(secret.created_at),
            "expires_at": secret.ends_at().and_then(rfc3339),
        })
    };
    let mut description = json!({
        "id": client.id(),
        "name": client.name(),
        "scope": client.scopes(),
        "redirect_uris": client.redirect_uris(),
        "type": settings.kind.as_str(),
        "grants": settings.grants.iter().map(|grant| grant.as_str()).collect::<Vec<_>>(),
        "token_endpoint_auth_method": settings.auth_method.as_str(),
        "user_scope": settings.user_scopes,
        "post_logout_redirect_uris": settings.post_logout_redirect_uris,
        "backchannel_logout_uri": settings.backchannel_logout_uri,
        "require_pushed_authorization_requests": settings.requires_pushed_requests,
        "dpop_bound_access_tokens": settings.is_dpop_bound,
        "tls_client_certificate_bound_access_tokens": settings.is_certificate_bound,
        "jwks": settings.jwks.as_ref().and_then(|jwks| serde_json::from_str::<Value>(jwks.as_str()).ok()),
        "operators_own": settings.is_operators_own,
        "state": if found.is_active() { "active" } else { "disabled" },
        "created_at": rfc3339(client.created_at()),
        "secrets": found.secrets.iter().map(secret).collect::<Vec<_>>(),
    });
    if let Some(subject) = &settings.certificate_subject {
        description[subject.name().as_str()] = subject.value().into();
    }
    description
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    client: Wanted,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplaceBody {
    jwks: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    id: String,
    name: String,
    /// Scope-tokens joined by spaces.
    scope: String,
    #[serde(default)]
    redirect_uris: Vec<String>,
    /// `web`, `native`, `browser` or `machine`.
    #[serde(rename = "type")]
    kind: Option<String>,
    grants: Option<Vec<String>>,
    token_endpoint_auth_method: Option<String>,
    /// What it may ask users for.
    user_scope: Option<String>,
    #[serde(default)]
    post_logout_redirect_uris: Vec<String>,
    backchannel_logout_uri: Option<String>,
    #[serde(default)]
    operators_own: bool,
    /// A JWK set (RFC 7591 section 2).
    jwks: Option<Value>,
    // RFC 8705 section 2.1.2.
    tls_client_auth_subject_dn: Option<String>,
    tls_client_auth_san_dns: Option<String>,
    tls_client_auth_san_uri: Option<String>,
    tls_client_auth_san_ip: Option<String>,
    tls_client_auth_san_email: Option<String>,
    #[serde(default)]
    require_pushed_authorization_requests: bool,
    #[serde(default)]
    dpop_bound_access_tokens: bool,
    #[serde(default)]
    tls_client_certificate_bound_access_tokens: bool,
}

impl Wanted {
    /// What is not said follows from the type, and the type from whether there are redirect URIs.
    fn client(&self) -> Result<Client, Problem> {
        let client = Client::new(&self.id, &self.name, &self.scope, self.redirect_uris.iter().cloned(), now())?;
        let mut settings = client.settings().clone();
        if let Some(kind) = &self.kind {
            settings.kind = ClientKind::from_name(kind).ok_or(Problem::BadField("type"))?;
        }
        if matches!(settings.kind, ClientKind::Native | ClientKind::Browser) {
            settings.auth_method = ClientAuthMethod::None;
            settings.grants = vec![GrantType::AuthorizationCode];
        }
        if let Some(grants) = &self.grants {
            settings.grants = ClientSettings::grants_from(&grants.join(" ")).ok_or(Problem::BadField("grants"))?;
        }
        if let Some(method) = &self.token_endpoint_auth_method {
            let method = ClientAuthMethod::from_name(method);
            settings.auth_method = method.ok_or(Problem::BadField("token_endpoint_auth_method"))?;
        }
        if let Some(user_scope) = &self.user_scope {
            settings.user_scopes.clone_from(user_scope);
        }
        let uri = |field, uri: &String| RedirectUri::new(uri.as_str()).map_err(|_| Problem::BadField(field));
        let after_logout = self.post_logout_redirect_uris.iter().map(|text| uri("post_logout_redirect_uri", text));
        settings.post_logout_redirect_uris = after_logout.collect::<Result<_, _>>()?;
        let backchannel = self.backchannel_logout_uri.as_ref().map(|text| uri("backchannel_logout_uri", text));
        settings.backchannel_logout_uri = backchannel.transpose()?;
        settings.is_operators_own = self.operators_own;
        settings.requires_pushed_requests = self.require_pushed_authorization_requests;
        settings.is_dpop_bound = self.dpop_bound_access_tokens;
        settings.is_certificate_bound = self.tls_client_certificate_bound_access_tokens;
        settings.jwks = self.jwks.as_ref().map(|jwks| ClientKeys::new(jwks.to_string())).transpose()?;
        settings.certificate_subject = CertificateSubject::only(self.certificate_subjects())?;
        Ok(client.with(settings)?)
    }

    fn certificate_subjects(&self) -> impl Iterator<Item = (SubjectName, &str)> {
        let named = [
            (SubjectName::SubjectDn, &self.tls_client_auth_subject_dn),
            (SubjectName::SanDns, &self.tls_client_auth_san_dns),
            (SubjectName::SanUri, &self.tls_client_auth_san_uri),
            (SubjectName::SanIp, &self.tls_client_auth_san_ip),
            (SubjectName::SanEmail, &self.tls_client_auth_san_email),
        ];
        named.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }
}
