//! What may be made with a key, or in its place: only the check makes such a value, and only such a value is written.

use crate::error::Refusal;
use crate::key::StoredKey;

/// A key that may take the place of another.
#[derive(Debug)]
pub(crate) struct Successor(StoredKey);

/// An API key that may be made with another.
#[derive(Debug)]
pub(crate) struct DerivedKey<'k>(&'k StoredKey);

impl Successor {
    /// Passes where `old` is active, has not ended and was not rotated, and `new`, which is made now, can do no more. It ends with what the
    /// old one does.
    pub(crate) fn of(old: &StoredKey, new: &StoredKey) -> Result<Self, Refusal> {
        old.check_successor(new)?;
        Ok(Self(StoredKey { parent: old.parent.clone(), ..new.clone() }))
    }

    pub(crate) fn key(&self) -> &StoredKey {
        &self.0
    }
}

impl<'k> DerivedKey<'k> {
    /// Passes where `maker` is active and has not ended, and `new`, which is made now, is another of its kind and can do no more, from
    /// elsewhere or longer.
    pub(crate) fn of(maker: &StoredKey, new: &'k StoredKey) -> Result<Self, Refusal> {
        maker.check_derived(new)?;
        Ok(Self(new))
    }

    pub(crate) fn key(&self) -> &'k StoredKey {
        self.0
    }
}
