use super::id_token::ACR;
use crate::form::Form;
use crate::limits::{CODE_CHALLENGE_CHARS, MAX_PARAMETER_BYTES};
use crate::routes::scopes;
use crate::scope;
use std::sync::Arc;
use tollgate_storage::accounts::{LoginSession, User};
use tollgate_storage::{Client, GrantType};

/// An authorization request that passed every check (RFC 6749 section 4.1.1, RFC 7636 section 4.3, OpenID Connect Core 1.0 section 3.1.2.1).
#[derive(Clone, Debug)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client: Arc<Client>,
    pub(crate) redirect: Redirect,
    pub(crate) code_challenge: String,
    pub(crate) scope: String,
    pub(crate) nonce: Option<String>,
    pub(crate) prompt: Prompt,
    /// How many seconds the login may lie back.
    pub(crate) max_age: Option<i64>,
    /// The address that the login form begins with.
    pub(crate) login_hint: Option<String>,
    pub(crate) id_token_hint: Option<String>,
    /// The user of that hint, once it is verified: nobody else gets in.
    pub(crate) user_id: Option<String>,
    /// The key that the code is for (RFC 9449 section 10).
    pub(crate) dpop_jkt: Option<String>,
    /// By which the pages go on with a request that the client has pushed (RFC 9126).
    pub(crate) pushed: Option<String>,
}

/// How the user is to be asked (`prompt`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Prompt {
    /// Not at all: what would need a page is an error.
    pub(crate) none: bool,
    /// For the password, also who is logged in. `select_account` too: a browser is logged in as one user at a time.
    pub(crate) login: bool,
    /// For consent, also who has given it.
    pub(crate) consent: bool,
}

/// How the answer is sent (OAuth 2.0 Multiple Response Type Encoding Practices section 2.1, OAuth 2.0 Form Post Response Mode section 2).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum ResponseMode {
    #[default]
    Query,
    FormPost,
}

/// Where the answer goes.
#[derive(Clone, Debug)]
pub(crate) struct Redirect {
    pub(crate) uri: String,
    /// Whether the request named it, so that the token request has to as well (RFC 6749 section 4.1.3).
    pub(crate) is_named: bool,
    pub(crate) state: Option<String>,
    pub(crate) mode: ResponseMode,
}

/// An error that may be sent to the redirect URI (RFC 6749 section 4.1.2.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AuthorizationError {
    InvalidRequest(&'static str),
    UnauthorizedClient,
    UnsupportedResponseType,
    InvalidScope,
    /// RFC 8707 section 2.
    InvalidTarget,
    /// The user may do nothing of it.
    AccessDenied,
    /// The user does not let the client have it.
    ConsentDenied,
    /// OpenID Connect Core 1.0 section 3.1.2.6, as the next four.
    LoginRequired,
    ConsentRequired,
    RequestNotSupported,
    RequestUriNotSupported,
    RegistrationNotSupported,
    /// RFC 9470 section 5, OpenID Connect Unmet Authentication Requirements 1.0.
    UnmetAuthenticationRequirements,
}

impl AuthorizationError {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AccessDenied | Self::ConsentDenied => "access_denied",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
        }
    }

    /// For the client's developer. A fixed text: nothing of the request comes back in it.
    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::InvalidRequest(description) => description,
            Self::UnauthorizedClient => "the client may not ask users for anything",
            Self::UnsupportedResponseType => "response_type is code",
            Self::InvalidScope => "scope asks for more than the client may ask for",
            Self::InvalidTarget => "resource is none of this service's",
            Self::AccessDenied => "the user may do nothing of what scope asks for",
            Self::ConsentDenied => "the user does not let the client have it",
            Self::LoginRequired => "the user has to log in",
            Self::ConsentRequired => "the user has to be asked for consent",
            Self::RequestNotSupported => "there is no request parameter here: send each parameter by itself",
            Self::RequestUriNotSupported => "request_uri is that of a request that was pushed here, and no other",
            Self::RegistrationNotSupported => "there is no registration parameter here",
            Self::UnmetAuthenticationRequirements => "users log in in none of the ways of acr_values",
        }
    }
}

/// The redirect URI of the request, when it is one of the client's; without one in the request the client's only one (RFC 6749 section 3.1.2.3).
/// Until that is known an error is shown to the person and sent nowhere (section 4.1.2.1).
pub(crate) fn redirect(form: &Form<'_>, client: &Client) -> Result<Redirect, &'static str> {
    let state = form.value("state").map(str::to_owned);
    // An unknown mode is refused later, by way of the query.
    let mode =
        if form.value("response_mode") == Some(FORM_POST) { ResponseMode::FormPost } else { ResponseMode::Query };
    match (form.value("redirect_uri"), client.redirect_uris()) {
        (Some(uri), _) if client.is_redirected_to(uri) => {
            Ok(Redirect { uri: uri.to_owned(), is_named: true, state, mode })
        }
        (Some(_), _) => Err("Its redirect_uri is not one that the client registered."),
        (None, [only]) => Ok(Redirect { uri: only.to_string(), is_named: false, state, mode }),
        (None, _) => Err("It names no redirect_uri, and the client has not registered exactly one."),
    }
}

/// Checks the rest of the request.
pub(crate) fn check(
    form: &Form<'_>,
    client: Arc<Client>,
    redirect: Redirect,
    origin: &str,
) -> Result<AuthorizationRequest, AuthorizationError> {
    let too_long = |name| form.value(name).is_some_and(|value| value.len() > MAX_PARAMETER_BYTES);
    if BOUNDED_PARAMETERS.into_iter().any(too_long) {
        return Err(AuthorizationError::InvalidRequest("a parameter is too long"));
    }
    for (name, error) in [
        ("request", AuthorizationError::RequestNotSupported),
        ("request_uri", AuthorizationError::RequestUriNotSupported),
        ("registration", AuthorizationError::RegistrationNotSupported),
    ] {
        if form.value(name).is_some() {
            return Err(error);
        }
    }
    if !client.settings().grants.contains(&GrantType::AuthorizationCode) {
        return Err(AuthorizationError::UnauthorizedClient);
    }
    match form.value("response_type") {
        Some("code") => {}
        Some(_) => return Err(AuthorizationError::UnsupportedResponseType),
        None => return Err(AuthorizationError::InvalidRequest("response_type is missing")),
    }
    match (form.value("response_mode"), redirect.mode) {
        (None | Some("query"), _) => {}
        // A program that is started by a scheme of its own takes no form.
        (Some(_), ResponseMode::FormPost) if redirect.uri.starts_with("http") => {}
        (Some(_), _) => return Err(AuthorizationError::InvalidRequest("response_mode is query or form_post")),
    }
    // `plain` would send the verifier itself through the browser (RFC 9700 section 2.1.1).
    if form.value("code_challenge_method") != Some("S256") {
        return Err(AuthorizationError::InvalidRequest("code_challenge_method is not S256"));
    }
    let code_challenge = form
        .value("code_challenge")
        .filter(|challenge| challenge.len() == CODE_CHALLENGE_CHARS && challenge.bytes().all(is_base64url))
        .ok_or(AuthorizationError::InvalidRequest(
            "code_challenge is missing, or not the base64url of a SHA-256 digest",
        ))?
        .to_owned();
    if !form.resources().all(|resource| is_own_resource(resource, origin)) {
        return Err(AuthorizationError::InvalidTarget);
    }
    let dpop_jkt = form.value("dpop_jkt").map(str::to_owned);
    if dpop_jkt.as_ref().is_some_and(|jkt| jkt.len() != CODE_CHALLENGE_CHARS || !jkt.bytes().all(is_base64url)) {
        return Err(AuthorizationError::InvalidRequest("dpop_jkt is not the base64url of a SHA-256 digest"));
    }
    let scope = requested(form.value("scope"), &client).ok_or(AuthorizationError::InvalidScope)?;
    let prompt = Prompt::parse(form.value("prompt").unwrap_or_default())?;
    let max_age = match form.value("max_age").map(str::parse::<u32>) {
        None => None,
        Some(Ok(seconds)) => Some(i64::from(seconds)),
        Some(Err(_)) => return Err(AuthorizationError::InvalidRequest("max_age is not a number of seconds")),
    };
    // There is one way to log in. A resource server that asks for another would ask again and again (RFC 9470 section 5).
    if form.value("acr_values").is_some_and(|values| values.split(' ').all(|value| value != ACR)) {
        return Err(AuthorizationError::UnmetAuthenticationRequirements);
    }
    let value = |name| form.value(name).map(str::to_owned);
    Ok(AuthorizationRequest {
        client,
        redirect,
        code_challenge,
        scope,
        nonce: value("nonce"),
        prompt,
        max_age,
        login_hint: value("login_hint"),
        id_token_hint: value("id_token_hint"),
        user_id: None,
        dpop_jkt,
        pushed: None,
    })
}

/// What the client asks for, if it may; without a `scope` all that it is registered for. `offline_access` is ignored for a client that gets
/// no refresh tokens (OpenID Connect Core 1.0 section 11).
pub(super) fn requested(scope: Option<&str>, client: &Client) -> Option<String> {
    let Some(asked) = scope else { return Some(client.settings().user_scopes.clone()) };
    let allowed = may_request(client);
    let is_ignored = |scope: &str| scope == scopes::OFFLINE_ACCESS && !scope::contains(&allowed, scope);
    let asked: Vec<&str> = asked.split(' ').filter(|scope| !is_ignored(scope)).collect();
    scope::narrow(Some(&asked.join(" ")), &allowed)
}

/// What the client may ask users for: `openid` of any user, `offline_access` with refresh tokens, the rest as it is registered.
pub(super) fn may_request(client: &Client) -> String {
    let settings = client.settings();
    let has_refresh_tokens = settings.grants.contains(&GrantType::RefreshToken);
    let offline_access = if has_refresh_tokens { scopes::OFFLINE_ACCESS } else { "" };
    format!("{} {} {offline_access}", scopes::OPENID, settings.user_scopes)
}

impl Prompt {
    /// `prompt` (OpenID Connect Core 1.0 section 3.1.2.1).
    fn parse(values: &str) -> Result<Self, AuthorizationError> {
        let mut prompt = Self::default();
        for value in values.split(' ').filter(|value| !value.is_empty()) {
            match value {
                "none" => prompt.none = true,
                "login" | "select_account" => prompt.login = true,
                "consent" => prompt.consent = true,
                _ => return Err(AuthorizationError::InvalidRequest("prompt has an unknown value")),
            }
        }
        if prompt.none && (prompt.login || prompt.consent) {
            return Err(AuthorizationError::InvalidRequest("prompt has none and another value"));
        }
        Ok(prompt)
    }
}

impl AuthorizationRequest {
    /// Whether that login is recent enough for the client, and of the user whom it means. `now`: seconds since the Unix epoch.
    pub(crate) fn accepts(&self, session: &LoginSession, user: &User, now: i64) -> bool {
        let age = now.saturating_sub(session.authenticated_at);
        let is_recent = !self.prompt.login && self.max_age.is_none_or(|max_age| age <= max_age);
        is_recent && self.user_id.as_ref().is_none_or(|user_id| *user_id == user.id)
    }

    /// As [`parameters`](Self::parameters) make it again: the user has been asked for the login that it wants.
    pub(crate) fn logged_in_anew(&mut self) {
        (self.prompt.login, self.max_age) = (false, None);
    }

    /// Its parameters, by which it can be made again once the user has logged in: without those that ask for a login.
    pub(crate) fn parameters(&self) -> Vec<(&str, &str)> {
        if let Some(request_uri) = &self.pushed {
            return vec![("client_id", self.client.id()), ("request_uri", request_uri)];
        }
        let Redirect { uri, is_named, state, mode } = &self.redirect;
        let mut parameters = vec![
            ("response_type", "code"),
            ("client_id", self.client.id()),
            // What was not named need not be named again.
            ("redirect_uri", if *is_named { uri } else { "" }),
            ("scope", &self.scope),
            ("state", state.as_deref().unwrap_or_default()),
            ("code_challenge", &self.code_challenge),
            ("code_challenge_method", "S256"),
        ];
        parameters.extend(self.dpop_jkt.as_ref().map(|jkt| ("dpop_jkt", jkt.as_str())));
        parameters.extend(self.nonce.as_ref().map(|nonce| ("nonce", nonce.as_str())));
        parameters.extend(self.id_token_hint.as_ref().map(|hint| ("id_token_hint", hint.as_str())));
        parameters.extend(self.prompt.consent.then_some(("prompt", "consent")));
        parameters.extend((*mode == ResponseMode::FormPost).then_some(("response_mode", FORM_POST)));
        parameters
    }
}

/// Whether the `resource` (RFC 8707 section 2) is what tokens of this service are for: its origin, also spelt with the path `/`, which
/// means the same (RFC 3986 section 6.2.3).
pub(crate) fn is_own_resource(resource: &str, origin: &str) -> bool {
    resource.strip_suffix('/').unwrap_or(resource) == origin
}

impl Redirect {
    /// Whether the answer stays on the person's device: at a loopback address, or by a scheme that a program there has registered.
    pub(crate) fn is_of_this_device(&self) -> bool {
        !self.uri.starts_with("https:")
    }

    /// The members of an answer with the state, and the issuer (RFC 9207).
    pub(crate) fn answer<'a>(&'a self, members: &[(&'a str, &'a str)], issuer: &'a str) -> Vec<(&'a str, &'a str)> {
        let mut answer = members.to_vec();
        answer.extend(self.state.as_ref().map(|state| ("state", state.as_str())));
        answer.push(("iss", issuer));
        answer
    }

    /// The redirect URI with those in its query.
    pub(crate) fn with_answer(&self, members: &[(&str, &str)], issuer: &str) -> String {
        let mut answer = form_urlencoded::Serializer::new(String::new());
        answer.extend_pairs(self.answer(members, issuer));
        let separator = if self.uri.contains('?') { '&' } else { '?' };
        format!("{}{separator}{}", self.uri, answer.finish())
    }

    /// Scheme, host and port, or the scheme alone where it is a program's own: what the page's policy lets the form lead to.
    pub(crate) fn origin(&self) -> String {
        origin_of(&self.uri)
    }
}

/// As [`Redirect::origin`], of any redirect URI.
pub(crate) fn origin_of(redirect_uri: &str) -> String {
    if !redirect_uri.starts_with("http") {
        return redirect_uri.split_once(':').map_or_else(String::new, |(scheme, _)| format!("{scheme}:"));
    }
    let uri: Option<http::Uri> = redirect_uri.parse().ok();
    let parts = uri.as_ref().and_then(|uri| Some((uri.scheme_str()?, uri.authority()?)));
    parts.map_or_else(String::new, |(scheme, authority)| format!("{scheme}://{authority}"))
}

/// Parameters whose length is bounded beside the body's. `id_token_hint` has the bounds of a token.
const BOUNDED_PARAMETERS: [&str; 6] = ["state", "scope", "nonce", "prompt", "login_hint", "acr_values"];

const FORM_POST: &str = "form_post";

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_joins_the_query_that_is_there() {
        let (state, mode) = (Some("a&b".into()), ResponseMode::Query);
        let redirect = Redirect { uri: "https://a.example/cb?x=1".into(), is_named: true, state, mode };
        let answer = redirect.with_answer(&[("code", "c")], "http://127.0.0.1:8080");
        assert_eq!(answer, "https://a.example/cb?x=1&code=c&state=a%26b&iss=http%3A%2F%2F127.0.0.1%3A8080");
        assert_eq!(redirect.origin(), "https://a.example");
    }

    #[test]
    fn a_resource_is_this_origin_and_nothing_else() {
        for (resource, expected) in [
            ("https://auth.example", true),
            ("https://auth.example/", true),
            ("https://auth.example/api", false),
            ("https://auth.example//", false),
            ("https://AUTH.example", false),
            ("https://other.example", false),
        ] {
            assert_eq!(is_own_resource(resource, "https://auth.example"), expected, "{resource}");
        }
    }
}
