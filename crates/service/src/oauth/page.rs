//! The pages a person can meet: the login forms, who is logged in, the refusal. No script, and nothing from another origin.

use super::request::AuthorizationRequest;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use std::sync::LazyLock;

/// The login form of an authorization request. `form_token` is also in the browser's cookie; `problem` is shown above the form.
pub(crate) fn authorize_form(
    status: StatusCode,
    request: &AuthorizationRequest,
    form_token: &str,
    problem: Option<&str>,
) -> Response {
    let state = request.redirect.state.as_deref().unwrap_or_default();
    let redirect_uri = if request.redirect.is_named { request.redirect.uri.as_str() } else { "" };
    let hidden = [
        ("response_type", "code"),
        ("client_id", request.client.id()),
        ("redirect_uri", redirect_uri),
        ("scope", &request.scope),
        ("state", state),
        ("code_challenge", &request.code_challenge),
        ("code_challenge_method", "S256"),
        ("form_token", form_token),
    ];
    let lead = format!("<p>to continue to <strong>{}</strong></p>\n", escape(request.client.name()));
    let body = password_form("/oauth/v2/authorize", &lead, &hidden, problem);
    page(status, "Log in", &body, &[&request.redirect.origin()])
}

/// The login form that leads nowhere else.
pub(crate) fn login_form(status: StatusCode, form_token: &str, problem: Option<&str>) -> Response {
    page(status, "Log in", &password_form("/login", "", &[("form_token", form_token)], problem), &[""])
}

/// Who is logged in, and the way out.
pub(crate) fn logged_in(email: &str, form_token: &str) -> Response {
    let body = format!(
        r#"<h1>You are logged in</h1>
<p>as <strong>{}</strong></p>
<form method="post" action="/logout">
{}<button>Log out</button>
</form>"#,
        escape(email),
        hidden_fields(&[("form_token", form_token)]),
    );
    page(StatusCode::OK, "Logged in", &body, &[""])
}

fn password_form(action: &str, lead: &str, hidden: &[(&str, &str)], problem: Option<&str>) -> String {
    let problem = problem.map_or_else(String::new, |problem| format!(r#"<p role="alert">{}</p>"#, escape(problem)));
    format!(
        r#"<h1>Log in</h1>
{lead}{problem}
<form method="post" action="{action}">
{}<label>E-mail <input name="email" type="email" autocomplete="username" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>"#,
        hidden_fields(hidden),
    )
}

fn hidden_fields(fields: &[(&str, &str)]) -> String {
    let field =
        |(name, value): &(&str, &str)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">\n", escape(value));
    fields.iter().map(field).collect()
}

/// A refusal that must not be sent to the redirect URI, because that is what is in doubt.
pub(crate) fn refusal(status: StatusCode, reason: &str) -> Response {
    let body = format!("<h1>This request cannot be completed</h1>\n<p>{}</p>", escape(reason));
    page(status, "Request refused", &body, &[])
}

/// `targets`: the origins that a form of the page may lead to besides this one; without any there is no form.
fn page(status: StatusCode, title: &str, body: &str, targets: &[&str]) -> Response {
    let html = format!(
        r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{STYLE}</style>
<main>
{body}
</main>
</html>
"#
    );
    // A browser holds the redirect that answers the form to form-action too, so the target's origin
    // has to be in it.
    let form_action = if targets.is_empty() { "'none'".to_owned() } else { format!("'self' {}", targets.join(" ")) };
    let form_action = form_action.trim_end();
    let policy = format!(
        "default-src 'none'; style-src '{}'; form-action {form_action}; frame-ancestors 'none'; base-uri 'none'",
        *STYLE_DIGEST
    );
    let mut response = (status, Html(html)).into_response();
    // A redirect URI with other than visible ASCII is not registered, so this does not fail; if it
    // did, the strictest policy would stand.
    let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response.headers_mut().insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}

/// Text as it may stand in an element or in a quoted attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;margin:0;background:#f4f4f6;color:#1c1c22}\
main{max-width:22rem;margin:12vh auto;padding:2rem;background:#fff;border-radius:.5rem;box-shadow:0 1px 4px #0003}\
h1{font-size:1.4rem;margin:0 0 .5rem}label{display:block;margin:1rem 0}\
input{display:block;box-sizing:border-box;width:100%;font:inherit;padding:.5rem;border:1px solid #888;border-radius:.25rem}\
button{font:inherit;padding:.5rem 1.25rem;border:0;border-radius:.25rem;background:#2450b8;color:#fff}\
[role=alert]{padding:.5rem;background:#fde8e8;border-left:.25rem solid #b3261e}";

/// The style's digest, by which the policy lets exactly it through (CSP Level 3 section 2.3.1).
static STYLE_DIGEST: LazyLock<String> = LazyLock::new(|| {
    let digest = ring::digest::digest(&ring::digest::SHA256, STYLE.as_bytes());
    format!("sha256-{}", base64_simd::STANDARD.encode_to_string(digest.as_ref()))
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_shown_not_obeyed() {
        assert_eq!(escape(r#"<b a="1" c='2'>&"#), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;");
    }
}
