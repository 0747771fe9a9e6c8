use std::fmt;

use crate::accepted::AcceptedCredentials;
use crate::credential::{is_token_character, without_space_around, without_spaces};

/// One place in a request where its credential may be, and the kinds of credentials that are accepted there.
///
/// A token in another field than Authorization, or after a scheme of your own, is read like a token after `Bearer`: a
/// JWT, an API key or an opaque token. A token that is bound to a key (DPoP, RFC 9449) has to be sent with `DPoP` in
/// Authorization.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Source {
    pub(super) place: Place,
    pub(super) accepted: AcceptedCredentials,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Place {
    Authorization,
    Scheme(Box<str>),
    BasicUser,
    Field(Box<str>),
    ApiKeyField(Box<str>),
    Cookie(Box<str>),
    WebSocketProtocol(Box<str>),
}

/// The part of a field's value that belongs to a source.
pub(super) enum Claim<'s, 'r> {
    None,
    Whole(&'r [u8]),
    Parts(Parts<'s, 'r>),
}

impl Source {
    /// The Authorization field, as [`Engine::verify`](crate::Engine::verify) reads it: `Bearer`, `DPoP`,
    /// `Basic`, and bare values.
    ///
    /// It takes every value, so sources with other schemes have to come before it.
    #[must_use]
    pub fn authorization() -> Self {
        Place::Authorization.into()
    }

    /// The Authorization field with a scheme of your own, such as `Token` or `ApiKey`, in any letter case,
    /// before a token.
    ///
    /// # Errors
    /// [`InvalidSource`] if `name` is not a scheme (RFC 9110 section 11.1), or is `Bearer`, `DPoP` or `Basic`.
    pub fn scheme(name: &str) -> Result<Self, InvalidSource> {
        let is_known = ["bearer", "dpop", "basic"].into_iter().any(|known| name.eq_ignore_ascii_case(known));
        if is_known { Err(InvalidSource::new(name)) } else { Ok(Place::Scheme(token(name)?).into()) }
    }

    /// The user of `Basic` credentials whose password is empty, as Stripe's clients send API keys (`curl -u
    /// sk_live_...:`).
    ///
    /// It takes all `Basic` credentials that reach it: no source after it finds a client's id and secret.
    #[must_use]
    pub fn basic_user() -> Self {
        Place::BasicUser.into()
    }

    /// A field whose whole value is a token, such as `x-goog-iap-jwt-assertion` or `cf-access-jwt-assertion`.
    ///
    /// # Errors
    /// [`InvalidSource`] if `name` is not a field name (RFC 9110 section 5.1), or is `Authorization` or `Cookie`.
    pub fn field(name: &str) -> Result<Self, InvalidSource> {
        Ok(Place::Field(field_name(name)?).into())
    }

    /// A field for API keys only, such as `x-api-key`.
    ///
    /// # Errors
    /// As [`Source::field`].
    pub fn api_key_field(name: &str) -> Result<Self, InvalidSource> {
        Ok(Place::ApiKeyField(field_name(name)?).into())
    }

    /// The cookie `name`, whose value is a token. It is accepted only in requests that, by the
    /// [rule](super::Sources::csrf), no other site made a browser send.
    ///
    /// The name is compared exactly. No other host can set a cookie whose name begins with `__Host-`.
    ///
    /// # Errors
    /// [`InvalidSource`] if `name` is not the name of a cookie (RFC 6265 section 4.1.1).
    pub fn cookie(name: &str) -> Result<Self, InvalidSource> {
        Ok(Place::Cookie(token(name)?).into())
    }

    /// An entry of `Sec-WebSocket-Protocol` that begins with `prefix`, such as `bearer.`, followed by the token.
    /// Browsers let a page set no other field of a WebSocket's handshake.
    ///
    /// The server has to choose another of the protocols that the client offers, one without a token in it.
    ///
    /// # Errors
    /// [`InvalidSource`] if the name of a protocol cannot begin with `prefix` (RFC 6455 section 4.1).
    pub fn web_socket_protocol(prefix: &str) -> Result<Self, InvalidSource> {
        Ok(Place::WebSocketProtocol(token(prefix)?).into())
    }

    /// Accepts only these kinds here.
    #[must_use]
    pub fn accept(self, accepted: AcceptedCredentials) -> Self {
        Source { accepted, ..self }
    }

    /// The kinds that are accepted here.
    #[must_use]
    pub fn accepted(&self) -> AcceptedCredentials {
        self.accepted
    }
}

impl From<Place> for Source {
    fn from(place: Place) -> Self {
        Source { place, accepted: AcceptedCredentials::ALL }
    }
}

impl Place {
    #[inline]
    pub(super) fn is_in(&self, name: &str) -> bool {
        let field = match self {
            Place::Authorization | Place::Scheme(_) | Place::BasicUser => "authorization",
            Place::Field(field) | Place::ApiKeyField(field) => field,
            Place::Cookie(_) => "cookie",
            Place::WebSocketProtocol(_) => "sec-websocket-protocol",
        };
        name.eq_ignore_ascii_case(field)
    }

    /// The part that belongs to this source of the value of a field that it [is in](Self::is_in).
    #[inline]
    pub(super) fn claim<'s, 'r>(&'s self, value: &'r [u8]) -> Claim<'s, 'r> {
        match self {
            Place::Authorization | Place::Field(_) | Place::ApiKeyField(_) => Claim::Whole(value),
            Place::Scheme(name) => after_scheme(value, name).map_or(Claim::None, Claim::Whole),
            Place::BasicUser => after_scheme(value, "basic").map_or(Claim::None, Claim::Whole),
            Place::Cookie(name) => {
                Claim::Parts(Parts { rest: Some(value), separator: b';', matcher: PartMatcher::Cookie(name) })
            }
            Place::WebSocketProtocol(prefix) => {
                Claim::Parts(Parts { rest: Some(value), separator: b',', matcher: PartMatcher::Prefix(prefix) })
            }
        }
    }
}

/// The parts of a list that are credentials.
pub(super) struct Parts<'s, 'r> {
    rest: Option<&'r [u8]>,
    separator: u8,
    matcher: PartMatcher<'s>,
}

enum PartMatcher<'s> {
    Cookie(&'s str),
    Prefix(&'s str),
}

impl<'r> Iterator for Parts<'_, 'r> {
    type Item = &'r [u8];

    fn next(&mut self) -> Option<&'r [u8]> {
        while let Some(rest) = self.rest {
            let end = rest.iter().position(|byte| *byte == self.separator);
            let part = without_space_around(&rest[..end.unwrap_or(rest.len())]);
            self.rest = end.map(|end| &rest[end + 1..]);
            let credential = match self.matcher {
                PartMatcher::Cookie(name) => {
                    part.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"=")).map(unquoted)
                }
                PartMatcher::Prefix(prefix) => part.strip_prefix(prefix.as_bytes()),
            };
            if credential.is_some() {
                return credential;
            }
        }
        None
    }
}

/// The value of a cookie, without its optional quotes (RFC 6265 section 4.1.1).
fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value)
}

/// The text after `scheme` and one or more spaces (RFC 9110 section 11.4); empty if the scheme stands alone.
fn after_scheme<'r>(value: &'r [u8], scheme: &str) -> Option<&'r [u8]> {
    let (name, rest) = value.split_at_checked(scheme.len())?;
    let is_end = rest.first().is_none_or(|byte| *byte == b' ');
    (is_end && name.eq_ignore_ascii_case(scheme.as_bytes())).then(|| without_spaces(rest))
}

fn field_name(name: &str) -> Result<Box<str>, InvalidSource> {
    let is_other = ["authorization", "cookie"].into_iter().any(|other| name.eq_ignore_ascii_case(other));
    if is_other { Err(InvalidSource::new(name)) } else { token(name) }
}

/// A token (RFC 9110 section 5.6.2).
fn token(text: &str) -> Result<Box<str>, InvalidSource> {
    let is_token = !text.is_empty() && text.bytes().all(is_token_character);
    if is_token { Ok(text.into()) } else { Err(InvalidSource::new(text)) }
}

/// The error for a text that cannot name a [`Source`] of its kind.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidSource {
    text: Box<str>,
}

impl InvalidSource {
    pub(super) fn new(text: &str) -> Self {
        InvalidSource { text: text.into() }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for InvalidSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} cannot name a source of credentials of that kind", tollgate_jwt::excerpt(&self.text))
    }
}

impl std::error::Error for InvalidSource {}
