//! Writes a rotation as one private JWKS and reads it back. The members that RFC 7517 does not define begin with
//! `tollgate_`; other readers ignore them.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::{
    error::IssuerError,
    limits::{DEFAULT_OVERLAP_SECONDS, MAX_PRIVATE_KEY_BYTES, MAX_PUBLISHED_KEYS},
    material::Member,
    published_key::{KeyRole, PublishedKey},
    rotation::{RetiredKey, Rotation, check_overlap, check_time},
    signing_key::SigningKey,
};

const STATE: &str = "tollgate_state";
const SINCE: &str = "tollgate_since";
const RETIRES_AT: &str = "tollgate_retires_at";

const NOT_A_ROTATION: IssuerError = IssuerError::NotAPrivateKey { format: "private JWKS" };

pub(crate) fn write(rotation: &Rotation) -> Zeroizing<String> {
    let keys: Vec<_> = rotation.roles().map(|published| entry(&published)).collect();

    // Allocated at full size, because reallocation would leave an unwiped copy: each key with a comma, and the text
    // around them.
    let capacity = keys.iter().map(|key| key.len() + 1).sum::<usize>() + 64;
    let mut text = Zeroizing::new(String::with_capacity(capacity));
    text.push_str("{\"tollgate_overlap\":");
    text.push_str(&rotation.overlap_seconds.to_string());
    text.push_str(",\"keys\":[");
    for (index, key) in keys.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(key);
    }
    text.push_str("]}");
    text
}

fn entry(PublishedKey { key, role }: &PublishedKey) -> Zeroizing<String> {
    let (state, time) = match *role {
        KeyRole::Signing { since } => ("signing", since.map(|since| Member::number(SINCE, since))),
        KeyRole::Announced { since } => ("announced", Some(Member::number(SINCE, since))),
        KeyRole::Retired { until } => ("retired", Some(Member::number(RETIRES_AT, until))),
    };
    let mut members = vec![Member::text(STATE, state)];
    members.extend(time);
    key.private_jwk_with(members)
}

pub(crate) fn read(json: &str) -> Result<Rotation, IssuerError> {
    if json.len() > MAX_PUBLISHED_KEYS * MAX_PRIVATE_KEY_BYTES {
        return Err(IssuerError::PrivateKeyTooLong { bytes: json.len() });
    }
    // serde_json's message may quote the text, so it is dropped.
    let file: PrivateJwks = serde_json::from_str(json).map_err(|_| NOT_A_ROTATION)?;
    file.into_rotation()
}

/// The keys stay text here, so that their secrets are parsed once, into types that wipe them.
#[derive(Deserialize)]
struct PrivateJwks<'j> {
    tollgate_overlap: Option<i64>,
    #[serde(borrow)]
    keys: Vec<&'j RawValue>,
}

/// The members of an entry that are not part of its JWK.
#[derive(Deserialize)]
struct EntryState {
    #[serde(default)]
    tollgate_state: State,
    tollgate_since: Option<i64>,
    tollgate_retires_at: Option<i64>,
}

#[derive(Clone, Copy, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
enum State {
    #[default]
    Signing,
    Announced,
    Retired,
}

impl PrivateJwks<'_> {
    fn into_rotation(self) -> Result<Rotation, IssuerError> {
        let overlap = check_overlap(self.tollgate_overlap.unwrap_or(DEFAULT_OVERLAP_SECONDS))?;
        let mut entries = Vec::with_capacity(self.keys.len());
        for key in self.keys {
            let entry_state: EntryState = serde_json::from_str(key.get()).map_err(|_| NOT_A_ROTATION)?;
            entries.push((key.get(), entry_state));
        }
        let (signing, others): (Vec<(&str, EntryState)>, Vec<_>) =
            entries.into_iter().partition(|(_, entry_state)| entry_state.tollgate_state == State::Signing);
        let [(signing, state)] = signing.as_slice() else {
            return Err(NOT_A_ROTATION);
        };
        let mut rotation = Rotation::new(SigningKey::from_jwk(signing)?, overlap);
        rotation.signing_since = state.tollgate_since.map(|time| time_of(SINCE, Some(time))).transpose()?;
        for (jwk, entry_state) in others {
            entry_state.add(SigningKey::from_jwk(jwk)?, &mut rotation)?;
        }
        Ok(rotation)
    }
}

/// The time in a member that has to be there.
fn time_of(name: &'static str, time: Option<i64>) -> Result<i64, IssuerError> {
    time.and_then(|time| check_time(time).ok()).ok_or(IssuerError::InvalidMember { name })
}

impl EntryState {
    fn add(&self, key: SigningKey, rotation: &mut Rotation) -> Result<(), IssuerError> {
        if self.tollgate_state == State::Announced {
            return rotation.announce(key, time_of(SINCE, self.tollgate_since)?);
        }
        let retires_at = time_of(RETIRES_AT, self.tollgate_retires_at)?;
        rotation.check_admits(&key)?;
        rotation.retired.push(RetiredKey { key: Arc::new(key), retires_at });
        Ok(())
    }
}
