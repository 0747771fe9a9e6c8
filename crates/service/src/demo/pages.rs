use super::seed::{EMAIL, PASSWORD, Site};
use crate::app::App;
use crate::pages::{Policy, page};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "demo/welcome.html")]
struct WelcomePage<'a> {
    email: &'a str,
    password: &'a str,
    sites: &'a [Site],
}

/// A site of the demo, to a visitor.
#[derive(Template)]
#[template(path = "demo/site.html")]
pub(super) struct SitePage<'a> {
    pub(super) name: &'a str,
    /// The authorization request.
    pub(super) request: &'a str,
    pub(super) visitor: Option<Visitor>,
    pub(super) problem: Option<&'a str>,
}

/// Who is logged in at a site.
pub(super) struct Visitor {
    pub(super) subject: String,
    pub(super) scopes: Vec<String>,
    pub(super) expires_in: i64,
}

/// `GET /`: in the demo, what there is to try; otherwise the way to My Profile.
pub(crate) async fn welcome(State(app): State<Arc<App>>) -> Response {
    let Some(demo) = &app.demo else { return Redirect::to("/profile").into_response() };
    let shown = WelcomePage { email: EMAIL, password: PASSWORD, sites: &demo.sites };
    page(StatusCode::OK, &shown, Policy::NoForms)
}
