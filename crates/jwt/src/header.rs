use crate::error::ParseError;
use crate::json::{Document, Value};

/// A token's JOSE header (RFC 7515 section 4), **not verified**.
///
/// Guarantees: the header is one JSON object without duplicate members. `alg` is a string; `kid` and `typ` are strings
/// if present. There is no `crit`, `b64`, `zip` or `enc`, and `cty` does not announce a nested JWT. Without a `kid`,
/// `x5t` and `x5t#S256` are strings if present. Members that carry keys (`jwk`, `jku`, `x5u`, `x5c`, ...) are never
/// used.
#[derive(Clone, Copy, Debug)]
pub struct Header<'s> {
    alg: &'s str,
    kid: Option<&'s str>,
    typ: Option<&'s str>,
    certificate: CertificateNames<&'s str>,
}

/// The certificate thumbprints in a header or a JWK, used only as a key's name in place of a `kid`. They are compared,
/// and no certificate is read.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct CertificateNames<T> {
    /// `x5t` (RFC 7515 section 4.1.7, RFC 7517 section 4.8).
    pub x5t: Option<T>,
    /// `x5t#S256` (RFC 7515 section 4.1.8, RFC 7517 section 4.9).
    pub x5t_sha256: Option<T>,
}

impl<'s> Header<'s> {
    pub(crate) fn new(document: &Document<'s>) -> Result<Self, ParseError> {
        let (mut alg, mut kid, mut typ, mut x5t, mut x5t_sha256) = (None, None, None, None, None);
        for (name, value) in document.root().iter() {
            match name {
                "alg" => alg = Some(string("alg", value)?),
                "kid" => kid = Some(string("kid", value)?),
                "typ" => typ = Some(string("typ", value)?),
                "x5t" => x5t = Some(value),
                "x5t#S256" => x5t_sha256 = Some(value),
                "crit" => return Err(ParseError::CriticalHeader),
                "b64" => return Err(ParseError::UnsupportedHeader { name: "b64" }),
                "zip" => return Err(ParseError::UnsupportedHeader { name: "zip" }),
                "enc" => return Err(ParseError::UnsupportedHeader { name: "enc" }),
                "cty" if is_nested_jwt(string("cty", value)?) => {
                    return Err(ParseError::UnsupportedHeader { name: "cty" });
                }
                _ => {}
            }
        }
        let alg = alg.ok_or(ParseError::MissingMember { name: "alg" })?;
        let certificate = match kid {
            Some(_) => CertificateNames::default(),
            None => CertificateNames {
                x5t: x5t.map(|value| string("x5t", value)).transpose()?,
                x5t_sha256: x5t_sha256.map(|value| string("x5t#S256", value)).transpose()?,
            },
        };
        Ok(Header { alg, kid, typ, certificate })
    }

    /// Restores a header that was parsed before.
    pub(crate) fn from_parts(
        alg: &'s str,
        kid: Option<&'s str>,
        typ: Option<&'s str>,
        certificate: CertificateNames<&'s str>,
    ) -> Self {
        Header { alg, kid, typ, certificate }
    }

    /// `alg` (section 4.1.1), as the sender claims. It never selects the algorithm: it has to equal the key's.
    #[must_use]
    pub fn alg(&self) -> &'s str {
        self.alg
    }

    /// `kid` (section 4.1.4).
    #[must_use]
    pub fn kid(&self) -> Option<&'s str> {
        self.kid
    }

    /// `x5t` and `x5t#S256` if there is no `kid`; otherwise empty.
    #[must_use]
    pub fn certificate(&self) -> &CertificateNames<&'s str> {
        &self.certificate
    }

    /// `typ` (section 4.1.9) as it was sent.
    #[must_use]
    pub fn typ(&self) -> Option<&'s str> {
        self.typ
    }

    /// `typ` without the prefix `application/`, which section 4.1.9 lets senders leave out.
    #[must_use]
    pub fn media_subtype(&self) -> Option<&'s str> {
        self.typ.map(strip_application)
    }
}

fn string<'s>(name: &'static str, value: Value<'_, 's>) -> Result<&'s str, ParseError> {
    value
        .as_str()
        .filter(|text| !text.contains('\0'))
        .ok_or(ParseError::InvalidMember { name, expected: "a string without U+0000" })
}

/// Whether `cty` announces that the payload is another JWT (RFC 7519 section 5.2).
fn is_nested_jwt(cty: &str) -> bool {
    strip_application(cty).eq_ignore_ascii_case("jwt")
}

/// Media types are case-insensitive (RFC 2045 section 5.1). RFC 7515 section 4.1.9 lets senders omit the prefix if the
/// rest has no slash. If the rest has a slash, the prefix stays: without it the media type would be another one.
fn strip_application(media_type: &str) -> &str {
    const PREFIX: &str = "application/";
    match media_type.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) && !rest.contains('/') => rest,
        _ => media_type,
    }
}
