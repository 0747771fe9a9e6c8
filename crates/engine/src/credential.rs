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
    Jws(&'h [u8]),
    OpaqueToken(&'h str),
    ApiKey(&'h str),
    Basic(&'h str),
}

impl<'h> Credential<'h> {
    /// Reads the value of an Authorization header (RFC 9110 section 11.6.2) or a bare credential.
    pub(crate) fn parse(header: &'h [u8], max_bytes: usize) -> Result<Self, Rejection> {
        check_length(header, max_bytes)?;
        // The one kind that is long, and no scheme begins so: there is no need to look for its end.
        if begins_as_jws(header) {
            return Ok(Credential::Jws(header));
        }
        let Some(end) = header.iter().position(|byte| *byte == b' ') else {
            return bare(header);
        };
        let scheme = &header[..end];
        // RFC 9110 section 11.4: one or more spaces after the scheme, which compares without regard to case.
        let spaces = header[end..].iter().take_while(|byte| **byte == b' ').count();
        let credentials = &header[end + spaces..];
        if scheme.eq_ignore_ascii_case(b"bearer") {
            bearer(credentials)
        } else if scheme.eq_ignore_ascii_case(b"basic") {
            token68(credentials).map(Credential::Basic)
        } else if !scheme.is_empty() && scheme.iter().all(|byte| is_token_character(*byte)) {
            Err(Rejection::UnsupportedScheme)
        } else {
            Err(Rejection::MalformedCredential)
        }
    }

    /// Reads the value of a header that only ever carries an API key, `X-API-Key`.
    pub(crate) fn parse_api_key(value: &'h [u8], max_bytes: usize) -> Result<Self, Rejection> {
        check_length(value, max_bytes)?;
        api_key(value)
    }
}

fn check_length(header: &[u8], max_bytes: usize) -> Result<(), Rejection> {
    match header.len() {
        0 => Err(Rejection::MissingCredential),
        length if length > max_bytes => Err(Rejection::HeaderTooLong { length, max: max_bytes }),
        _ => Ok(()),
    }
}

fn bare(text: &[u8]) -> Result<Credential<'_>, Rejection> {
    let is_scheme = ["bearer", "basic", "dpop"].iter().any(|scheme| text.eq_ignore_ascii_case(scheme.as_bytes()));
    if is_scheme { Err(Rejection::MalformedCredential) } else { api_key(text) }
}

fn api_key(text: &[u8]) -> Result<Credential<'_>, Rejection> {
    let is_key = text.iter().all(|byte| is_bare_character(*byte));
    let text = if is_key { std::str::from_utf8(text).ok() } else { None };
    text.map(Credential::ApiKey).ok_or(Rejection::MalformedCredential)
}

fn bearer(token: &[u8]) -> Result<Credential<'_>, Rejection> {
    // The parts of a JWS are decoded one by one, which checks every character.
    if begins_as_jws(token) { Ok(Credential::Jws(token)) } else { token68(token).map(Credential::OpaqueToken) }
}

fn begins_as_jws(token: &[u8]) -> bool {
    (token.starts_with(b"ey") || token.starts_with(b"ew")) && holds_dot(token)
}

/// In blocks, which the compiler turns into vector instructions. The first dot of a JWS is in one of the first.
fn holds_dot(token: &[u8]) -> bool {
    let (blocks, rest) = token.as_chunks::<32>();
    let holds = |block: &[u8]| block.iter().fold(false, |found, byte| found | (*byte == b'.'));
    blocks.iter().any(|block| holds(block)) || holds(rest)
}

/// token68 (RFC 9110 section 11.2), which RFC 6750 section 2.1 calls b64token.
fn token68(text: &[u8]) -> Result<&str, Rejection> {
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let characters = &text[..end];
    let is_token68 = !characters.is_empty() && characters.iter().all(|byte| CHARACTERS[*byte as usize] & TOKEN68 != 0);
    let text = if is_token68 { std::str::from_utf8(text).ok() } else { None };
    text.ok_or(Rejection::MalformedCredential)
}

/// What a bare API key may hold: the characters of token and of token68 (RFC 9110 sections 5.6.2 and 11.2),
/// and the colon, which some services' keys have. No quotes, commas, braces, spaces or controls.
fn is_bare_character(byte: u8) -> bool {
    CHARACTERS[byte as usize] != 0
}

fn is_token_character(byte: u8) -> bool {
    CHARACTERS[byte as usize] & TOKEN != 0
}

/// A character of token (RFC 9110 section 5.6.2).
const TOKEN: u8 = 1;
/// A character of token68 (RFC 9110 section 11.2), `=` apart.
const TOKEN68: u8 = 2;
/// Another character of bare API keys.
const BARE: u8 = 4;

/// What each byte is a character of.
static CHARACTERS: [u8; 256] = {
    let mut characters = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        if (byte as u8).is_ascii_alphanumeric() {
            characters[byte] = TOKEN | TOKEN68;
        }
        byte += 1;
    }
    let classes: [(&[u8], u8); 3] = [(b"!#$%&'*+-.^_`|~", TOKEN), (b"-._~+/", TOKEN68), (b"/=:", BARE)];
    let mut class = 0;
    while class < classes.len() {
        let (members, flag) = classes[class];
        let mut index = 0;
        while index < members.len() {
            characters[members[index] as usize] |= flag;
            index += 1;
        }
        class += 1;
    }
    characters
};
