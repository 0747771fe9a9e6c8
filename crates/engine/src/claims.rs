//! Deserialises the payload of a token on demand.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_path_to_error::{Path, Segment, Track};
use tollgate_jwt::{base64url, json};

use crate::excerpt::{Brief, excerpt_of};
use crate::issuer::{ClaimPath, Expected};
use crate::limits::HIGHEST_MAX_MEMBERS;

/// The error if a claim, or the claims as a whole, do not have the requested shape.
///
/// ```
/// use tollgate::{Principal, Rejection};
///
/// fn tenant(principal: &Principal) -> Option<u32> {
///     principal.claim("tenant").unwrap_or_else(|error| {
///         // Such as: the claim tenant has another shape: "ExpectedUnsigned at character 0"
///         eprintln!("{error}");
///         None
///     })
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClaimsError {
    claim: Option<ClaimPath>,
    reason: Box<str>,
}

impl ClaimsError {
    /// The claim, or the part of one, that does not fit. `None` if the claims as a whole do not fit; the message names
    /// a member that is absent.
    #[must_use]
    pub fn claim(&self) -> Option<&ClaimPath> {
        self.claim.as_ref()
    }

    #[cold]
    fn new(path: &Path, reason: impl fmt::Display) -> Self {
        let steps = path.iter().filter_map(|segment| match segment {
            Segment::Map { key } => Some(key.as_str().into()),
            Segment::Seq { index } => Some(index.to_string().into()),
            Segment::Enum { .. } | Segment::Unknown => None,
        });
        ClaimsError { claim: ClaimPath::from_steps(steps), reason: excerpt_of(reason) }
    }

    /// The payload cannot be read. That of a verified token always can.
    #[cold]
    fn unreadable(reason: impl fmt::Display) -> Self {
        ClaimsError { claim: None, reason: excerpt_of(reason) }
    }
}

impl fmt::Display for ClaimsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.claim {
            Some(claim) => write!(f, "the claim {} has another shape: {:?}", Brief(claim, 60), self.reason),
            None => write!(f, "the claims have another shape: {:?}", self.reason),
        }
    }
}

impl std::error::Error for ClaimsError {}

/// All claims of `payload`, the base64url of a JSON object.
pub(crate) fn all<T: DeserializeOwned>(payload: &[u8]) -> Result<T, ClaimsError> {
    tracked(payload, PhantomData)
}

/// The claim `name` of `payload`, the base64url of a JSON object.
pub(crate) fn one<T: DeserializeOwned>(payload: &[u8], name: &str) -> Result<Option<T>, ClaimsError> {
    tracked(payload, Member { name, value: PhantomData })
}

/// The claim `name` of `payload`, the base64url of a JSON object: a time in seconds since the Unix epoch, rounded
/// down.
pub(crate) fn time(payload: &[u8], name: &str) -> Result<Option<i64>, ClaimsError> {
    let mut buffer = json::Buffer::default();
    let text = decode(payload)?;
    let claims = json::parse_within(&text, HIGHEST_MAX_MEMBERS, &mut buffer).map_err(ClaimsError::unreadable)?;
    let Some(value) = claims.root().get(name) else { return Ok(None) };
    let number = value
        .as_number()
        .ok_or_else(|| ClaimsError { claim: ClaimPath::from_steps([name.into()]), reason: "not a number".into() })?;
    Ok(Some(number.floor()))
}

/// Whether the claim at `path` of `payload`, the base64url of a JSON object, has a value that is expected.
pub(crate) fn has(payload: &[u8], path: &ClaimPath, expected: &Expected) -> bool {
    let mut buffer = json::Buffer::default();
    // The token was verified within limits that are no wider.
    let Ok(text) = decode(payload) else { return false };
    json::parse_within(&text, HIGHEST_MAX_MEMBERS, &mut buffer)
        .is_ok_and(|claims| path.find(claims.root()).is_some_and(|value| expected.admits(value)))
}

fn decode(payload: &[u8]) -> Result<Vec<u8>, ClaimsError> {
    let mut text = Vec::new();
    base64url::decode(payload, &mut text).map_err(ClaimsError::unreadable)?;
    Ok(text)
}

/// Deserialises `payload` with `seed`, and tracks the path for the error.
fn tracked<S: for<'de> DeserializeSeed<'de, Value = V>, V>(payload: &[u8], seed: S) -> Result<V, ClaimsError> {
    let mut text = decode(payload)?;
    let mut deserializer = simd_json::Deserializer::from_slice(&mut text).map_err(ClaimsError::unreadable)?;
    let mut track = Track::new();
    let tracking = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    seed.deserialize(tracking).map_err(|error| ClaimsError::new(&track.path(), error))
}

/// Deserialises one member of an object and ignores the others.
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
