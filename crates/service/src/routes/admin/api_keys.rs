use super::super::api_keys::secret_answer_with;
use super::log;
use super::page::{Page, parameters};
use crate::accounts::{check, is_text, is_user_id};
use crate::app::App;
use crate::ids::now;
use crate::json::{self, rfc3339, time};
use crate::limits::{MAX_NAME_BYTES, MAX_OVERLAP};
use crate::problem::Problem;
use crate::scope;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tollgate::jwt::base64url;
use tollgate::{AddressBlock, KeyKind, KeyRecord, KeyState};
use tollgate_storage::{Command, KeyFilter, StoredKey, limits, new_key_id};
use tollgate_tower::Authenticated;

/// `GET /api/v2/admin/api-keys?subject=&kind=&state=&limit=&page_token=`: by id; API keys unless `kind` says otherwise.
pub(super) async fn list(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Json<Value>, Problem> {
    let query = query.unwrap_or_default();
    app.blocking(move |app| {
        let form = parameters(&query)?;
        let kind = form.value("kind").map_or(Some(KeyKind::ApiKey), KeyKind::from_name);
        let kind = kind.ok_or(Problem::BadRequest("kind is api-key, client-secret or access-token"))?;
        let state = form
            .value("state")
            .map(|name| KeyState::from_name(name).ok_or(Problem::BadRequest("state is active, disabled or revoked")));
        let (page, subject) = (Page::of(&form)?, form.value("subject").map(str::to_owned));
        let filter = KeyFilter { subject, kind: Some(kind), state: state.transpose()?, ..KeyFilter::default() };
        let keys = &app.accounts.keys;
        let keys = keys.wait(keys.store.keys(&filter, page.after.as_deref(), page.wanted()))?;
        Ok(Json(page.answer(&keys, |key| key.record.id().to_owned(), description)))
    })
    .await
}

/// `POST /api/v2/admin/api-keys`: an API key for any subject, shown this once.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let CreateBody { api_key: wanted } = json::read(&headers, &json::body(body)?, None)?;
    app.blocking(move |app| {
        let keys = &app.accounts.keys;
        check_not_disabled(app, &wanted.subject)?;
        let new = keys.make(wanted.record()?)?;
        keys.run(Command::AddKey { key: new.stored.clone(), max: None })?;
        log(&admin, "api-key-made", new.stored.record.id());
        Ok(secret_answer_with(description(&new.stored), &new.secret))
    })
    .await
}

/// `GET /api/v2/admin/api-keys/{id}`: also a client secret or an access token.
pub(super) async fn show(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    app.blocking(move |app| found(app, &id).map(answer)).await
}

/// `POST /api/v2/admin/api-keys/{id}/disable`.
pub(super) async fn disable(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    app.blocking(move |app| {
        put_in_state(app, &id, KeyState::Disabled)?;
        log(&admin, "api-key-disabled", &id);
        found(app, &id).map(answer)
    })
    .await
}

/// `POST /api/v2/admin/api-keys/{id}/enable`.
pub(super) async fn enable(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    app.blocking(move |app| {
        check_not_disabled(app, found(app, &id)?.record.subject())?;
        put_in_state(app, &id, KeyState::Active)?;
        log(&admin, "api-key-enabled", &id);
        found(app, &id).map(answer)
    })
    .await
}

/// `POST /api/v2/admin/api-keys/{id}/revoke`: for ever. To revoke it again changes nothing.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    app.blocking(move |app| {
        put_in_state(app, &id, KeyState::Revoked)?;
        log(&admin, "api-key-revoked", &id);
        found(app, &id).map(answer)
    })
    .await
}

/// `POST /api/v2/admin/api-keys/{id}/rotate`: a new API key in its place, shown this once; the old one ends after
/// `overlap_seconds`, or at once.
pub(super) async fn rotate(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let overlap = Overlap::read(&headers, body)?;
    app.blocking(move |app| {
        let old = found(app, &id)?;
        if old.record.kind() != KeyKind::ApiKey {
            return Err(Problem::Conflict("only an API key is rotated here"));
        }
        let new = old.successor(&new_key_id("key")?, now());
        let new = app.accounts.keys.rotate(&old, new, overlap.seconds)?;
        log(&admin, "api-key-rotated", &id);
        Ok(secret_answer_with(description(&new.stored), &new.secret))
    })
    .await
}

/// For how long an old key goes on beside the new one.
pub(super) struct Overlap {
    pub(super) seconds: i64,
}

impl Overlap {
    pub(super) fn read(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Self, Problem> {
        let RotateBody { overlap_seconds } = json::read(headers, &json::body(body)?, Some(RotateBody::default()))?;
        if overlap_seconds > MAX_OVERLAP.as_secs() {
            return Err(Problem::BadField("overlap_seconds"));
        }
        Ok(Self { seconds: i64::try_from(overlap_seconds).unwrap_or(i64::MAX) })
    }
}

/// All that may be told of a key.
pub(super) fn description(key: &StoredKey) -> Value {
    let record = &key.record;
    json!({
        "id": record.id(),
        "kind": record.kind().as_str(),
        "subject": record.subject(),
        "client_id": record.client_id(),
        "name": record.name(),
        "scope": record.scopes().as_str(),
        "state": record.state().as_str(),
        "created_at": rfc3339(key.created_at),
        "not_before": record.not_before().and_then(rfc3339),
        "expires_at": record.expires_at().and_then(rfc3339),
        "allowed_addresses": record.allowed_addresses().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "metadata": base64url::encode(record.metadata()),
        "made_with": key.parent,
        "rotated_to": key.rotated_to,
        "overlap_ends_at": key.overlap_ends_at.and_then(rfc3339),
    })
}

fn found(app: &App, id: &str) -> Result<StoredKey, Problem> {
    let keys = &app.accounts.keys;
    keys.wait(keys.store.key(id))?.ok_or(Problem::NotFound)
}

fn answer(key: StoredKey) -> Json<Value> {
    Json(json!({"data": description(&key)}))
}

/// A key of a user who is disabled, or was removed, is of no use before the user is enabled. Other subjects are not known here.
fn check_not_disabled(app: &App, subject: &str) -> Result<(), Problem> {
    if is_user_id(subject) { Ok(app.accounts.check_active(subject)?) } else { Ok(()) }
}

fn put_in_state(app: &App, id: &str, state: KeyState) -> Result<(), Problem> {
    app.accounts.keys.run(Command::PutKeyInState { id: id.to_owned(), state })?;
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    api_key: Wanted,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    subject: String,
    name: String,
    /// Scope-tokens joined by spaces.
    scope: String,
    not_before: Option<String>,
    expires_at: Option<String>,
    /// Address blocks, such as `192.0.2.0/24`.
    #[serde(default)]
    allowed_addresses: Vec<String>,
    /// Base64url.
    metadata: Option<String>,
}

impl Wanted {
    fn record(&self) -> Result<KeyRecord, Problem> {
        check("subject", is_text(&self.subject, limits::MAX_SUBJECT_BYTES))?;
        check("name", is_text(&self.name, MAX_NAME_BYTES))?;
        if !scope::is_valid(&self.scope) {
            return Err(Problem::BadField("scope"));
        }
        let expires_at = time("expires_at", self.expires_at.as_deref())?;
        check("expires_at", expires_at.is_none_or(|expires_at| expires_at > now()))?;
        let addresses: Result<Vec<AddressBlock>, _> =
            self.allowed_addresses.iter().map(|block| block.parse()).collect();
        let mut metadata = Vec::new();
        let text = self.metadata.as_deref().unwrap_or_default();
        base64url::decode(text, &mut metadata).map_err(|_| Problem::BadField("metadata"))?;
        Ok(KeyRecord::api_key(&new_key_id("key")?, &self.subject)
            .name(&self.name)
            .scopes(self.scope.split(' '))
            .not_before(time("not_before", self.not_before.as_deref())?)
            .expires_at(expires_at)
            .allowed_addresses(addresses.map_err(|_| Problem::BadField("allowed_addresses"))?)
            .metadata(&metadata)
            .build())
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RotateBody {
    #[serde(default)]
    overlap_seconds: u64,
}
