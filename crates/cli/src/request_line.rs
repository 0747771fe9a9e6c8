//! A line of `--input request`: one request as JSON.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use tollgate::jwt::base64url;
use tollgate::keys::sha256;
use tollgate::{ForwardedField, Rejection, Request, TrustedProxies};
use zeroize::Zeroize;

use crate::reason::Reason;

/// The facts of a request.
#[derive(Default)]
pub(crate) struct RequestLine<'i> {
    authorization: Option<Text<'i>>,
    address: Option<IpAddr>,
    certificate: Option<[u8; 32]>,
    method: Option<Text<'i>>,
    uri: Option<Text<'i>>,
    dpop: Vec<Text<'i>>,
    headers: Fields<'i>,
}

impl<'i> RequestLine<'i> {
    /// Parses a line; a blank one is a request without facts.
    pub(crate) fn parse(line: &'i [u8]) -> Result<Self, Reason> {
        let line = line.trim_ascii();
        if line.is_empty() {
            return Ok(Self::default());
        }
        // Serde would quote a string that is not an object, and it may be a credential.
        if !line.starts_with(b"{") || serde_json::from_slice::<IgnoredAny>(line).is_err() {
            return Err(Reason::malformed_input("the line is not a JSON object"));
        }
        serde_json::from_slice(line).map_err(|error| {
            // Without the position in the line: the name of the member is enough.
            Reason::malformed_input(error.to_string().split(" at line ").next().unwrap_or_default())
        })
    }

    /// A request with these fields.
    pub(crate) fn of_fields(fields: Vec<(String, String)>) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name, Text(Cow::Owned(value))));
        RequestLine { headers: Fields(fields.collect()), ..Self::default() }
    }

    /// Adds facts from the command line. Those of the line itself take precedence.
    pub(crate) fn or(mut self, address: Option<IpAddr>, method: Option<&'i str>, uri: Option<&'i str>) -> Self {
        self.address = self.address.or(address);
        self.method = self.method.or(method.map(|method| Text(Cow::Borrowed(method))));
        self.uri = self.uri.or(uri.map(|uri| Text(Cow::Borrowed(uri))));
        self
    }

    /// The SHA-256 of the client's certificate: the connection's, or the one that a trusted proxy names.
    pub(crate) fn certificate(&self, proxies: &TrustedProxies) -> Result<Option<[u8; 32]>, Rejection> {
        let is_proxy = || self.address.is_some_and(|peer| proxies.contain(peer));
        match proxies.certificate_field() {
            Some(field) if is_proxy() => field.digest(self.headers.named(field.as_str()).map(|Text(value)| &**value)),
            _ => Ok(self.certificate),
        }
    }

    /// The request for an engine, with the client that `proxies` find, and with the result of
    /// [`certificate`](Self::certificate).
    pub(crate) fn request(&self, proxies: &TrustedProxies, certificate: Option<[u8; 32]>) -> Request<'_> {
        let authorizations = self.authorization.iter().chain(self.headers.named("authorization"));
        let request = authorizations.fold(Request::new(), |request, Text(value)| request.authorization(&**value));
        let request = self.headers.named("x-api-key").fold(request, |request, Text(value)| request.api_key(&**value));
        let proofs = self.dpop.iter().chain(self.headers.named("dpop"));
        let request = proofs.fold(request, |request, Text(proof)| request.proof(&**proof));
        let request = self.method.iter().fold(request, |request, Text(method)| request.method(method));
        let request = self.uri.iter().fold(request, |request, Text(uri)| request.uri(uri));
        let request = match certificate {
            Some(digest) => request.certificate_digest(digest),
            None => request,
        };
        let lines = self.headers.named(proxies.field().map_or("", ForwardedField::as_str)).map(|Text(value)| &**value);
        request.address(self.address.and_then(|peer| proxies.client_address(peer, lines)))
    }
}

impl<'de> Deserialize<'de> for RequestLine<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RequestVisitor)
    }
}

struct RequestVisitor;

impl<'de> Visitor<'de> for RequestVisitor {
    type Value = RequestLine<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let (mut line, mut names) = (RequestLine::default(), Vec::new());
        while let Some(name) = members.next_key::<String>()? {
            if names.contains(&name) {
                return Err(A::Error::custom(format_args!("the member {name:?} is there twice")));
            }
            match name.as_str() {
                "authorization" => line.authorization = Some(value(&mut members, &name, STRING)?),
                "address" => {
                    let text: Text<'de> = value(&mut members, &name, STRING)?;
                    line.address = Some(text.0.parse().map_err(|_| wrong(&name, "an IP address"))?);
                }
                "headers" => {
                    line.headers = value(&mut members, &name, "an object of strings")?;
                    if let Some(name) = line.headers.repeated() {
                        return Err(A::Error::custom(format_args!("the header {name:?} is there twice")));
                    }
                }
                "certificate" => {
                    let text: Text<'de> = value(&mut members, &name, STRING)?;
                    let der = decode(&text.0).ok_or_else(|| wrong(&name, "the base64url of a certificate's DER"))?;
                    line.certificate = Some(sha256(&der));
                }
                "method" => line.method = Some(value(&mut members, &name, STRING)?),
                "uri" => line.uri = Some(value(&mut members, &name, STRING)?),
                "dpop" => line.dpop = value(&mut members, &name, "an array of strings")?,
                _ => return Err(A::Error::custom(format_args!("the member {name:?} is unknown"))),
            }
            names.push(name);
        }
        Ok(line)
    }
}

const STRING: &str = "a string";

/// The value of the member `name`. Serde's error about a wrong one quotes it, and it may be a credential.
fn value<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    members: &mut A,
    name: &str,
    expected: &str,
) -> Result<T, A::Error> {
    members.next_value().map_err(|_| wrong(name, expected))
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut der = Vec::new();
    base64url::decode(text, &mut der).ok().map(|()| der)
}

fn wrong<E: Error>(name: &str, expected: &str) -> E {
    E::custom(format_args!("the member {name:?} is not {expected}"))
}

/// The fields of a request in order.
#[derive(Default)]
struct Fields<'i>(Vec<(String, Text<'i>)>);

impl<'i> Fields<'i> {
    /// The values of the fields with that name, at most one.
    fn named(&self, name: &str) -> impl DoubleEndedIterator<Item = &Text<'i>> {
        self.0.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// A name that occurs twice, in any letter case.
    fn repeated(&self) -> Option<&str> {
        let mut names: Vec<String> = self.0.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.sort_unstable();
        let repeated = names.windows(2).find(|pair| pair[0] == pair[1])?[0].as_str();
        self.0.iter().map(|(name, _)| name.as_str()).find(|name| name.eq_ignore_ascii_case(repeated))
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::default();
        while let Some(field) = members.next_entry()? {
            fields.0.push(field);
        }
        Ok(fields)
    }
}

/// A string of the line, which may be a credential. Text that had to be copied out of the line is wiped.
#[derive(Deserialize)]
struct Text<'i>(#[serde(borrow)] Cow<'i, str>);

impl Drop for Text<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(text) = &mut self.0 {
            text.zeroize();
        }
    }
}
