use super::log;
use super::page::{Page, parameters};
use crate::app::App;
use crate::json::{self, rfc3339, time};
use crate::problem::Problem;
use crate::revocations::revoke;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tollgate_storage::{Command, RevocationKind, StoredRevocation};
use tollgate_tower::Authenticated;

/// `GET /api/v2/admin/revocations?limit=&page_token=`: by kind, issuer and name.
pub(super) async fn list(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Json<Value>, Problem> {
    let query = query.unwrap_or_default();
    app.blocking(move |app| {
        let page = Page::of(&parameters(&query)?)?;
        let after = page.after.as_deref().map(in_page_token).transpose()?;
        let keys = &app.accounts.keys;
        let revocations = keys.wait(keys.store.revocations(after.as_ref(), page.wanted()))?;
        let name = |last: &StoredRevocation| json!([last.kind.as_str(), last.issuer, last.name]).to_string();
        Ok(Json(page.answer(&revocations, name, description)))
    })
    .await
}

/// `DELETE /api/v2/admin/revocations?kind=&name=&issuer=`: takes a revocation back. What was revoked beside it, opaque tokens and
/// the keys themselves, stays so. In force when it is answered.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    let query = query.unwrap_or_default();
    app.blocking(move |app| {
        let form = parameters(&query)?;
        let kind = kind(form.value("kind").unwrap_or_default())?;
        let issuer = form.value("issuer").unwrap_or_else(|| default_issuer(kind, &app.origin));
        let name = form.value("name").unwrap_or_default();
        let (issuer, name) = (issuer.to_owned(), name.to_owned());
        app.accounts.keys.run(Command::Restore { kind, issuer, name: name.clone() })?;
        log(&admin, "revocation-removed", &name);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// `POST /api/v2/admin/revocations`: revokes a token by its `jti`, or all tokens of a subject, a session, a client or an issuer, or
/// a key by its id; wholly, or as far as issued before a time. In force when it is answered.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let CreateBody { revocation: wanted } = json::read(&headers, &json::body(body)?, None)?;
    app.blocking(move |app| {
        let revocation = wanted.revocation(&app.origin)?;
        revoke(&app.accounts.keys, &app.origin, &revocation)?;
        log(&admin, revocation.kind.as_str(), &revocation.name);
        Ok((StatusCode::CREATED, Json(json!({"data": description(&revocation)}))))
    })
    .await
}

fn description(revocation: &StoredRevocation) -> Value {
    json!({
        "kind": revocation.kind.as_str(),
        "issuer": revocation.issuer,
        "name": revocation.name,
        // Beyond every time that can be written: without an end.
        "issued_before": rfc3339(revocation.issued_before),
        "until": rfc3339(revocation.until),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    revocation: Wanted,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    kind: String,
    #[serde(default)]
    name: String,
    /// This service, unless it says otherwise.
    issuer: Option<String>,
    issued_before: Option<String>,
    until: Option<String>,
}

impl Wanted {
    fn revocation(&self, origin: &str) -> Result<StoredRevocation, Problem> {
        let kind = kind(&self.kind)?;
        let issuer = self.issuer.as_deref().unwrap_or(default_issuer(kind, origin));
        let issued_before = time("issued_before", self.issued_before.as_deref())?.unwrap_or(i64::MAX);
        let until = time("until", self.until.as_deref())?.unwrap_or(i64::MAX);
        Ok(StoredRevocation { issued_before, until, ..StoredRevocation::new(kind, issuer, &self.name) })
    }
}

fn kind(name: &str) -> Result<RevocationKind, Problem> {
    RevocationKind::from_name(name)
        .ok_or(Problem::BadRequest("kind is token, subject, session, client, issuer or api-key"))
}

/// This service. A key has none.
fn default_issuer(kind: RevocationKind, origin: &str) -> &str {
    if kind == RevocationKind::ApiKey { "" } else { origin }
}

/// The last revocation of the page before, as far as the order goes.
fn in_page_token(text: &str) -> Result<StoredRevocation, Problem> {
    let parts: Option<(String, String, String)> = serde_json::from_str(text).ok();
    let revocation = parts.and_then(|(kind, issuer, name)| {
        Some(StoredRevocation::new(RevocationKind::from_name(&kind)?, &issuer, &name))
    });
    revocation.ok_or(Problem::BadRequest("page_token is not one of this service"))
}
