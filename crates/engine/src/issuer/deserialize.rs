//! Deserialises settings from a configuration file where that is not derived.

use std::fmt::{self, Display};

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use tollgate_keys::{Algorithm, KeyUses};

use super::claim_path::ClaimPath;
use super::expected::{Expected, ExpectedValue};
use super::optional_claim::OptionalClaim;
use super::sources::ScopeSource;
use super::spiffe::TrustDomain;
use super::typ::{TypProfile, TypSet};

/// A list of names of algorithms.
pub(super) fn algorithms<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Algorithm>>, D::Error> {
    struct Named(Algorithm);

    impl<'de> Deserialize<'de> for Named {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            text(deserializer, "the name of an algorithm", |name| {
                let names = || Algorithm::all().map(Algorithm::name).collect::<Vec<_>>().join(", ");
                let unknown = || format!("unknown algorithm {name:?}, expected one of {}", names());
                Algorithm::from_name(name).map(Named).ok_or_else(unknown)
            })
        }
    }

    let named = Vec::<Named>::deserialize(deserializer)?;
    Ok(Some(named.into_iter().map(|named| named.0).collect()))
}

/// A list of accepted values of `use`.
pub(super) fn key_use<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<KeyUses>, D::Error> {
    struct Uses(KeyUses);

    impl<'de> Deserialize<'de> for Uses {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let accepted = Vec::<String>::deserialize(deserializer)?;
            KeyUses::new(accepted.iter().map(String::as_str)).map(Uses).map_err(D::Error::custom)
        }
    }

    Uses::deserialize(deserializer).map(|uses| Some(uses.0))
}

/// Parses a text. The error is raised at the text itself, so that it has the text's line.
fn text<'de, D: Deserializer<'de>, T, E: Display>(
    deserializer: D,
    expected: &'static str,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error> {
    struct Text<F>(&'static str, F);

    impl<T, E: Display, F: FnOnce(&str) -> Result<T, E>> Visitor<'_> for Text<F> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<Err: Error>(self, text: &str) -> Result<T, Err> {
            (self.1)(text).map_err(Err::custom)
        }
    }

    deserializer.deserialize_str(Text(expected, read))
}

impl<'de> Deserialize<'de> for ClaimPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "a claim's name or a JSON Pointer", str::parse)
    }
}

impl<'de> Deserialize<'de> for TrustDomain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "the name of a trust domain", str::parse)
    }
}

impl<'de> Deserialize<'de> for OptionalClaim {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "a claim's name", str::parse)
    }
}

/// A table of claims and their expected values.
pub(super) fn expectations<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(ClaimPath, Expected)>, D::Error> {
    struct Table;

    impl<'de> Visitor<'de> for Table {
        type Value = Vec<(ClaimPath, Expected)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a table of claims and the values that they may have")
        }

        fn visit_map<M: MapAccess<'de>>(self, mut table: M) -> Result<Self::Value, M::Error> {
            let mut expectations = Vec::new();
            while let Some(expectation) = table.next_entry()? {
                expectations.push(expectation);
            }
            Ok(expectations)
        }
    }

    deserializer.deserialize_map(Table)
}

impl<'de> Deserialize<'de> for TypProfile {
    /// `JWT`, `at+jwt` (also with `application/`), `either`, or a list of media types.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Typ;

        impl<'de> Visitor<'de> for Typ {
            type Value = TypProfile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"JWT\", \"at+jwt\", \"either\", or a list of media types")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<TypProfile, E> {
                match word {
                    "JWT" => Ok(TypProfile::Jwt),
                    "at+jwt" | "application/at+jwt" => Ok(TypProfile::AccessToken),
                    "either" => Ok(TypProfile::JwtOrAccessToken),
                    _ => Err(E::invalid_value(Unexpected::Str(word), &self)),
                }
            }

            fn visit_seq<S: SeqAccess<'de>>(self, list: S) -> Result<TypProfile, S::Error> {
                let types = Vec::<String>::deserialize(SeqAccessDeserializer::new(list))?;
                TypSet::new(types.iter().map(String::as_str)).map(TypProfile::OneOf).map_err(S::Error::custom)
            }
        }

        deserializer.deserialize_any(Typ)
    }
}

impl<'de> Deserialize<'de> for ScopeSource {
    /// A claim, or `{ at, prefix }`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Source;

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Prefixed {
            at: ClaimPath,
            prefix: String,
        }

        impl<'de> Visitor<'de> for Source {
            type Value = ScopeSource;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a claim's name, a JSON Pointer, or { at, prefix }")
            }

            fn visit_str<E: Error>(self, path: &str) -> Result<ScopeSource, E> {
                path.parse().map_err(E::custom)
            }

            fn visit_map<M: MapAccess<'de>>(self, table: M) -> Result<ScopeSource, M::Error> {
                let Prefixed { at, prefix } = Prefixed::deserialize(MapAccessDeserializer::new(table))?;
                ScopeSource::with_prefix(at, &prefix).map_err(M::Error::custom)
            }
        }

        deserializer.deserialize_any(Source)
    }
}

impl<'de> Deserialize<'de> for Expected {
    /// A value, or a list of values.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values;

        impl<'de> Visitor<'de> for Values {
            type Value = Expected;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, a number, a boolean, or a list of these")
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Expected, E> {
                ExpectedVisitor.visit_bool(value).map(Expected::from)
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Expected, E> {
                ExpectedVisitor.visit_i64(value).map(Expected::from)
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Expected, E> {
                ExpectedVisitor.visit_u64(value).map(Expected::from)
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Expected, E> {
                ExpectedVisitor.visit_f64(value).map(Expected::from)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Expected, E> {
                ExpectedVisitor.visit_str(text).map(Expected::from)
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Expected, S::Error> {
                let mut values: Vec<ExpectedValue> = Vec::new();
                while let Some(value) = list.next_element()? {
                    values.push(value);
                }
                Ok(values.into())
            }
        }

        deserializer.deserialize_any(Values)
    }
}

impl<'de> Deserialize<'de> for ExpectedValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExpectedVisitor)
    }
}

struct ExpectedVisitor;

impl Visitor<'_> for ExpectedVisitor {
    type Value = ExpectedValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a number or a boolean")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<ExpectedValue, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<ExpectedValue, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<ExpectedValue, E> {
        i64::try_from(value).map(Into::into).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<ExpectedValue, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ExpectedValue, E> {
        Ok(text.into())
    }
}
