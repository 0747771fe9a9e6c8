//! Two sites that have their visitors log in here. As any other site they know their own client's secret alone: they send the browser to
//! the authorization endpoint, present its code at the token endpoint, and verify the token with an engine.

use super::pages::{SitePage, Visitor};
use super::seed::{CODE_VERIFIER, Demo, Site, parameters};
use crate::app::App;
use crate::form::Form;
use crate::oauth::{self, ClientForm};
use crate::pages::{Policy, failed, not_a_form, page, scope_text};
use crate::problem::Problem;
use crate::sender::Sender;
use axum::body::to_bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64_simd::STANDARD;
use serde_json::Value;
use std::sync::Arc;

/// `GET /demo/{site}`: the site, to a visitor who is not logged in there.
pub(crate) async fn site(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Response, Response> {
    let (demo, site) = of_name(&app, &name).ok_or_else(|| failed(Problem::NotFound))?;
    Ok(shown(demo, site, None, None))
}

/// `GET /demo/{site}/callback`: the browser comes back, with a code or an error (RFC 6749 sections 4.1.2 and 4.1.2.1).
pub(crate) async fn back(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    sender: Sender,
) -> Result<Response, Response> {
    let (demo, site) = of_name(&app, &name).ok_or_else(|| failed(Problem::NotFound))?;
    let query = query.unwrap_or_default();
    let answer = Form::parse(query.as_bytes()).map_err(not_a_form)?;
    let Some(code) = answer.value("code") else {
        let error = answer.value("error_description").or(answer.value("error")).unwrap_or("no code came back");
        return Ok(shown(demo, site, None, Some(error)));
    };
    match exchange(&app, site, code, sender).await {
        Ok(visitor) => Ok(shown(demo, site, Some(visitor), None)),
        Err(error) => Ok(shown(demo, site, None, Some(&error))),
    }
}

/// Presents the code at the token endpoint, and verifies the token.
async fn exchange(app: &Arc<App>, site: &Site, code: &str, sender: Sender) -> Result<Visitor, String> {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", &site.redirect_uri)
        .append_pair("code_verifier", CODE_VERIFIER)
        .finish();
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    let basic = format!("Basic {}", STANDARD.encode_to_string(format!("{}:{}", site.client_id, site.secret)));
    headers.insert(header::AUTHORIZATION, HeaderValue::try_from(basic).map_err(|error| error.to_string())?);
    let request = ClientForm::read(sender, headers, form.as_bytes()).map_err(|error| error.code())?;
    let answer = oauth::token(State(Arc::clone(app)), request).await.into_response();
    let body = to_bytes(answer.into_body(), MAX_ANSWER_BYTES).await;
    let answer: Value = serde_json::from_slice(&body.map_err(|error| error.to_string())?).unwrap_or_default();
    let Some(token) = answer["access_token"].as_str() else {
        return Err(answer["error_description"].as_str().unwrap_or("the token endpoint gave no token").to_owned());
    };
    let principal = app.engine.verify(format!("Bearer {token}").as_bytes()).map_err(|error| error.to_string())?;
    Ok(Visitor {
        subject: principal.subject().unwrap_or_default().to_owned(),
        scopes: principal.scopes().iter().map(scope_text).collect(),
        expires_in: answer["expires_in"].as_i64().unwrap_or_default(),
    })
}

fn of_name<'a>(app: &'a App, name: &str) -> Option<(&'a Demo, &'a Site)> {
    let demo = app.demo.as_ref()?;
    let site = demo.sites.iter().find(|site| site.client_id == name)?;
    Some((demo, site))
}

fn shown(demo: &Demo, site: &Site, visitor: Option<Visitor>, problem: Option<&str>) -> Response {
    let request = format!("{}/oauth/v2/authorize?{}", demo.url, parameters(site));
    page(StatusCode::OK, &SitePage { name: site.name, request: &request, visitor, problem }, Policy::NoForms)
}

/// Of a token endpoint: far more than an answer has.
const MAX_ANSWER_BYTES: usize = 64 * 1_024;
