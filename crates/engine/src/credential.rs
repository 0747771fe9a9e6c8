//! Which kind of credential a request has, decided from its shape alone.

use crate::accepted::Kinds;
use crate::rejection::Rejection;
use crate::request::Presented;

/// A credential, borrowed from the request. What fails as one kind is never tried as another.
///
/// | header value | kind |
/// |---|---|
/// | `Bearer <token>`, the token begins as a JWS does | [`CredentialKind::Jws`] |
/// | `Bearer <token>`, any other token | [`CredentialKind::OpaqueToken`] |
/// | `Basic <credentials>` | [`CredentialKind::Basic`] |
/// | begins as a JWS does | [`CredentialKind::Jws`], bare |
/// | anything else without a space | [`CredentialKind::ApiKey`], bare |
/// | the value of the API keys' own header | [`CredentialKind::ApiKey`] |
///
/// A JWS's first part is the base64url of a JSON object, which begins with `{` and then `"` or white space:
/// that makes its first two characters `ey` or `ew`; and it holds a dot.
#[derive(Clone, Copy)]
pub(crate) struct Credential<'h> {
    pub(crate) kind: CredentialKind,
    /// Whether it is the whole value of an Authorization header, without a scheme.
    pub(crate) is_bare: bool,
    /// Without the scheme.
    pub(crate) text: &'h [u8],
}

#[derive(Clone, Copy)]
pub(crate) enum CredentialKind {
    Jws,
    OpaqueToken,
    ApiKey,
    Basic,
}

impl<'h> Credential<'h> {
    /// The one credential of a request.
    #[inline(always)]
    pub(crate) fn of(presented: Presented<'h>, max_bytes: usize) -> Result<Self, Rejection> {
        match presented {
            Presented::Authorization(header) => Self::parse(header, max_bytes),
            Presented::ApiKey(value) => Self::parse_api_key(value, max_bytes),
            Presented::Nothing => Err(Rejection::MissingCredential),
            Presented::Several => Err(Rejection::MultipleCredentials),
        }
    }

    /// Reads the value of an Authorization header (RFC 9110 section 11.6.2) or a bare credential.
    fn parse(header: &'h [u8], max_bytes: usize) -> Result<Self, Rejection> {
        check_length(header, max_bytes)?;
        // The one kind that is long, and no scheme begins so: there is no need to look for its end.
        if begins_as_jws(header) {
            return Ok(Credential { kind: CredentialKind::Jws, is_bare: true, text: header });
        }
        // As nearly all clients write it.
        if let Some(credentials) = header.strip_prefix(b"Bearer ") {
            return bearer(without_spaces(credentials));
        }
        let Some(end) = first_space(header) else {
            return bare(header);
        };
        // RFC 9110 section 11.4: one or more spaces after the scheme, which compares without regard to case.
        let (scheme, credentials) = (&header[..end], without_spaces(&header[end..]));
        if scheme.eq_ignore_ascii_case(b"bearer") {
            bearer(credentials)
        } else if scheme.eq_ignore_ascii_case(b"basic") {
            token68(credentials).map(|text| Credential { kind: CredentialKind::Basic, is_bare: false, text })
        } else if !scheme.is_empty() && all(scheme, is_token_character) {
            Err(Rejection::UnsupportedScheme)
        } else {
            Err(Rejection::MalformedCredential)
        }
    }

    /// Reads the value of a header that only ever carries an API key, `X-API-Key`.
    fn parse_api_key(value: &'h [u8], max_bytes: usize) -> Result<Self, Rejection> {
        check_length(value, max_bytes)?;
        api_key(value, false)
    }
}

impl CredentialKind {
    /// The kinds of [principals](crate::Principal) that may come of it.
    #[inline]
    pub(crate) fn principals(self) -> Kinds {
        match self {
            CredentialKind::Jws => Kinds::JWT,
            CredentialKind::OpaqueToken => Kinds::OPAQUE,
            CredentialKind::ApiKey => Kinds::API_KEY,
            CredentialKind::Basic => Kinds::CLIENT,
        }
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
    if is_scheme { Err(Rejection::MalformedCredential) } else { api_key(text, true) }
}

fn api_key(text: &[u8], is_bare: bool) -> Result<Credential<'_>, Rejection> {
    if all(text, is_bare_character) {
        Ok(Credential { kind: CredentialKind::ApiKey, is_bare, text })
    } else {
        Err(Rejection::MalformedCredential)
    }
}

fn bearer(token: &[u8]) -> Result<Credential<'_>, Rejection> {
    // The parts of a JWS are decoded one by one, which checks every character.
    if begins_as_jws(token) {
        Ok(Credential { kind: CredentialKind::Jws, is_bare: false, text: token })
    } else {
        token68(token).map(|text| Credential { kind: CredentialKind::OpaqueToken, is_bare: false, text })
    }
}

fn begins_as_jws(token: &[u8]) -> bool {
    (token.starts_with(b"ey") || token.starts_with(b"ew")) && holds_dot(token)
}

/// In blocks, which the compiler turns into vector instructions. The first dot of a JWS is in one of the first.
fn holds_dot(token: &[u8]) -> bool {
    let (blocks, rest) = token.as_chunks::<32>();
    blocks.iter().any(|block| holds(block, b'.')) || holds(rest, b'.')
}

/// Where the first space is. There is none in an API key with no scheme, and in other headers it is near.
fn first_space(header: &[u8]) -> Option<usize> {
    let blocks = header.as_chunks::<16>().0;
    let before = blocks.iter().take_while(|block| !holds(*block, b' ')).count() * 16;
    header[before..].iter().position(|byte| *byte == b' ').map(|space| before + space)
}

/// All after the spaces at the beginning.
fn without_spaces(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|byte| **byte == b' ').count()..]
}

fn holds(block: &[u8], byte: u8) -> bool {
    block.iter().fold(false, |found, one| found | (*one == byte))
}

/// token68 (RFC 9110 section 11.2), which RFC 6750 section 2.1 calls b64token.
fn token68(text: &[u8]) -> Result<&[u8], Rejection> {
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    if end > 0 && all(&text[..end], is_token68_character) { Ok(text) } else { Err(Rejection::MalformedCredential) }
}

/// Whether each byte `is`. Without an early end in a block, so that the compiler makes vector instructions of it.
#[inline]
fn all(text: &[u8], is: impl Fn(u8) -> bool) -> bool {
    const BLOCK: usize = 16;
    let each = |block: &[u8; BLOCK]| block.iter().fold(true, |all, byte| all & is(*byte));
    match text.last_chunk() {
        // The last block may overlap the one before.
        Some(last) => text.as_chunks().0.iter().all(each) && each(last),
        None => text.iter().all(|byte| is(*byte)),
    }
}

/// What a bare API key may hold: the characters of token and of token68 (RFC 9110 sections 5.6.2 and 11.2),
/// and the colon, which some services' keys have. No quotes, commas, braces, spaces or controls.
fn is_bare_character(byte: u8) -> bool {
    is_token_character(byte) | (byte == b'/') | (byte == b'=') | (byte == b':')
}

/// tchar (RFC 9110 section 5.6.2).
fn is_token_character(byte: u8) -> bool {
    b"!#$%&'*+-.^_`|~".iter().fold(byte.is_ascii_alphanumeric(), |is, one| is | (byte == *one))
}

/// A character of token68 (RFC 9110 section 11.2), `=` apart.
fn is_token68_character(byte: u8) -> bool {
    b"-._~+/".iter().fold(byte.is_ascii_alphanumeric(), |is, one| is | (byte == *one))
}
