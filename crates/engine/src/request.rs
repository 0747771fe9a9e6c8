use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use crate::accepted::AcceptedCredentials;
use crate::introspection::IntrospectionAnswer;

/// A request as [`Engine::verify_request`](crate::Engine::verify_request) sees it: its credential, and everything else
/// that a check needs.
///
/// A request without something that a check needs is rejected: for example, an API key with [allowed
/// addresses](crate::KeyRecord::allowed_addresses) needs the client's address.
///
/// ```
/// use tollgate::{ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord, Rejection, Request};
///
/// let format = KeyFormat::new("tg", "live")?;
/// let (key, table) = (ApiKey::generate(&format)?, ApiKeyTable::new(format));
/// let record = KeyRecord::api_key("key_1", "user_7").allowed_addresses(["192.0.2.0/24".parse()?]);
/// table.insert(&key, record);
/// let engine = Engine::builder().api_keys(table).build()?;
///
/// let request = Request::new().api_key(key.as_str());
/// assert_eq!(engine.verify_request(&request).unwrap_err(), Rejection::AddressRequired);
/// let client: std::net::IpAddr = "192.0.2.7".parse()?;
/// assert!(engine.verify_request(&request.address(client)).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Default)]
pub struct Request<'r> {
    pub(crate) credential: Presented<'r>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) certificate: Certificate<'r>,
    pub(crate) method: Option<&'r str>,
    pub(crate) uri: Uri<'r>,
    pub(crate) proofs: Proofs<'r>,
    pub(crate) accepted: AcceptedCredentials,
    pub(crate) answer: Option<&'r IntrospectionAnswer>,
}

/// The credential fields of a request, unparsed.
#[derive(Clone, Copy, Default)]
pub(crate) enum Presented<'r> {
    #[default]
    Nothing,
    Authorization(&'r [u8]),
    Token(&'r [u8]),
    BasicUser(&'r [u8]),
    ApiKey(&'r [u8]),
    Client {
        id: &'r [u8],
        secret: &'r [u8],
    },
    Several,
}

/// The certificate whose key the client has proved to have.
#[derive(Clone, Copy, Default)]
pub(crate) enum Certificate<'r> {
    #[default]
    Absent,
    Der(&'r [u8]),
    /// The SHA-256 of the DER.
    Digest([u8; 32]),
}

/// The absolute URI of a request.
#[derive(Clone, Copy, Default)]
pub(crate) enum Uri<'r> {
    #[default]
    Unknown,
    Whole(&'r str),
    Parts {
        origin: &'r str,
        path: &'r str,
    },
}

/// The values of the request's DPoP fields.
#[derive(Clone, Copy, Default)]
pub(crate) enum Proofs<'r> {
    #[default]
    None,
    One(&'r [u8]),
    Several,
}

impl<'r> Uri<'r> {
    pub(crate) fn text(self) -> Option<Cow<'r, str>> {
        match self {
            Uri::Unknown => None,
            Uri::Whole(uri) => Some(Cow::Borrowed(uri)),
            Uri::Parts { origin, path } => Some(Cow::Owned([origin, path].concat())),
        }
    }
}

impl<'r> Request<'r> {
    /// A request without a credential or anything else.
    #[must_use]
    #[inline]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the value of an Authorization header.
    ///
    /// Call it for each such field, even an empty one: a request with more than one credential is rejected
    /// ([`Rejection::MultipleCredentials`](crate::Rejection::MultipleCredentials), RFC 6750 section 2).
    #[must_use]
    #[inline]
    pub fn authorization<V: AsRef<[u8]> + ?Sized>(self, value: &'r V) -> Self {
        self.with(Presented::Authorization(value.as_ref()))
    }

    /// Adds the value of a header for API keys only, such as `X-API-Key`.
    ///
    /// Call it for each such field, like [`authorization`](Self::authorization).
    #[must_use]
    #[inline]
    pub fn api_key<V: AsRef<[u8]> + ?Sized>(self, value: &'r V) -> Self {
        self.with(Presented::ApiKey(value.as_ref()))
    }

    /// Adds a token that is a value of its own, such as in a cookie or a proxy's field, or after a scheme of your own:
    /// a JWT, an API key or an opaque token, read as after `Bearer` in Authorization.
    ///
    /// Call it like [`authorization`](Self::authorization). [`Sources`](crate::Sources) finds such tokens.
    #[must_use]
    #[inline]
    pub fn token<V: AsRef<[u8]> + ?Sized>(self, value: &'r V) -> Self {
        self.with(Presented::Token(value.as_ref()))
    }

    /// Adds `Basic` credentials, without the scheme, whose user is an API key and whose password is empty, as Stripe's
    /// clients send them.
    ///
    /// Call it like [`authorization`](Self::authorization).
    #[must_use]
    pub fn basic_user<V: AsRef<[u8]> + ?Sized>(self, credentials: &'r V) -> Self {
        self.with(Presented::BasicUser(credentials.as_ref()))
    }

    /// Adds the id and secret of a client from the request's body (`client_secret_post`, RFC 6749 section 2.3.1),
    /// decoded from the form. They are looked up as given.
    ///
    /// Call it like [`authorization`](Self::authorization), which is for an id and a secret in `Basic`.
    #[must_use]
    pub fn client<I, S>(self, id: &'r I, secret: &'r S) -> Self
    where
        I: AsRef<[u8]> + ?Sized,
        S: AsRef<[u8]> + ?Sized,
    {
        self.with(Presented::Client { id: id.as_ref(), secret: secret.as_ref() })
    }

    /// Sets the client's address as the server sees it; `None` if it is unknown. Behind a proxy,
    /// [`TrustedProxies`](crate::TrustedProxies) finds it.
    #[must_use]
    #[inline]
    pub fn address(mut self, client: impl Into<Option<IpAddr>>) -> Self {
        self.address = client.into();
        self
    }

    /// Sets the certificate with which the client authenticated in the TLS handshake, in DER. A token that is [bound to
    /// one](crate::Rejection::CertificateRequired) needs it (RFC 8705 section 3). It is compared, not parsed.
    ///
    /// The caller vouches for it: it has to come from the connection itself, or from a trusted proxy
    /// ([`CertificateField`](crate::CertificateField)).
    #[must_use]
    #[inline]
    pub fn certificate<D: AsRef<[u8]> + ?Sized>(mut self, der: &'r D) -> Self {
        self.certificate = Certificate::Der(der.as_ref());
        self
    }

    /// Like [`certificate`](Self::certificate), with the SHA-256 of the certificate's DER, which a server can compute
    /// once for a connection.
    #[must_use]
    #[inline]
    pub fn certificate_digest(mut self, sha256: [u8; 32]) -> Self {
        self.certificate = Certificate::Digest(sha256);
        self
    }

    /// Sets the request's method, such as `GET`, in the letter case that was sent. A DPoP proof names it (RFC 9449).
    #[must_use]
    #[inline]
    pub fn method(mut self, method: &'r str) -> Self {
        self.method = Some(method);
        self
    }

    /// Sets the request's absolute URI, such as `https://api.example.com/sites?page=2`. A DPoP proof names it (RFC
    /// 9449). Query and fragment are ignored.
    ///
    /// The caller vouches for its origin. A server that reads a `Host` field has to choose among its own origins: any
    /// other could be an attacker's, who has proofs for it.
    #[must_use]
    #[inline]
    pub fn uri(mut self, uri: &'r str) -> Self {
        self.uri = Uri::Whole(uri);
        self
    }

    /// Like [`uri`](Self::uri), in two parts: an origin, such as `https://api.example.com`, and the rest, such as
    /// `/sites`.
    #[must_use]
    #[inline]
    pub fn uri_of(mut self, origin: &'r str, path: &'r str) -> Self {
        self.uri = Uri::Parts { origin, path };
        self
    }

    /// Adds the value of a `DPoP` field: a proof (RFC 9449 section 4.1). Call it for each such field: a token that is
    /// bound to a key is rejected if there is more than one.
    #[must_use]
    #[inline]
    pub fn proof<V: AsRef<[u8]> + ?Sized>(mut self, value: &'r V) -> Self {
        self.proofs = match self.proofs {
            Proofs::None => Proofs::One(value.as_ref()),
            _ => Proofs::Several,
        };
        self
    }

    /// Restricts the accepted credentials to `accepted`, for a route that accepts fewer kinds than the engine. Further
    /// calls restrict them further.
    #[must_use]
    #[inline]
    pub fn accept(mut self, accepted: AcceptedCredentials) -> Self {
        self.accepted = self.accepted.and(accepted);
        self
    }

    /// Sets the answer of a token's issuer, for a request that the engine rejected because the issuer was not asked
    /// ([`Engine::unknown_token`](crate::Engine::unknown_token)).
    #[must_use]
    pub fn introspected(mut self, answer: &'r IntrospectionAnswer) -> Self {
        self.answer = Some(answer);
        self
    }

    /// The id of a client from a form.
    pub(crate) fn client_id(&self) -> &'r [u8] {
        match self.credential {
            Presented::Client { id, .. } => id,
            _ => b"",
        }
    }

    #[inline]
    fn with(mut self, further: Presented<'r>) -> Self {
        self.credential = match self.credential {
            Presented::Nothing => further,
            _ => Presented::Several,
        };
        self
    }
}

/// Shows which field has the credential, not the credential.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let credential = match self.credential {
            Presented::Nothing => "none",
            Presented::Authorization(_) => "authorization",
            Presented::Token(_) => "token",
            Presented::BasicUser(_) => "basic-user",
            Presented::ApiKey(_) => "api-key",
            Presented::Client { .. } => "client",
            Presented::Several => "several",
        };
        f.debug_struct("Request")
            .field("credential", &format_args!("{credential}"))
            .field("address", &self.address)
            .field("method", &self.method)
            .field("has_proof", &!matches!(self.proofs, Proofs::None))
            .field("has_certificate", &!matches!(self.certificate, Certificate::Absent))
            .field("accepted", &self.accepted)
            .finish()
    }
}
