//! The rest of a token's payload, deserialised when somebody asks for it.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use tollgate_jwt::{base64url, json};

use crate::issuer::{ClaimPath, Expected};
use crate::limits::HIGHEST_MAX_MEMBERS;

/// A claim, or the claims, do not have the shape that was asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClaimsError {
    message: String,
}

impl fmt::Display for ClaimsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the claims have another shape: {:?}", self.message)
    }
}

impl std::error::Error for ClaimsError {}

/// All claims of `payload`, the base64url of a JSON object.
pub(crate) fn all<T: DeserializeOwned>(payload: &[u8]) -> Result<T, ClaimsError> {
    let mut text = decode(payload)?;
    simd_json::from_slice(&mut text).map_err(error)
}

/// The claim `name` of `payload`, the base64url of a JSON object.
pub(crate) fn one<T: DeserializeOwned>(payload: &[u8], name: &str) -> Result<Option<T>, ClaimsError> {
    let mut text = decode(payload)?;
    let mut deserializer = simd_json::Deserializer::from_slice(&mut text).map_err(error)?;
    Member { name, value: PhantomData }.deserialize(&mut deserializer).map_err(error)
}

/// Whether the claim at `path` of `payload`, the base64url of a JSON object, has a value that is expected.
pub(crate) fn has(payload: &[u8], path: &ClaimPath, expected: &Expected) -> bool {
    let mut buffer = json::Buffer::default();
    // The limits that the token was verified within are no wider.
    let Ok(text) = decode(payload) else { return false };
    json::parse_within(&text, HIGHEST_MAX_MEMBERS, &mut buffer)
        .is_ok_and(|claims| path.find(claims.root()).is_some_and(|value| expected.admits(value)))
}

fn decode(payload: &[u8]) -> Result<Vec<u8>, ClaimsError> {
    let mut text = Vec::new();
    base64url::decode(payload, &mut text).map_err(error)?;
    Ok(text)
}

fn error(cause: impl fmt::Display) -> ClaimsError {
    ClaimsError { message: cause.to_string() }
}

/// Deserialises one member of an object and passes over the others.
struct Member<'n, T> {
    name: &'n str,
    value: PhantomData<T>,
}

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for Member<'_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Member<'_, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut value = None;
        while let Some(name) = members.next_key::<String>()? {
            if name == self.name {
                value = Some(members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(value)
    }
}
