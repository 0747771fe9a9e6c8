//! What a person is told when something does not go as asked.

use super::page::{Policy, page};
use crate::form::FormError;
use crate::problem::Problem;
use askama::Template;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// What is wrong with a form that is shown again.
#[derive(Clone, Debug)]
pub(crate) struct FormProblem {
    pub(crate) text: String,
    /// The id of the field that it is about, which the text then leads to; may be empty.
    pub(crate) field: &'static str,
}

impl FormProblem {
    /// About that field.
    pub(crate) fn of(field: &'static str, text: impl Into<String>) -> Self {
        Self { text: text.into(), field }
    }

    /// About no field.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self::of("", text)
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    title: &'a str,
    text: &'a str,
}

/// A request that cannot be completed. It must not be sent to a redirect URI where that is what is in doubt.
pub(crate) fn refusal(status: StatusCode, text: &str) -> Response {
    page(status, &ErrorPage { title: "This request cannot be completed", text }, Policy::NoForms)
}

/// A page that says one thing.
pub(crate) fn message(status: StatusCode, title: &str, text: &str) -> Response {
    page(status, &ErrorPage { title, text }, Policy::NoForms)
}

pub(crate) fn not_a_form(error: FormError) -> Response {
    let reason = match error {
        FormError::Repeated => "It repeats a parameter.",
        FormError::NotText => "A parameter is not UTF-8 text.",
        FormError::TooMany => "It has too many parameters.",
    };
    refusal(StatusCode::BAD_REQUEST, reason)
}

/// The page of a problem that the API would answer with JSON. Making it writes the cause to the log.
pub(crate) fn failed(problem: Problem) -> Response {
    let problem = problem.logged();
    let (status, text) = (problem.status(), problem.description());
    // For Retry-After.
    let of_api = problem.answer();
    let title = match status {
        StatusCode::NOT_FOUND => "There is nothing here",
        StatusCode::CONFLICT => "That cannot be done now",
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => "Please try again in a moment",
        _ if status.is_server_error() => "Something went wrong here",
        _ => "This request cannot be completed",
    };
    let mut response = page(status, &ErrorPage { title, text: &sentence(&text) }, Policy::NoForms);
    if let Some(retry_after) = of_api.headers().get(header::RETRY_AFTER) {
        response.headers_mut().insert(header::RETRY_AFTER, retry_after.clone());
    }
    response
}

/// A page for a browser, JSON for a program.
pub(crate) fn not_found(headers: &HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") { failed(Problem::NotFound) } else { Problem::NotFound.into_response() }
}

/// With a capital at the beginning and a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}
