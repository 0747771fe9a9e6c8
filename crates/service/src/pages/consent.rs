use super::problem::FormProblem;
use crate::routes::scopes;
use askama::Template;
use tollgate_storage::Client;

/// Whether a client may have what it asks for.
#[derive(Template)]
#[template(path = "consent.html")]
pub(crate) struct ConsentPage<'a> {
    pub(crate) client: &'a str,
    pub(crate) email: &'a str,
    pub(crate) scopes: Vec<String>,
    /// Where the answer goes.
    pub(crate) target: &'a str,
    /// Whether it goes to a program of the person's own device, which anybody can pretend to be (RFC 8252 section 8.6).
    pub(crate) is_of_this_device: bool,
    pub(crate) hidden: Vec<(&'a str, &'a str)>,
    pub(crate) form_token: &'a str,
    pub(crate) problem: Option<FormProblem>,
}

/// The client's name for people, or its id where it has none.
pub(crate) fn client_name(client: &Client) -> &str {
    if client.name().is_empty() { client.id() } else { client.name() }
}

/// What that scope lets somebody do, for people.
pub(crate) fn scope_text(scope: &str) -> String {
    match scope {
        scopes::OPENID => "Know who you are here: the number of your account".to_owned(),
        scopes::PROFILE => "See what your account may do".to_owned(),
        scopes::EMAIL => "See your e-mail address".to_owned(),
        scopes::OFFLINE_ACCESS => "Do this also while you are not logged in, until you disconnect it".to_owned(),
        scopes::READ_SITES => "See the list of your sites".to_owned(),
        scopes::READ_REPORTS => "Read reports".to_owned(),
        scopes::MANAGE_API_KEYS => "Make, rotate and revoke your API keys".to_owned(),
        other => format!("Use what needs “{other}”"),
    }
}
