use super::{InvalidSource, RequestLine, Source};
use crate::public_origin::PublicOrigin;

/// How requests of a server's own pages are told from those that a page of another site makes a browser send, with the
/// browser's cookies for the server (cross-site request forgery).
///
/// Requests with the methods GET, HEAD and OPTIONS are accepted unchecked, since they should change nothing, except
/// those that ask for another protocol: a WebSocket is opened with GET, and any page may open one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CsrfRule(Rule);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Rule {
    Origins(Box<[PublicOrigin]>),
    Field(Box<str>),
    None,
}

impl CsrfRule {
    /// Accepts requests from pages of the same origin, according to the browser: by `Sec-Fetch-Site`, or if that is
    /// absent (over plain HTTP, or in old browsers) by an `Origin` that is the host of the request. A request with
    /// neither is rejected; a program that sends a cookie has to send an `Origin` too.
    #[must_use]
    pub fn same_origin() -> Self {
        CsrfRule(Rule::Origins([].into()))
    }

    /// Like [`same_origin`](Self::same_origin), but accepts requests from pages of these origins, too: those of an
    /// application on another host, or the server's own behind a proxy that does not pass on the `Host` field.
    #[must_use]
    pub fn origins(origins: impl IntoIterator<Item = PublicOrigin>) -> Self {
        CsrfRule(Rule::Origins(origins.into_iter().collect()))
    }

    /// Accepts requests with the field `name`, whatever its value: a page of another site cannot add one without
    /// permission (CORS).
    ///
    /// # Errors
    /// [`InvalidSource`] if `name` is not a field name, or does not begin with `x-`: browsers send other fields by
    /// themselves, or let a page set them.
    pub fn field(name: &str) -> Result<Self, InvalidSource> {
        let has_prefix = name.get(..2).is_some_and(|prefix| prefix.eq_ignore_ascii_case("x-"));
        if has_prefix {
            Source::field(name).map(|_| CsrfRule(Rule::Field(name.into())))
        } else {
            Err(InvalidSource::new(name))
        }
    }

    /// Accepts requests from anywhere. For example, if the cookie is `SameSite=Strict`, and no other host of the site
    /// can be an attacker's.
    #[must_use]
    pub fn danger_none() -> Self {
        CsrfRule(Rule::None)
    }

    /// The evidence that a request has to show, before any field was seen.
    pub(super) fn evidence<'r>(&self, line: RequestLine<'r>) -> Evidence<'_, 'r> {
        Evidence {
            rule: &self.0,
            method: line.method,
            host: line.authority,
            origin: Stated::Nothing,
            fetch_site: Stated::Nothing,
            has_upgrade: false,
            has_own_field: false,
        }
    }
}

impl Default for CsrfRule {
    fn default() -> Self {
        Self::same_origin()
    }
}

/// What a request shows about the page that it is from.
pub(super) struct Evidence<'s, 'r> {
    rule: &'s Rule,
    method: &'r str,
    host: Option<&'r str>,
    origin: Stated<'r>,
    fetch_site: Stated<'r>,
    has_upgrade: bool,
    has_own_field: bool,
}

/// The value of a field that may occur once.
#[derive(Clone, Copy)]
enum Stated<'r> {
    Nothing,
    Once(&'r [u8]),
    Twice,
}

impl<'r> Evidence<'_, 'r> {
    pub(super) fn note(&mut self, name: &'r str, value: &'r [u8]) {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        if is("origin") {
            self.origin.state(value);
        } else if is("sec-fetch-site") {
            self.fetch_site.state(value);
        } else if is("host") {
            self.host = self.host.or(str::from_utf8(value).ok());
        } else if is("upgrade") {
            self.has_upgrade = true;
        } else if let Rule::Field(own) = self.rule {
            self.has_own_field |= is(own);
        }
    }

    #[cold]
    pub(super) fn suffices(&self) -> bool {
        let is_safe = ["GET", "HEAD", "OPTIONS"].contains(&self.method) && !self.has_upgrade;
        is_safe
            || match self.rule {
                Rule::None => true,
                Rule::Field(_) => self.has_own_field,
                Rule::Origins(origins) => self.is_of(origins),
            }
    }

    fn is_of(&self, origins: &[PublicOrigin]) -> bool {
        let origin = match self.origin {
            Stated::Nothing => None,
            Stated::Once(text) => Some(str::from_utf8(text).unwrap_or_default()),
            Stated::Twice => return false,
        };
        if origin.is_some_and(|origin| origins.iter().any(|own| own.is(origin))) {
            return true;
        }
        match self.fetch_site {
            // "none": an action of the user, such as a typed address.
            Stated::Once(site) => site == b"same-origin" || site == b"none",
            Stated::Twice => false,
            Stated::Nothing => {
                let origin = origin.and_then(|origin| origin.parse::<PublicOrigin>().ok());
                self.host.is_some_and(|host| origin.is_some_and(|origin| origin.has_authority(host)))
            }
        }
    }
}

impl<'r> Stated<'r> {
    fn state(&mut self, value: &'r [u8]) {
        *self = match self {
            Stated::Nothing => Stated::Once(value),
            _ => Stated::Twice,
        };
    }
}
