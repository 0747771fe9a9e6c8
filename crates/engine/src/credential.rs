//! The kind of a request's credential, decided from its shape alone.

use crate::accepted::Kinds;
use crate::rejection::Rejection;
use crate::request::Presented;

/// A credential, borrowed from the request. A credential that fails as one kind is never tried as another.
///
/// | header value | kind |
/// |---|---|
/// | `Bearer <token>`, the token begins as a JWS does | [`CredentialKind::Jws`] |
/// | `Bearer <token>`, any other token | [`CredentialKind::OpaqueToken`] |
/// | `DPoP <token>` | as with `Bearer` |
/// | `Basic <credentials>` | [`CredentialKind::Basic`] |
/// | begins as a JWS does | [`CredentialKind::Jws`], bare |
/// | anything else without a space | [`CredentialKind::ApiKey`], bare |
/// | the value of the API keys' own header | [`CredentialKind::ApiKey`] |
/// | none: a token from elsewhere, such as a cookie | as with `Bearer` |
/// | none: a client's secret from a form | [`CredentialKind::Client`] |
/// | `Basic <credentials>`, where the user's name is a key | [`CredentialKind::BasicUser`] |
///
/// The first part of a JWS is the base64url of a JSON object, which begins with `{` and then `"` or white space, so its
/// first two characters are `ey` or `ew`. A JWS also has a dot.
#[derive(Clone, Copy)]
pub(crate) struct Credential<'h> {
    pub(crate) kind: CredentialKind,
    /// Whether it is the whole value of an Authorization header, without a scheme.
    pub(crate) is_bare: bool,
    /// Whether its scheme is `DPoP`.
    pub(crate) is_dpop: bool,
    /// The credential without its scheme.
    pub(crate) text: &'h [u8],
}

#[derive(Clone, Copy)]
pub(crate) enum CredentialKind {
    Jws,
    OpaqueToken,
    ApiKey,
    Basic,
    /// The client's id is in the [request](crate::Request).
    Client,
    /// An API key in the place of a user's name.
    BasicUser,
}

impl<'h> Credential<'h> {
    /// The one credential of a request.
    #[inline(always)]
    pub(crate) fn of(presented: Presented<'h>, max_bytes: usize) -> Result<Self, Rejection> {
        match presented {
            Presented::Authorization(header) => {
                check_length(header.len(), max_bytes)?;
                Self::parse(header).map_err(|rejection| unless_joined(rejection, header))
            }
            Presented::Token(value) => {
                check_length(value.len(), max_bytes)?;
                bearer(value).map_err(|rejection| unless_joined(rejection, value))
            }
            Presented::ApiKey(value) => {
                check_length(value.len(), max_bytes)?;
                api_key(value, false).map_err(|rejection| unless_joined(rejection, value))
            }
            Presented::BasicUser(value) => {
                check_length(value.len(), max_bytes)?;
                Ok(Credential { kind: CredentialKind::BasicUser, is_bare: false, is_dpop: false, text: value })
            }
            Presented::Client { id, secret } => {
                check_length(id.len() + secret.len(), max_bytes)?;
                Ok(Credential { kind: CredentialKind::Client, is_bare: false, is_dpop: false, text: secret })
            }
            Presented::Nothing => Err(Rejection::MissingCredential),
            Presented::Several => Err(Rejection::MultipleCredentials),
        }
    }

    /// Reads the value of an Authorization header (RFC 9110 section 11.6.2) or a bare credential.
    #[inline(always)]
    fn parse(header: &'h [u8]) -> Result<Self, Rejection> {
        // JWSs are the only long kind, and no scheme begins like one, so there is no need to look for a scheme's end.
        if begins_as_jws(header) {
            return Ok(Credential { kind: CredentialKind::Jws, is_bare: true, is_dpop: false, text: header });
        }
        // The spelling that nearly all clients use.
        if let Some((scheme, credentials)) = header.split_first_chunk()
            && scheme == b"Bearer "
        {
            return bearer(without_spaces(credentials));
        }
        let Some(end) = first_space(header) else {
            return bare(header);
        };
        // RFC 9110 section 11.4: one or more spaces after the scheme, which compares without regard to case.
        let (scheme, credentials) = (&header[..end], without_spaces(&header[end..]));
        if scheme.eq_ignore_ascii_case(b"bearer") {
            bearer(credentials)
        } else if scheme.eq_ignore_ascii_case(b"dpop") {
            // RFC 9449 section 7.1: the same tokens as with `Bearer`.
            bearer(credentials).map(|credential| Credential { is_dpop: true, ..credential })
        } else if scheme.eq_ignore_ascii_case(b"basic") {
            Ok(Credential { kind: CredentialKind::Basic, is_bare: false, is_dpop: false, text: credentials })
        } else if !scheme.is_empty() && all(scheme, is_token_character) {
            Err(Rejection::UnsupportedScheme)
        } else {
            Err(Rejection::MalformedCredential)
        }
    }

    /// The rejection of a credential whose kind, or way of being sent, is not accepted.
    #[cold]
    pub(crate) fn not_accepted(&self) -> Rejection {
        match self.kind {
            CredentialKind::Jws | CredentialKind::OpaqueToken if !self.is_bare => Rejection::CredentialNotAccepted,
            _ => Rejection::MethodNotAccepted,
        }
    }
}

impl CredentialKind {
    /// The kinds of [principals](crate::Principal) that this kind can yield.
    #[inline]
    pub(crate) fn principals(self) -> Kinds {
        match self {
            CredentialKind::Jws => Kinds::JWT,
            CredentialKind::OpaqueToken => Kinds::OPAQUE,
            CredentialKind::ApiKey | CredentialKind::BasicUser => Kinds::API_KEY,
            CredentialKind::Basic | CredentialKind::Client => Kinds::CLIENT,
        }
    }
}

fn check_length(length: usize, max_bytes: usize) -> Result<(), Rejection> {
    match length {
        0 => Err(Rejection::MissingCredential),
        length if length > max_bytes => Err(Rejection::HeaderTooLong { length, max: max_bytes }),
        _ => Ok(()),
    }
}

fn bare(text: &[u8]) -> Result<Credential<'_>, Rejection> {
    if text.eq_ignore_ascii_case(b"basic") {
        return Ok(Credential { kind: CredentialKind::Basic, is_bare: false, is_dpop: false, text: b"" });
    }
    let is_scheme = text.eq_ignore_ascii_case(b"bearer") || text.eq_ignore_ascii_case(b"dpop");
    if is_scheme { Err(Rejection::MalformedCredential) } else { api_key(text, true) }
}

fn api_key(text: &[u8], is_bare: bool) -> Result<Credential<'_>, Rejection> {
    if is_key(text) {
        Ok(Credential { kind: CredentialKind::ApiKey, is_bare, is_dpop: false, text })
    } else {
        Err(Rejection::MalformedCredential)
    }
}

/// Whether `text` is an API key or an opaque token when sent with `Bearer`, and an API key when bare.
pub(crate) fn is_opaque_token(text: &[u8]) -> bool {
    matches!(bearer(text), Ok(Credential { kind: CredentialKind::OpaqueToken, .. }))
}

#[inline(always)]
fn bearer(token: &[u8]) -> Result<Credential<'_>, Rejection> {
    // Decoding the parts of a JWS later checks every character.
    if begins_as_jws(token) {
        Ok(Credential { kind: CredentialKind::Jws, is_bare: false, is_dpop: false, text: token })
    } else if is_key(token) {
        Ok(Credential { kind: CredentialKind::OpaqueToken, is_bare: false, is_dpop: false, text: token })
    } else {
        Err(Rejection::MalformedCredential)
    }
}

/// The rejection of an invalid value: `rejection`, unless the value is several credentials that a proxy has joined (RFC
/// 9110 section 5.3). Such a value is a list in which each member has the form of a credential, and a first member that
/// begins as a JWS is a whole JWS. No credential has a comma, but those of unsupported schemes may.
#[cold]
pub(crate) fn unless_joined(rejection: Rejection, value: &[u8]) -> Rejection {
    // Nearly all values have no comma. Checking for one takes a fraction of the time of parsing members.
    if rejection == Rejection::UnsupportedScheme || !contains(value, b',') {
        return rejection;
    }
    let members = || value.split(|byte| *byte == b',').map(without_space_around);
    let is_credential = |member: &[u8]| {
        !member.is_empty() && matches!(Credential::parse(member), Ok(_) | Err(Rejection::UnsupportedScheme))
    };
    let is_whole_jws = |member: &[u8]| member.iter().filter(|byte| **byte == b'.').count() == 2;
    let first_is_whole = !begins_as_jws(value) || members().next().is_some_and(is_whole_jws);
    if first_is_whole && members().all(is_credential) { Rejection::MultipleCredentials } else { rejection }
}

#[inline(always)]
fn begins_as_jws(token: &[u8]) -> bool {
    matches!(token, [b'e', b'y' | b'w', ..]) && contains(token, b'.')
}

/// Compares in blocks, which the compiler vectorises. The first dot of a JWS is in one of the first blocks.
pub(crate) fn contains(text: &[u8], byte: u8) -> bool {
    let (blocks, rest) = text.as_chunks::<32>();
    blocks.iter().any(|block| holds(block, byte)) || holds(rest, byte)
}

/// The index of the first space. A bare API key has none, and in other headers it is near.
fn first_space(header: &[u8]) -> Option<usize> {
    let blocks = header.as_chunks::<16>().0;
    let before = blocks.iter().take_while(|block| !holds(*block, b' ')).count() * 16;
    header[before..].iter().position(|byte| *byte == b' ').map(|space| before + space)
}

/// The text after leading spaces.
#[inline(always)]
pub(crate) fn without_spaces(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|byte| **byte == b' ').count()..]
}

/// The text without optional white space around it (RFC 9110 section 5.6.3).
pub(crate) fn without_space_around(text: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| *byte != b' ' && *byte != b'\t';
    let start = text.iter().position(is_text).unwrap_or(text.len());
    let end = text.iter().rposition(is_text).map_or(start, |last| last + 1);
    &text[start..end]
}

fn holds(block: &[u8], byte: u8) -> bool {
    block.iter().fold(false, |found, one| found | (*one == byte))
}

/// Whether `text` can be an API key or an opaque token. The rule is the same for `Bearer`, bare values and X-API-Key.
fn is_key(text: &[u8]) -> bool {
    !text.is_empty() && all(text, is_key_character)
}

/// Whether `is` holds for each byte. No early exit within a block, so that the compiler vectorises it.
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

/// The characters of API keys and opaque tokens: those of token and token68 (RFC 9110 sections 5.6.2 and 11.2), and the
/// colon. Keys of other systems have `|` and `:`, and their clients send them with `Bearer`, for which RFC 6750 section
/// 2.1 allows only token68. No quotes, commas, semicolons, brackets, spaces or controls.
fn is_key_character(byte: u8) -> bool {
    is_token_character(byte) | (byte == b'/') | (byte == b'=') | (byte == b':')
}

/// tchar (RFC 9110 section 5.6.2).
pub(crate) fn is_token_character(byte: u8) -> bool {
    b"!#$%&'*+-.^_`|~".iter().fold(byte.is_ascii_alphanumeric(), |is, one| is | (byte == *one))
}
