//! The state of a rotation, without clock, lock or readers.

use std::sync::Arc;

use tollgate_keys::{KeySet, KeySetBuilder};

use crate::{
    error::IssuerError,
    limits::{MAX_PUBLISHED_KEYS, MAX_TIME_SECONDS},
    published_key::{KeyRole, PublishedKey},
    signing_key::SigningKey,
};

/// The keys of an issuer, by their present role.
pub(crate) struct Rotation {
    pub(crate) overlap_seconds: i64,
    pub(crate) signing: Arc<SigningKey>,
    /// Since when it signs, in seconds since the Unix epoch, if that is known.
    pub(crate) signing_since: Option<i64>,
    /// Published; does not sign yet.
    pub(crate) announced: Option<AnnouncedKey>,
    /// Published; no longer signing. In the order in which they stopped signing.
    pub(crate) retired: Vec<RetiredKey>,
}

pub(crate) struct AnnouncedKey {
    pub(crate) key: Arc<SigningKey>,
    /// Published since this time, in seconds since the Unix epoch.
    pub(crate) announced_at: i64,
}

pub(crate) struct RetiredKey {
    pub(crate) key: Arc<SigningKey>,
    /// Published until this time, exclusive, in seconds since the Unix epoch.
    pub(crate) retires_at: i64,
}

pub(crate) fn check_overlap(seconds: i64) -> Result<i64, IssuerError> {
    if (0..=MAX_TIME_SECONDS).contains(&seconds) { Ok(seconds) } else { Err(IssuerError::InvalidOverlap { seconds }) }
}

pub(crate) fn check_time(seconds: i64) -> Result<i64, IssuerError> {
    if (0..=MAX_TIME_SECONDS).contains(&seconds) { Ok(seconds) } else { Err(IssuerError::InvalidTime { seconds }) }
}

impl Rotation {
    pub(crate) fn new(signing: SigningKey, overlap_seconds: i64) -> Self {
        let signing = Arc::new(signing);
        Self { overlap_seconds, signing, signing_since: None, announced: None, retired: Vec::new() }
    }

    pub(crate) fn announce(&mut self, next: SigningKey, now: i64) -> Result<(), IssuerError> {
        check_time(now)?;
        if let Some(announced) = &self.announced {
            return Err(IssuerError::AlreadyAnnounced { kid: announced.key.kid().to_owned() });
        }
        self.check_admits(&next)?;
        self.announced = Some(AnnouncedKey { key: Arc::new(next), announced_at: now });
        Ok(())
    }

    pub(crate) fn rotate(&mut self, now: i64) -> Result<i64, IssuerError> {
        check_time(now)?;
        let next = self.announced.take().ok_or(IssuerError::NothingAnnounced)?;
        let key = std::mem::replace(&mut self.signing, next.key);
        self.signing_since = Some(now);
        let retires_at = now.saturating_add(self.overlap_seconds).min(MAX_TIME_SECONDS);
        self.retired.push(RetiredKey { key, retires_at });
        Ok(retires_at)
    }

    pub(crate) fn prune(&mut self, now: i64) -> usize {
        let before = self.retired.len();
        self.retired.retain(|retired| now < retired.retires_at);
        before - self.retired.len()
    }

    pub(crate) fn withdraw(&mut self, kid: &str) -> Result<(), IssuerError> {
        if self.signing.kid() == kid {
            return Err(IssuerError::KeyInUse { kid: kid.to_owned() });
        }
        if self.announced.take_if(|announced| announced.key.kid() == kid).is_some() {
            return Ok(());
        }
        let found = self.retired.iter().position(|retired| retired.key.kid() == kid);
        let index = found.ok_or_else(|| IssuerError::UnknownKey { kid: kid.to_owned() })?;
        self.retired.remove(index);
        Ok(())
    }

    /// Every published key with its role: the signing one, the announced one, and the retired ones, the oldest first.
    pub(crate) fn roles(&self) -> impl Iterator<Item = PublishedKey> {
        let signing = PublishedKey { key: self.signing.clone(), role: KeyRole::Signing { since: self.signing_since } };
        let announced = self.announced.iter().map(|announced| PublishedKey {
            key: announced.key.clone(),
            role: KeyRole::Announced { since: announced.announced_at },
        });
        let retired = self.retired.iter().map(|retired| PublishedKey {
            key: retired.key.clone(),
            role: KeyRole::Retired { until: retired.retires_at },
        });
        std::iter::once(signing).chain(announced).chain(retired)
    }

    pub(crate) fn next_retirement(&self) -> Option<i64> {
        self.retired.iter().map(|retired| retired.retires_at).min()
    }

    /// Checks that neither the `kid` of `key` nor the key itself is already published.
    pub(crate) fn check_admits(&self, key: &SigningKey) -> Result<(), IssuerError> {
        let thumbprint = key.verifying_key().thumbprint();
        let twin = self
            .published()
            .any(|published| published.kid() == key.kid() || published.verifying_key().thumbprint() == thumbprint);
        if twin {
            return Err(IssuerError::DuplicateKey { kid: key.kid().to_owned() });
        }
        if self.published().count() >= MAX_PUBLISHED_KEYS {
            return Err(IssuerError::TooManyKeys);
        }
        Ok(())
    }

    pub(crate) fn jwks(&self) -> String {
        let keys: Vec<String> = self.published().filter_map(SigningKey::public_jwk).collect();
        format!("{{\"keys\":[{}]}}", keys.join(","))
    }

    pub(crate) fn key_set(&self) -> KeySet {
        let keys = self.published().map(|key| key.verifying_key().clone());
        // No key is refused: `check_admits` has excluded duplicate names.
        keys.fold(KeySet::builder(), KeySetBuilder::key).build_with_reports().set
    }

    fn published(&self) -> impl Iterator<Item = &SigningKey> {
        let announced = self.announced.iter().map(|announced| &announced.key);
        let retired = self.retired.iter().map(|retired| &retired.key);
        std::iter::once(&self.signing).chain(announced).chain(retired).map(AsRef::as_ref)
    }
}
