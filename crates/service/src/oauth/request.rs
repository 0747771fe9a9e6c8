use crate::form::Form;
use crate::limits::{CODE_CHALLENGE_CHARS, MAX_PARAMETER_BYTES};
use crate::scope;
use tollgate_storage::{Client, GrantType};

/// An authorization request that passed every check (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
#[derive(Clone, Debug)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client: Client,
    pub(crate) redirect: Redirect,
    pub(crate) code_challenge: String,
    pub(crate) scope: String,
}

/// Where the answer goes.
#[derive(Clone, Debug)]
pub(crate) struct Redirect {
    pub(crate) uri: String,
    /// Whether the request named it, so that the token request has to as well (RFC 6749 section 4.1.3).
    pub(crate) is_named: bool,
    pub(crate) state: Option<String>,
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
        }
    }
}

/// The redirect URI of the request, when it is one of the client's; without one in the request the client's only one (RFC 6749 section 3.1.2.3).
/// Until that is known an error is shown to the person and sent nowhere (section 4.1.2.1).
pub(crate) fn redirect(form: &Form<'_>, client: &Client) -> Result<Redirect, &'static str> {
    let state = form.value("state").map(str::to_owned);
    match (form.value("redirect_uri"), client.redirect_uris()) {
        (Some(uri), _) if client.is_redirected_to(uri) => Ok(Redirect { uri: uri.to_owned(), is_named: true, state }),
        (Some(_), _) => Err("Its redirect_uri is not one that the client registered."),
        (None, [only]) => Ok(Redirect { uri: only.to_string(), is_named: false, state }),
        (None, _) => Err("It names no redirect_uri, and the client has not registered exactly one."),
    }
}

/// Checks the rest of the request.
pub(crate) fn check(
    form: &Form<'_>,
    client: Client,
    redirect: Redirect,
    origin: &str,
) -> Result<AuthorizationRequest, AuthorizationError> {
    let too_long = |name| form.value(name).is_some_and(|value| value.len() > MAX_PARAMETER_BYTES);
    if ["state", "scope"].into_iter().any(too_long) {
        return Err(AuthorizationError::InvalidRequest("state or scope is too long"));
    }
    if !client.settings().grants.contains(&GrantType::AuthorizationCode) {
        return Err(AuthorizationError::UnauthorizedClient);
    }
    match form.value("response_type") {
        Some("code") => {}
        Some(_) => return Err(AuthorizationError::UnsupportedResponseType),
        None => return Err(AuthorizationError::InvalidRequest("response_type is missing")),
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
    let scope =
        scope::narrow(form.value("scope"), &client.settings().user_scopes).ok_or(AuthorizationError::InvalidScope)?;
    Ok(AuthorizationRequest { client, redirect, code_challenge, scope })
}

impl AuthorizationRequest {
    /// Its parameters, by which it can be made again.
    pub(crate) fn parameters(&self) -> [(&str, &str); 7] {
        let Redirect { uri, is_named, state } = &self.redirect;
        [
            ("response_type", "code"),
            ("client_id", self.client.id()),
            // What was not named need not be named again.
            ("redirect_uri", if *is_named { uri } else { "" }),
            ("scope", &self.scope),
            ("state", state.as_deref().unwrap_or_default()),
            ("code_challenge", &self.code_challenge),
            ("code_challenge_method", "S256"),
        ]
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

    /// The redirect URI with the members of an answer in its query, and the issuer beside them (RFC 9207).
    pub(crate) fn with_answer(&self, members: &[(&str, &str)], issuer: &str) -> String {
        let mut answer = form_urlencoded::Serializer::new(String::new());
        answer.extend_pairs(members);
        if let Some(state) = &self.state {
            answer.append_pair("state", state);
        }
        answer.append_pair("iss", issuer);
        let separator = if self.uri.contains('?') { '&' } else { '?' };
        format!("{}{separator}{}", self.uri, answer.finish())
    }

    /// Scheme, host and port, or the scheme alone where it is a program's own: what the page's policy lets the form lead to.
    pub(crate) fn origin(&self) -> String {
        if !self.uri.starts_with("http") {
            return self.uri.split_once(':').map_or_else(String::new, |(scheme, _)| format!("{scheme}:"));
        }
        let uri: Option<http::Uri> = self.uri.parse().ok();
        let parts = uri.as_ref().and_then(|uri| Some((uri.scheme_str()?, uri.authority()?)));
        parts.map_or_else(String::new, |(scheme, authority)| format!("{scheme}://{authority}"))
    }
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_joins_the_query_that_is_there() {
        let redirect = Redirect { uri: "https://a.example/cb?x=1".into(), is_named: true, state: Some("a&b".into()) };
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
