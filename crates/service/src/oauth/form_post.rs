use super::request::Redirect;
use crate::pages::{Policy, page};
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

/// Sends the browser on to the client with a form (OAuth 2.0 Form Post Response Mode section 2): by a script, and by a button without one.
#[derive(Template)]
#[template(path = "form_post.html")]
struct FormPostPage<'a> {
    action: &'a str,
    target: &'a str,
    fields: &'a [(&'a str, &'a str)],
}

/// The page with the form of those fields.
pub(super) fn show(redirect: &Redirect, fields: &[(&str, &str)]) -> Response {
    let target = redirect.origin();
    let shown = FormPostPage { action: &redirect.uri, target: &target, fields };
    page(StatusCode::OK, &shown, Policy::FormsToAndScript(&target))
}
