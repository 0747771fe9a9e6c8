//! Which kind of credential an Authorization header carries, decided from its shape alone.

use crate::rejection::Rejection;

/// A credential, borrowed from the header. What fails as one kind is never tried as another.
///
/// | header value | kind |
/// |---|---|
/// | `Bearer <token>`, the token begins as a JWS does | [`Credential::Jws`] |
/// | `Bearer <token>`, any other token | [`Credential::OpaqueToken`] |
/// | `Basic <credentials>` | [`Credential::Basic`] |
/// | begins as a JWS does | [`Credential::Jws`] |
/// | anything else without a space | [`Credential::ApiKey`] |
///
/// A JWS's first part is the base64url of a JSON object, which begins with `{` and then `"` or white space:
/// that makes its first two characters `ey` or `ew`; and it holds a dot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Credential<'h> {
    Jws(&'h str),
    OpaqueToken(&'h str),
    ApiKey(&'h str),
    Basic(&'h str),
}

impl<'h> Credential<'h> {
    /// Reads the value of an Authorization header (RFC 9110 section 11.6.2) or a bare credential.
    pub(crate) fn parse(header: &'h [u8], max_bytes: usize) -> Result<Self, Rejection> {
        let text = text(header, max_bytes)?;
        // The one kind that is long, and no scheme begins so: there is no need to look for its end.
        if begins_as_jws(text) {
            return Ok(Credential::Jws(text));
        }
        let Some((scheme, rest)) = text.split_once(' ') else {
            return bare(text);
        };
        // RFC 9110 section 11.4: one or more spaces after the scheme, which compares without regard to case.
        let credentials = rest.trim_start_matches(' ');
        if scheme.eq_ignore_ascii_case("bearer") {
            bearer(credentials)
        } else if scheme.eq_ignore_ascii_case("basic") {
            token68(credentials).map(Credential::Basic)
        } else if scheme.bytes().all(is_token_character) && !scheme.is_empty() {
            Err(Rejection::UnsupportedScheme)
        } else {
            Err(Rejection::MalformedCredential)
        }
    }

    /// Reads the value of a header that only ever carries an API key, `X-API-Key`.
    pub(crate) fn parse_api_key(value: &'h [u8], max_bytes: usize) -> Result<Self, Rejection> {
        let text = text(value, max_bytes)?;
        if text.bytes().all(is_bare_character) {
            Ok(Credential::ApiKey(text))
        } else {
            Err(Rejection::MalformedCredential)
        }
    }
}

fn text(header: &[u8], max_bytes: usize) -> Result<&str, Rejection> {
    if header.is_empty() {
        return Err(Rejection::MissingCredential);
    }
    if header.len() > max_bytes {
        return Err(Rejection::HeaderTooLong { length: header.len(), max: max_bytes });
    }
    std::str::from_utf8(header).map_err(|_| Rejection::MalformedCredential)
}

fn bare(text: &str) -> Result<Credential<'_>, Rejection> {
    let is_scheme = ["bearer", "basic", "dpop"].iter().any(|scheme| text.eq_ignore_ascii_case(scheme));
    if !is_scheme && text.bytes().all(is_bare_character) {
        Ok(Credential::ApiKey(text))
    } else {
        Err(Rejection::MalformedCredential)
    }
}

fn bearer(token: &str) -> Result<Credential<'_>, Rejection> {
    // The parts of a JWS are decoded one by one, which checks every character.
    if begins_as_jws(token) { Ok(Credential::Jws(token)) } else { token68(token).map(Credential::OpaqueToken) }
}

fn begins_as_jws(token: &str) -> bool {
    (token.starts_with("ey") || token.starts_with("ew")) && token.contains('.')
}

/// token68 (RFC 9110 section 11.2), which RFC 6750 section 2.1 calls b64token.
fn token68(text: &str) -> Result<&str, Rejection> {
    let characters = text.trim_end_matches('=');
    let is_token68 = !characters.is_empty()
        && characters.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte));
    if is_token68 { Ok(text) } else { Err(Rejection::MalformedCredential) }
}

/// What a bare API key may hold: the characters of token and of token68 (RFC 9110 sections 5.6.2 and 11.2),
/// and the colon, which some services' keys have. No quotes, commas, braces, spaces or controls.
fn is_bare_character(byte: u8) -> bool {
    is_token_character(byte) || b"/=:".contains(&byte)
}

fn is_token_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
