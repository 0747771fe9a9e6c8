//! The places in a request where its credential may be, and which credential that is.

mod csrf;
mod source;

pub use csrf::CsrfRule;
pub use source::{InvalidSource, Source};

use crate::basic::decode_value;
use crate::rejection::Rejection;
use crate::request::Request;

use source::{Claim, Place};

/// The places in a request where its credential may be. Finds the one credential of a request, for any server that can
/// list a request's header fields.
///
/// The sources are tried in order: the first one that accepts the value of a field takes it. A request with more than
/// one credential is rejected, in whatever places they are ([`Rejection::MultipleCredentials`], RFC 6750 section 2); so
/// is one with an `access_token` in its query besides a credential. `Default` is the Authorization field alone.
///
/// ```
/// use tollgate::{AcceptedCredentials, CsrfRule, PrincipalKind, RequestLine, Source, Sources};
///
/// let keys = AcceptedCredentials::only([PrincipalKind::ApiKey]);
/// let sources = Sources::new([
///     Source::scheme("Token")?.accept(keys),
///     Source::authorization(),
///     Source::field("cf-access-jwt-assertion")?,
///     Source::cookie("__Host-session")?,
/// ]);
/// let sources = sources.csrf(CsrfRule::origins(["https://app.example.com".parse()?]));
///
/// let line = RequestLine { method: "GET", authority: None, query: Some("page=2") };
/// let fields = [("Host", &b"api.example.com"[..]), ("Authorization", b"Token tg_live_1"), ("Accept", b"*/*")];
/// let request = sources.find(line, fields)?.expect("there is a credential");
/// // For `Engine::verify_request`, once the client's address and the like are added.
/// let request = request.address("192.0.2.7".parse::<std::net::IpAddr>()?);
///
/// let two = [("Authorization", &b"Token tg_live_1"[..]), ("Cookie", b"__Host-session=eyJh.eyJp.c2ln")];
/// assert_eq!(sources.find(line, two).unwrap_err().code(), "multiple-credentials");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sources {
    list: Vec<Source>,
    csrf: CsrfRule,
}

/// The parts of a request's first line that are needed to find its credential.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestLine<'r> {
    /// The method, such as `GET`, in the letter case that was sent.
    pub method: &'r str,
    /// The authority of the target, which in HTTP/2 (`:authority`) replaces the `Host` field.
    pub authority: Option<&'r str>,
    /// The query, without the question mark.
    pub query: Option<&'r str>,
}

impl Sources {
    /// Credentials are read from these places.
    #[must_use]
    pub fn new(sources: impl IntoIterator<Item = Source>) -> Self {
        Sources { list: sources.into_iter().collect(), csrf: CsrfRule::default() }
    }

    /// Adds one more source after the others.
    #[must_use]
    pub fn and(mut self, source: Source) -> Self {
        self.list.push(source);
        self
    }

    /// Sets which requests may have their credential in a [cookie](Source::cookie). By default those of the [same
    /// origin](CsrfRule::same_origin).
    #[must_use]
    pub fn csrf(self, rule: CsrfRule) -> Self {
        Sources { csrf: rule, ..self }
    }

    /// The sources, in the order in which they are tried.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.list.iter()
    }

    /// The request with its credential, unparsed, and the kinds that its source accepts; `None` if it has none.
    ///
    /// `fields`: all header fields of the request in order, each line by itself, with names in any letter case.
    ///
    /// # Errors
    /// [`Rejection::MultipleCredentials`]; [`Rejection::UnsupportedScheme`] for an Authorization field that no source
    /// accepts; [`Rejection::CrossSiteRequest`] for a cookie if a page of another site may have caused the request.
    pub fn find<'r>(
        &self,
        line: RequestLine<'r>,
        fields: impl IntoIterator<Item = (&'r str, &'r [u8])>,
    ) -> Result<Option<Request<'r>>, Rejection> {
        let mut found = Found { request: Request::new(), credentials: 0, is_cookie: false };
        let mut evidence = self.csrf.evidence(line);
        let mut is_unclaimed = false;
        let has_cookies = self.list.iter().any(|source| matches!(source.place, Place::Cookie(_)));
        for (name, value) in fields {
            if has_cookies {
                evidence.note(name, value);
            }
            is_unclaimed |= self.take(name, value, &mut found);
        }
        match found.credentials + usize::from(is_unclaimed) {
            0 => return Ok(None),
            1 if line.query.is_some_and(has_access_token) => return Err(Rejection::MultipleCredentials),
            1 if is_unclaimed => return Err(Rejection::UnsupportedScheme),
            1 => {}
            _ => return Err(Rejection::MultipleCredentials),
        }
        if found.is_cookie && !evidence.suffices() {
            return Err(Rejection::CrossSiteRequest);
        }
        Ok(Some(found.request))
    }

    /// Whether the field `name` may have a credential, so that its value has to be kept out of logs.
    #[must_use]
    pub fn may_hold(&self, name: &str) -> bool {
        self.list.iter().any(|source| source.place.is_in(name))
    }

    /// Takes the credentials of one field. Returns whether the field should have one, but no source accepts it.
    #[inline]
    fn take<'r>(&self, name: &str, value: &'r [u8], found: &mut Found<'r>) -> bool {
        let mut is_unclaimed = false;
        for source in self.list.iter().filter(|source| source.place.is_in(name)) {
            match source.place.claim(value) {
                // Further sources read other parts of the same field.
                Claim::Parts(parts) => parts.for_each(|part| found.add(source, part)),
                Claim::Whole(credential) => {
                    found.add(source, credential);
                    return false;
                }
                Claim::None => is_unclaimed = true,
            }
        }
        is_unclaimed
    }
}

impl Default for Sources {
    fn default() -> Self {
        Sources::new([Source::authorization()])
    }
}

/// The credentials that were found so far.
struct Found<'r> {
    request: Request<'r>,
    credentials: usize,
    is_cookie: bool,
}

impl<'r> Found<'r> {
    fn add(&mut self, source: &Source, credential: &'r [u8]) {
        self.credentials += 1;
        let request = Request::new().accept(source.accepted);
        self.request = match &source.place {
            Place::Authorization => request.authorization(credential),
            Place::ApiKeyField(_) => request.api_key(credential),
            Place::BasicUser => request.basic_user(credential),
            Place::Scheme(_) | Place::Field(_) | Place::Cookie(_) | Place::WebSocketProtocol(_) => {
                request.token(credential)
            }
        };
        self.is_cookie = matches!(source.place, Place::Cookie(_));
    }
}

/// RFC 6750 section 2.3, with the name decoded like a handler would decode it.
fn has_access_token(query: &str) -> bool {
    let mut decoded = Vec::new();
    query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name)).any(|name| {
        decoded.clear();
        name == "access_token"
            || (name.contains('%') && { decode_value(name, &mut decoded).is_some() && decoded == b"access_token" })
    })
}
