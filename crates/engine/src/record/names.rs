use std::fmt;
use std::hash::{Hash, Hasher};

use super::interned::Interned;
use super::key_record::KeyRecord;
use crate::scopes::ScopeSet;

/// What the packed records of one table have in common: the table holds each of it once. Of no use outside of it.
///
/// What is in here stays until everything in the table is replaced.
#[derive(Default)]
pub struct Names {
    holders: Interned<Holder>,
    grants: Interned<Grant>,
}

/// Whom a key speaks for, and how its owner calls it.
pub(super) struct Holder {
    /// The subject, and behind it the name.
    text: Box<str>,
    subject_end: u32,
}

/// What keys were given alike.
pub(super) struct Grant {
    pub(super) id_prefix: Box<str>,
    pub(super) scopes: ScopeSet,
    pub(super) client_id: Option<Box<str>>,
}

/// One more than the highest number of a grant: it has 24 bits.
const GRANTS: u32 = 1 << 24;

impl Names {
    /// The number of the record's subject and name; `None` when there are too many.
    pub(super) fn holder_of(&self, record: &KeyRecord) -> Option<u32> {
        let (subject, label) = (record.subject(), record.label());
        let subject_end = u32::try_from(subject.len()).ok()?;
        let is_wanted = |holder: &Holder| holder.subject() == subject && holder.label() == label;
        let make = || Holder { text: [subject, label].concat().into(), subject_end };
        self.holders.number((subject, label), u32::MAX, is_wanted, make)
    }

    /// The number of what the record was given alike with others; `None` when there are too many.
    pub(super) fn grant_of(&self, record: &KeyRecord, id_prefix: &str, client_id: Option<&str>) -> Option<u32> {
        let scopes = record.granted_set();
        let is_wanted = |grant: &Grant| {
            *grant.id_prefix == *id_prefix && grant.scopes == *scopes && grant.client_id.as_deref() == client_id
        };
        let make =
            || Grant { id_prefix: id_prefix.into(), scopes: scopes.clone(), client_id: client_id.map(Into::into) };
        self.grants.number((id_prefix, scopes.as_str(), client_id), GRANTS, is_wanted, make)
    }

    #[inline]
    pub(super) fn holder(&self, number: u32) -> Option<&Holder> {
        self.holders.get(number)
    }

    #[inline]
    pub(super) fn grant(&self, number: u32) -> Option<&Grant> {
        self.grants.get(number)
    }
}

impl Holder {
    #[inline]
    pub(super) fn subject(&self) -> &str {
        &self.text[..self.subject_end as usize]
    }

    pub(super) fn label(&self) -> &str {
        &self.text[self.subject_end as usize..]
    }
}

impl Hash for Holder {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.subject(), self.label()).hash(state);
    }
}

impl Hash for Grant {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&*self.id_prefix, self.scopes.as_str(), self.client_id.as_deref()).hash(state);
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names(..)")
    }
}
