//! Pushed authorization requests (RFC 9126): the client sends the parameters itself, and the browser takes only a `request_uri` along.

use super::client_form::ClientForm;
use super::dpop::{self, Prover};
use super::error::OAuthError;
use super::request::{self, AuthorizationError, AuthorizationRequest};
use crate::app::App;
use crate::form::Form;
use crate::ids::{digest, new_secret, now};
use crate::limits::{
    BEGUN_REQUEST_SECONDS, MAX_PUSHED_BYTES, MAX_PUSHED_REQUESTS_PER_CLIENT, PUSH_BUSY_SECONDS, PUSHED_REQUEST_SECONDS,
};
use crate::pages::{failed, refusal};
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;
use tollgate::jwt::base64url;
use tollgate_storage::accounts::PushedRequest;
use tollgate_storage::{Refusal, StorageError};

/// What a `request_uri` of this service begins with (RFC 9126 section 2.2).
const REQUEST_URI: &str = "urn:ietf:params:oauth:request_uri:";

/// By which the client authenticates; not a part of the authorization request.
const CREDENTIALS: [&str; 3] = ["client_secret", "client_assertion", "client_assertion_type"];

/// `POST /oauth/v2/par` (RFC 9126 section 2).
pub(crate) async fn push(State(app): State<Arc<App>>, request: ClientForm) -> Result<Response, Refused> {
    let client = request.authenticate(&app).await?.registered(&app)?;
    let (app, ClientForm { form, headers, sender }) = (&app, &request);
    let prover = Prover { client_id: client.id(), is_public: client.is_public(), sender };
    // Section 2.1: "The request_uri authorization request parameter MUST NOT be provided in this case".
    if form.value("request_uri").is_some() {
        return Err(OAuthError::InvalidRequest("request_uri cannot be pushed").into());
    }
    let redirect = request::redirect(form, &client)
        .map_err(|_| OAuthError::InvalidRequest("redirect_uri is missing, or not one that the client registered"))?;
    // RFC 9449 section 10.1: a proof binds the code as `dpop_jkt` does.
    let proven = dpop::prove(app, headers, "/oauth/v2/par", &prover).await?;
    let jkt = proven.thumbprint.map(base64url::encode);
    if jkt.is_some() && form.value("dpop_jkt").is_some_and(|named| Some(named) != jkt.as_deref()) {
        return Err(OAuthError::InvalidDpopProof("dpop_jkt is another key than that of the DPoP proof").into());
    }
    let client_id = client.id().to_owned();
    // Section 2.1: "Validate the request in the same way as at the authorization endpoint".
    request::check(form, client, redirect, &app.origin)?;
    let mut parameters = form.without(&CREDENTIALS);
    if form.value("client_id").is_none() {
        parameters.push(("client_id", &client_id));
    }
    if let (Some(jkt), None) = (&jkt, form.value("dpop_jkt")) {
        parameters.push(("dpop_jkt", jkt.as_str()));
    }
    let parameters = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    if parameters.len() > MAX_PUSHED_BYTES {
        return Err(OAuthError::InvalidRequest("the request is too long").into());
    }
    let (secret, digest) = new_secret().map_err(|_| OAuthError::ServerError)?;
    let now = now();
    let pushed =
        PushedRequest { digest, client_id, parameters, expires_at: now.saturating_add(PUSHED_REQUEST_SECONDS) };
    match app.accounts.store.add_pushed_request(&pushed, now, MAX_PUSHED_REQUESTS_PER_CLIENT).await {
        Ok(()) => {}
        Err(StorageError::Refused(Refusal::TooMany { .. })) => {
            return Err(OAuthError::TemporarilyUnavailable(PUSH_BUSY_SECONDS).into());
        }
        Err(error) => return Err(OAuthError::from(error).into()),
    }
    let body = json!({"request_uri": request_uri(&secret), "expires_in": PUSHED_REQUEST_SECONDS});
    let answer = (StatusCode::CREATED, [(header::CACHE_CONTROL, "no-cache, no-store")], Json(body)).into_response();
    Ok(proven.with_nonce(answer))
}

fn request_uri(secret: &str) -> String {
    format!("{REQUEST_URI}{secret}")
}

/// Why a request is not taken: section 2.3 has the form of the token endpoint's errors for both.
pub(crate) enum Refused {
    Client(OAuthError),
    Request(AuthorizationError),
}

impl From<OAuthError> for Refused {
    fn from(error: OAuthError) -> Self {
        Self::Client(error)
    }
}

impl From<AuthorizationError> for Refused {
    fn from(error: AuthorizationError) -> Self {
        Self::Request(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Client(error) => error.into_response(),
            Self::Request(error) => {
                let body = json!({"error": error.code(), "error_description": error.description()});
                (StatusCode::BAD_REQUEST, Json(body)).into_response()
            }
        }
    }
}

/// A pushed request that a browser has begun.
pub(super) struct Begun {
    pub(super) form: Form<'static>,
    /// By which the pages go on with it: the one that the client got is used up.
    pub(super) request_uri: String,
    /// Whether a page goes on with it.
    pub(super) is_continued: bool,
}

/// The pushed request that a browser's request names; the error is already the answer.
///
/// The first time gives it another `request_uri`, for the forms of the pages and the way between them, so that the one that the client got is
/// good once (section 7.3) and a login may take its time.
pub(super) async fn begun(app: &Arc<App>, form: &Form<'_>, client_id: &str) -> Result<Option<Begun>, Response> {
    let Some(secret) = form.value("request_uri").and_then(|uri| uri.strip_prefix(REQUEST_URI)) else { return Ok(None) };
    let (presented, now, store) = (digest(secret), now(), &app.accounts.store);
    let failed = |error: StorageError| failed(Problem::from(error));
    let known = store.begun_request(&presented, client_id, now).await.map_err(failed)?;
    let is_continued = known.is_some();
    let (parameters, request_uri) = match known {
        Some(parameters) => (parameters, request_uri(secret)),
        None => {
            let (next, next_digest) = new_secret().map_err(|error| self::failed(error.into()))?;
            let expires_at = now.saturating_add(BEGUN_REQUEST_SECONDS);
            let begun = store.begin_pushed_request(&presented, client_id, &next_digest, expires_at, now).await;
            let expired = || refusal(StatusCode::BAD_REQUEST, "It has expired, or was used before.");
            (begun.map_err(failed)?.ok_or_else(expired)?, request_uri(&next))
        }
    };
    let form = Form::parse(parameters.as_bytes()).map_err(crate::pages::not_a_form)?.into_owned();
    Ok(Some(Begun { form, request_uri, is_continued }))
}

/// Uses up the pushed request, if it is one; returns whether it was good until now.
pub(super) async fn end(app: &App, request: &AuthorizationRequest) -> Result<bool, StorageError> {
    let Some(secret) = request.pushed.as_deref().and_then(|uri| uri.strip_prefix(REQUEST_URI)) else { return Ok(true) };
    app.accounts.store.end_pushed_request(&digest(secret), request.client.id(), now()).await
}
