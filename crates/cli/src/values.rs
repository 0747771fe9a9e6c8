//! The values of options.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tollgate::{AddressBlock, Algorithm, ForwardedField, KeyKind, KeyState, PrincipalKind, PublicOrigin, TypProfile};

/// Reads `--alg`.
pub(crate) fn algorithm() -> impl TypedValueParser<Value = Algorithm> {
    PossibleValuesParser::new(Algorithm::all().map(Algorithm::name))
        .try_map(|name| Algorithm::from_name(&name).ok_or("no such algorithm"))
}

/// Reads `--client-address`.
pub(crate) fn forwarded_field() -> impl TypedValueParser<Value = ForwardedField> {
    PossibleValuesParser::new([ForwardedField::XForwardedFor, ForwardedField::Forwarded].map(ForwardedField::as_str))
        .try_map(|name| ForwardedField::from_name(&name).ok_or("no such field"))
}

/// The fields with whole certificates.
pub(crate) fn certificate_field() -> impl TypedValueParser<Value = tollgate::CertificateField> {
    use tollgate::CertificateField::{ClientCert, XSslClientCert};
    PossibleValuesParser::new([ClientCert, XSslClientCert].map(tollgate::CertificateField::as_str))
        .try_map(|name| tollgate::CertificateField::from_name(&name).ok_or("no such field"))
}

/// Kinds of credentials in a configuration file, at least one.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub(crate) struct Kinds(pub(crate) Vec<PrincipalKind>);

impl TryFrom<Vec<String>> for Kinds {
    type Error = String;

    fn try_from(names: Vec<String>) -> Result<Self, String> {
        let known = PrincipalKind::ALL.map(PrincipalKind::as_str).join(", ");
        let kind = |name: &String| {
            PrincipalKind::from_name(name).ok_or_else(|| format!("unknown kind `{name}`, expected some of {known}"))
        };
        let kinds: Vec<_> = names.iter().map(kind).collect::<Result<_, _>>()?;
        if kinds.is_empty() { Err(format!("no kind is accepted, expected some of {known}")) } else { Ok(Kinds(kinds)) }
    }
}

/// The addresses of trusted proxies in a configuration file, at least one.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub(crate) struct Proxies(pub(crate) Vec<AddressBlock>);

impl TryFrom<Vec<String>> for Proxies {
    type Error = String;

    fn try_from(blocks: Vec<String>) -> Result<Self, String> {
        if blocks.is_empty() {
            return Err("no proxy is trusted, so that client_address would never be read; name one".to_owned());
        }
        blocks.iter().map(|block| proxy(block)).collect::<Result<_, _>>().map(Proxies)
    }
}

/// Reads the address of a trusted proxy, or a block of such addresses.
pub(crate) fn proxy(text: &str) -> Result<AddressBlock, String> {
    let block: AddressBlock = text.parse().map_err(|error| format!("`{text}` is {error}"))?;
    if block.is_everything() {
        return Err(format!(
            "`{text}` makes a trusted proxy of every client, so that none is ever known; name the proxies"
        ));
    }
    Ok(block)
}

/// `client_address` in a configuration file.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Field(pub(crate) ForwardedField);

impl TryFrom<String> for Field {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let known = "expected x-forwarded-for or forwarded";
        ForwardedField::from_name(&name).map(Field).ok_or_else(|| format!("unknown header `{name}`, {known}"))
    }
}

/// `client_certificate` in a configuration file.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct CertificateField(pub(crate) tollgate::CertificateField);

impl TryFrom<String> for CertificateField {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let known = "expected client-cert, x-forwarded-client-cert or x-ssl-client-cert";
        let field = tollgate::CertificateField::from_name(&name).map(CertificateField);
        field.ok_or_else(|| format!("unknown header `{name}`, {known}"))
    }
}

/// `public_origins` in a configuration file, at least one.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub(crate) struct Origins(pub(crate) Vec<String>);

impl TryFrom<Vec<String>> for Origins {
    type Error = String;

    fn try_from(origins: Vec<String>) -> Result<Self, String> {
        if origins.is_empty() {
            return Err("there is no public origin, expected one or more".to_owned());
        }
        let check = |text: &String| match text.parse::<PublicOrigin>() {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("`{text}` is {error}")),
        };
        origins.iter().try_for_each(check).map(|()| Origins(origins))
    }
}

/// The name of an algorithm in a configuration file.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct AlgorithmName(pub(crate) Algorithm);

impl TryFrom<String> for AlgorithmName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Algorithm::from_name(&name).map(AlgorithmName).ok_or_else(|| format!("unknown algorithm `{name}`"))
    }
}

/// Whether proofs of possession need a nonce.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Nonce {
    #[default]
    Off,
    Required,
}

/// Which `typ` the tokens of an issuer have.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Typ {
    /// `JWT`, or absent
    #[value(name = "JWT")]
    Jwt,
    /// `at+jwt`: access tokens of RFC 9068, with the claims that it requires
    #[value(name = "at+jwt", alias = "application/at+jwt")]
    AccessToken,
    /// Either of the two, by its own rules
    #[value(name = "either")]
    Either,
}

impl From<Typ> for TypProfile {
    fn from(typ: Typ) -> Self {
        match typ {
            Typ::Jwt => TypProfile::Jwt,
            Typ::AccessToken => TypProfile::AccessToken,
            Typ::Either => TypProfile::JwtOrAccessToken,
        }
    }
}

/// The use of a key of an API-keys file.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// An API key: accepted bare, as Bearer, or in its own header
    #[default]
    ApiKey,
    /// The secret of a client: accepted as Basic with the client id
    ClientSecret,
    /// An opaque access token: accepted as Bearer
    AccessToken,
}

impl From<Kind> for KeyKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::ApiKey => KeyKind::ApiKey,
            Kind::ClientSecret => KeyKind::ClientSecret,
            Kind::AccessToken => KeyKind::AccessToken,
        }
    }
}

/// Whether a key may be used.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// The key is accepted
    Active,
    /// The key is rejected until it is enabled again
    Disabled,
    /// The key is rejected permanently
    Revoked,
}

impl From<State> for KeyState {
    fn from(state: State) -> Self {
        match state {
            State::Active => KeyState::Active,
            State::Disabled => KeyState::Disabled,
            State::Revoked => KeyState::Revoked,
        }
    }
}

/// Reads a moment as seconds since the Unix epoch: that number, a date or a time of RFC 3339, `now`, or a time from
/// now, which [`seconds`] reads with a unit.
pub(crate) fn moment(text: &str) -> Result<i64, String> {
    const FORMS: &str =
        "give seconds since the Unix epoch, 2026-12-31, 2026-12-31T12:00:00Z, now, or from now 90s, 15m, 12h, 30d";
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    if text == "now" {
        return Ok(now());
    }
    if let Ok(length) = seconds(text) {
        return Ok(now() + i64::from(length));
    }
    let time = if text.len() == "2026-12-31".len() { format!("{text}T00:00:00Z") } else { text.to_owned() };
    OffsetDateTime::parse(&time, &Rfc3339).map(OffsetDateTime::unix_timestamp).map_err(|_| FORMS.to_owned())
}

/// Seconds since the Unix epoch for people: RFC 3339, or the number if RFC 3339 cannot express the time.
pub(crate) fn shown_moment(seconds: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|time| time.format(&Rfc3339).ok());
    time.unwrap_or_else(|| seconds.to_string())
}

/// Seconds since the Unix epoch.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// Reads a length of time: seconds, or a number with a unit, `90s`, `15m`, `12h`, `30d`.
pub(crate) fn seconds(text: &str) -> Result<u32, String> {
    let (number, unit) = match text.char_indices().next_back() {
        Some((last, 's')) => (&text[..last], 1),
        Some((last, 'm')) => (&text[..last], 60),
        Some((last, 'h')) => (&text[..last], 60 * 60),
        Some((last, 'd')) => (&text[..last], 24 * 60 * 60),
        _ => (text, 1_u32),
    };
    let number =
        number.parse::<u32>().map_err(|_| "give seconds, or a number with a unit: 90s, 15m, 12h, 30d".to_owned())?;
    number.checked_mul(unit).ok_or_else(|| "at most 4294967295 seconds".to_owned())
}
