//! The API keys of a user: rotated, made, revoked.

use super::{again, done};
use crate::accounts::{AccountError, is_text};
use crate::app::App;
use crate::ids::now;
use crate::key_store::NewKey;
use crate::limits::MAX_NAME_BYTES;
use crate::pages::browser::{FormOfBrowser, form_token};
use crate::pages::login::with_cookie;
use crate::pages::page::{Policy, page};
use crate::pages::problem::{FormProblem, failed, refusal};
use crate::problem::Problem;
use crate::routes::{FIRST_KEY_NAME, scopes};
use crate::scope;
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::sync::Arc;
use tollgate::KeyState;
use tollgate_storage::accounts::User;

/// A new key, the only time that it is shown.
#[derive(Template)]
#[template(path = "key.html")]
struct KeyPage<'a> {
    email: &'a str,
    name: &'a str,
    secret: &'a str,
    form_token: &'a str,
}

/// `POST /profile/api-key`: a new key in the place of that of `key_id`, which ends at once; without it, the first one. A form that is sent
/// twice rotates once: the key of its `key_id` is not the current one by then.
pub(crate) async fn rotate_key(State(app): State<Arc<App>>, sent: FormOfBrowser) -> Result<Response, Response> {
    let FormOfBrowser { user, form, headers, by, .. } = sent;
    let key_id = form.value("key_id").map(str::to_owned);
    let (new, user) = app
        .blocking_for(by, move |app| {
            require_manager(&user)?;
            let keys = app.accounts.api_keys_of(&user.id)?;
            let Some(key_id) = key_id else {
                if keys.iter().any(|key| key.record.state() == KeyState::Active) {
                    return Err(Problem::Conflict("you have an API key already: rotate it"));
                }
                return Ok((app.accounts.add_api_key(&user.id, FIRST_KEY_NAME, &user.scopes, None)?, user));
            };
            let old = keys.iter().find(|key| key.record.id() == key_id);
            let old = old.ok_or(Problem::Conflict("that key has ended: look at My Profile again"))?;
            // Whoever gets the new key gets its scopes.
            if !old.record.scopes().iter().all(|scope| scope::contains(&user.scopes, scope)) {
                return Err(Problem::Conflict("the key may do more than your account may by now: revoke it"));
            }
            Ok((app.accounts.rotate_api_key(old)?, user))
        })
        .await
        .map_err(failed)?;
    key_page(&app, &headers, &user, &new).map_err(failed)
}

/// `POST /profile/api-keys`: a further key with `name`, the scopes of the fields `scope-1` and so on, and `lifetime` in days.
pub(crate) async fn make_key(State(app): State<Arc<App>>, sent: FormOfBrowser) -> Result<Response, Response> {
    let name = sent.form.value("name").unwrap_or_default().trim().to_owned();
    if !is_text(&name, MAX_NAME_BYTES) {
        let problem = FormProblem::of("key-name", format!("Give the key a name of at most {MAX_NAME_BYTES} bytes."));
        return Ok(again(&app, sent, StatusCode::BAD_REQUEST, problem).await);
    }
    let fields = (1..=sent.user.scopes.split(' ').count()).map(|index| format!("scope-{index}"));
    let scopes: Vec<String> = fields.filter_map(|field| sent.form.value(&field).map(str::to_owned)).collect();
    if scopes.is_empty() {
        let problem = FormProblem::of("key-scope", "Choose at least one scope.");
        return Ok(again(&app, sent, StatusCode::BAD_REQUEST, problem).await);
    }
    let days = match sent.form.value("lifetime").map(str::parse::<u16>) {
        None => None,
        Some(Ok(days)) if days > 0 => Some(i64::from(days)),
        Some(_) => return Err(refusal(StatusCode::BAD_REQUEST, "Its lifetime is not a number of days.")),
    };
    let expires_at = days.map(|days| now().saturating_add(days * 24 * 60 * 60));
    let FormOfBrowser { user, headers, by, .. } = sent;
    let (new, user) = app
        .blocking_for(by, move |app| {
            require_manager(&user)?;
            let new = app.accounts.add_api_key(&user.id, &name, &scopes.join(" "), expires_at);
            Ok::<_, Problem>((new?, user))
        })
        .await
        .map_err(failed)?;
    key_page(&app, &headers, &user, &new).map_err(failed)
}

/// `POST /profile/api-keys/revoke`: the key of `key_id` stops working at once.
pub(crate) async fn revoke_key(State(app): State<Arc<App>>, sent: FormOfBrowser) -> Result<Response, Response> {
    let FormOfBrowser { user, form, by, .. } = sent;
    let key_id = form.value("key_id").unwrap_or_default().to_owned();
    let revoke = move |app: &App| {
        require_manager(&user)?;
        match app.accounts.revoke_api_key(&user.id, &key_id) {
            // Revoked already.
            Err(AccountError::NotFound { .. }) => Ok(()),
            revoked => Ok::<_, Problem>(revoked?),
        }
    };
    app.blocking_for(by, revoke).await.map_err(failed)?;
    Ok(done("key-revoked"))
}

fn require_manager(user: &User) -> Result<(), Problem> {
    if scope::contains(&user.scopes, scopes::MANAGE_API_KEYS) { Ok(()) } else { Err(Problem::NoManager) }
}

fn key_page(app: &App, headers: &HeaderMap, user: &User, new: &NewKey) -> Result<Response, Problem> {
    let (form_token, cookie) = form_token(app, headers)?;
    let (name, secret) = (new.stored.record.name(), new.secret.as_str());
    let shown = KeyPage { email: &user.email, name, secret, form_token: &form_token };
    Ok(with_cookie(page(StatusCode::CREATED, &shown, Policy::FormsAndScript), cookie))
}
