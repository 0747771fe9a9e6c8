use super::problem::failed;
use crate::error::ServerError;
use crate::problem::Problem;
use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

/// What a page may do: the part of its Content-Security-Policy (CSP Level 3) that differs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Policy<'a> {
    /// It has no form.
    NoForms,
    /// Its forms lead to this service.
    Forms,
    /// The redirect that answers a form leads to that origin. A browser holds it to form-action too.
    FormsTo(&'a str),
    /// As `Forms`, and a script of this service.
    FormsAndScript,
    /// As `FormsTo`, and a script of this service.
    FormsToAndScript(&'a str),
}

/// The answer that shows a template.
pub(crate) fn page(status: StatusCode, template: &impl Template, policy: Policy<'_>) -> Response {
    let html = match template.render() {
        Ok(html) => html,
        Err(error) => return failed(Problem::Internal(ServerError::Page(error))),
    };
    let (script, forms) = match policy {
        Policy::NoForms => ("", "'none'".to_owned()),
        Policy::Forms => ("", "'self'".to_owned()),
        Policy::FormsTo(origin) => ("", format!("'self' {origin}")),
        Policy::FormsAndScript => ("script-src 'self'; ", "'self'".to_owned()),
        Policy::FormsToAndScript(origin) => ("script-src 'self'; ", format!("'self' {origin}")),
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; {script}form-action {forms}; frame-ancestors 'none'; base-uri 'none'"
    );
    let mut response = (status, Html(html)).into_response();
    // A redirect URI with other than visible ASCII is not registered, so this does not fail; if it did, the strictest policy would stand.
    let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response.headers_mut().insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}
