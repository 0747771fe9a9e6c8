use std::collections::HashSet;
use std::fmt;

use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

/// A JSON value (RFC 8259) in which no object has two members of one name. Numbers are kept as they were written.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A finite number, as text.
    Number(String),
    /// A string, with its escapes resolved.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object, its members in order.
    Object(Vec<(String, Json)>),
}

/// Not JSON, or not within the limits.
#[derive(Debug)]
pub struct NotStrict;

/// The deepest nesting that tollgate accepts: the documented value from `tollgate_jwt::limits`.
const MAX_NESTING: usize = 16;

impl Json {
    /// Parses `text`, all of it.
    ///
    /// # Errors
    /// [`NotStrict`].
    pub fn parse(text: &[u8]) -> Result<Json, NotStrict> {
        let text = std::str::from_utf8(text).map_err(|_| NotStrict)?;
        let raw: &RawValue = serde_json::from_str(text).map_err(|_| NotStrict)?;
        read(raw, 1)
    }

    /// The most members of one object in `text`, duplicates included; 0 if `text` is not JSON.
    #[must_use]
    pub fn widest(text: &[u8]) -> usize {
        std::str::from_utf8(text).ok().and_then(|text| serde_json::from_str(text).ok()).map_or(0, widest)
    }

    /// The value of the member `name` of an object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(member, _)| member == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The string, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number as an integer, rounded down and clamped to `i64`.
    #[must_use]
    pub fn floor(&self) -> Option<i64> {
        self.integer(f64::floor)
    }

    /// Like [`Json::floor`], but rounded up.
    #[must_use]
    pub fn ceil(&self) -> Option<i64> {
        self.integer(f64::ceil)
    }

    fn integer(&self, round: fn(f64) -> f64) -> Option<i64> {
        let Json::Number(text) = self else { return None };
        match text.parse::<i128>() {
            Ok(exact) => Some(exact.clamp(i64::MIN.into(), i64::MAX.into()) as i64),
            // A fraction, an exponent or very many digits: the nearest double (RFC 8259 section 6).
            Err(_) => text.parse::<f64>().ok().map(|double| round(double) as i64),
        }
    }
}

/// Reads one value whose syntax serde_json has checked. Each level is scanned again, which is slow but simple.
fn read(raw: &RawValue, depth: usize) -> Result<Json, NotStrict> {
    let text = raw.get();
    match text.as_bytes()[0] {
        b'{' | b'[' if depth > MAX_NESTING => Err(NotStrict),
        b'{' => {
            let mut names = HashSet::new();
            let mut object = Vec::new();
            for (name, value) in members(text)? {
                if !names.insert(name.clone()) {
                    return Err(NotStrict);
                }
                object.push((name, read(value, depth + 1)?));
            }
            Ok(Json::Object(object))
        }
        b'[' => {
            let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| NotStrict)?;
            elements.into_iter().map(|element| read(element, depth + 1)).collect::<Result<_, _>>().map(Json::Array)
        }
        b'"' => serde_json::from_str(text).map(Json::String).map_err(|_| NotStrict),
        b't' => Ok(Json::Bool(true)),
        b'f' => Ok(Json::Bool(false)),
        b'n' => Ok(Json::Null),
        _ => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Json::Number(text.to_owned())),
            _ => Err(NotStrict),
        },
    }
}

fn widest(raw: &RawValue) -> usize {
    let text = raw.get();
    match text.as_bytes()[0] {
        b'{' => {
            let members = members(text).unwrap_or_default();
            members.iter().map(|(_, value)| widest(value)).fold(members.len(), usize::max)
        }
        b'[' => {
            let elements: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
            elements.into_iter().map(widest).max().unwrap_or(0)
        }
        _ => 0,
    }
}

/// The members of an object, duplicates included. `serde_json::Value` would keep only the last of a name.
fn members(text: &str) -> Result<Vec<(String, &RawValue)>, NotStrict> {
    struct Members;

    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, &'de RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }

    serde_json::Deserializer::from_str(text).deserialize_map(Members).map_err(|_| NotStrict)
}
