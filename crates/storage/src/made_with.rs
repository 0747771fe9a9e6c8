//! Proof types of derivation and rotation: only the check constructs such a value, and only such a value is written.

use crate::error::Refusal;
use crate::key::StoredKey;

/// A key that may succeed another.
#[derive(Debug)]
pub(crate) struct Successor(StoredKey);

/// An API key that may be made with another.
#[derive(Debug)]
pub(crate) struct DerivedKey<'k>(&'k StoredKey);

impl Successor {
    /// Succeeds if `old` is active, has not ended and was not rotated, and `new`, made now, does not exceed its powers.
    /// The new key gets the parent of the old one, and ends with it.
    pub(crate) fn of(old: &StoredKey, new: &StoredKey) -> Result<Self, Refusal> {
        old.check_successor(new)?;
        Ok(Self(StoredKey { parent: old.parent.clone(), ..new.clone() }))
    }

    pub(crate) fn key(&self) -> &StoredKey {
        &self.0
    }
}

impl<'k> DerivedKey<'k> {
    /// Succeeds if `maker` is active and has not ended, and `new`, made now, is of its kind and does not exceed its
    /// powers, addresses and lifetime.
    pub(crate) fn of(maker: &StoredKey, new: &'k StoredKey) -> Result<Self, Refusal> {
        maker.check_derived(new)?;
        Ok(Self(new))
    }

    pub(crate) fn key(&self) -> &'k StoredKey {
        self.0
    }
}
