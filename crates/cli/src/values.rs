//! What the values of options are.

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::{Deserialize, Serialize};
use tollgate::{Algorithm, TypProfile};

/// Reads `--alg`.
pub(crate) fn algorithm() -> impl TypedValueParser<Value = Algorithm> {
    PossibleValuesParser::new(Algorithm::all().map(Algorithm::name))
        .try_map(|name| Algorithm::from_name(&name).ok_or("no such algorithm"))
}

/// An algorithm in a configuration file.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct AlgorithmName(pub(crate) Algorithm);

impl TryFrom<String> for AlgorithmName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let names = || Algorithm::all().map(Algorithm::name).collect::<Vec<_>>().join(", ");
        Algorithm::from_name(&name)
            .map(AlgorithmName)
            .ok_or_else(|| format!("unknown algorithm, expected one of {}", names()))
    }
}

/// Which `typ` the tokens of an issuer bear.
#[derive(Clone, Copy, Debug, Deserialize, ValueEnum)]
pub(crate) enum Typ {
    /// `JWT`, or absent
    #[value(name = "JWT")]
    #[serde(rename = "JWT")]
    Jwt,
    /// `at+jwt`: access tokens of RFC 9068, with the claims that it requires
    #[value(name = "at+jwt", alias = "application/at+jwt")]
    #[serde(rename = "at+jwt", alias = "application/at+jwt")]
    AccessToken,
    /// Each of the two, by its own rules
    #[value(name = "either")]
    #[serde(rename = "either")]
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

/// What a key of an API-keys file is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// An API key: taken bare, as Bearer, or from its own header
    ApiKey,
    /// The secret of a client: taken as Basic with the client id
    ClientSecret,
    /// An opaque access token: taken as Bearer
    AccessToken,
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
