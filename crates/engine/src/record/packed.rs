//! A record in 32 bytes.
//!
//! | number | bits | |
//! |---|---|---|
//! | 0 | 0 | 1 |
//! | | 1 to 2 | kind |
//! | | 3 to 4 | state |
//! | | 5 to 6 | form of the id |
//! | | 7 | 0 |
//! | | 8 to 31 | number of the grant |
//! | | 32 to 63 | number of the holder |
//! | 1 | 0 to 31 | when it was made, in seconds since the Unix epoch |
//! | | 32 to 63 | when it expires, or [`NEVER`] |
//! | 2, 3 | | the id |

use tollgate_apikeys::{Packed, Record};

use super::key_id::{IdForm, KeyId, MAX_ID_BYTES};
use super::key_record::{KeyKind, KeyRecord, KeyState};
use super::names::{Holder, Names};

impl Record for KeyRecord {
    type Names = Names;

    /// A record with a start, addresses or metadata does not pack, nor one with an id of more than 16 bytes that does not
    /// end in a UUID or as those of the store do.
    fn pack(&self, names: &Names) -> Option<Packed> {
        let (not_before, expires_at) = self.validity();
        if not_before.is_some() || !self.addresses().is_empty() || !self.attached().is_empty() {
            return None;
        }
        let id = KeyId::read(self.id())?;
        let expires_at = match expires_at {
            None => NEVER,
            Some(seconds) => u32::try_from(seconds).ok().filter(|seconds| *seconds != NEVER)?,
        };
        let created_at = u32::try_from(self.created()).ok()?;
        // A client secret's client is its subject.
        let client_id = self.client().filter(|_| self.kind() != KeyKind::ClientSecret);
        let facts = Facts {
            kind: self.kind(),
            state: self.state(),
            id_form: id.form,
            grant: names.grant_of(self, id.prefix, client_id)?,
            holder: names.holder_of(self)?,
            created_at,
            expires_at,
            id: id.number,
        };
        Some(facts.pack())
    }

    fn unpack(packed: Packed, names: &Names) -> Self {
        let facts = Facts::unpack(packed);
        let (holder, grant) = (names.holder(facts.holder), names.grant(facts.grant));
        let mut buffer = [0; MAX_ID_BYTES];
        let id = facts.id(names).write(&mut buffer);
        let subject = holder.map_or("", Holder::subject);
        let mut record = KeyRecord::new(facts.kind, id, subject).in_state(facts.state);
        record = record.created_at(facts.created_at.into());
        if let Some(expires_at) = facts.expires_at() {
            record = record.expires_at(expires_at);
        }
        if let Some(label) = holder.map(Holder::label).filter(|label| !label.is_empty()) {
            record = record.name(label);
        }
        if let Some(grant) = grant {
            record = record.scope_set(grant.scopes.clone());
            if let Some(client_id) = &grant.client_id {
                record = record.client_id(client_id);
            }
        }
        record
    }
}

/// Seconds that stand for no expiry.
const NEVER: u32 = u32::MAX;

/// A packed record, taken apart.
#[derive(Clone, Copy)]
pub(super) struct Facts {
    pub(super) kind: KeyKind,
    pub(super) state: KeyState,
    id_form: IdForm,
    pub(super) grant: u32,
    pub(super) holder: u32,
    created_at: u32,
    expires_at: u32,
    id: u128,
}

impl Facts {
    fn pack(self) -> Packed {
        let bits = 1
            | (self.kind as u64) << 1
            | (self.state as u64) << 3
            | (self.id_form as u64) << 5
            | u64::from(self.grant) << 8
            | u64::from(self.holder) << 32;
        let times = u64::from(self.created_at) | u64::from(self.expires_at) << 32;
        Packed([bits, times, self.id as u64, (self.id >> 64) as u64])
    }

    #[inline]
    pub(super) fn unpack(Packed([bits, times, id_low, id_high]): Packed) -> Self {
        Facts {
            kind: match bits >> 1 & 3 {
                0 => KeyKind::ApiKey,
                1 => KeyKind::ClientSecret,
                _ => KeyKind::AccessToken,
            },
            state: match bits >> 3 & 3 {
                0 => KeyState::Active,
                1 => KeyState::Disabled,
                _ => KeyState::Revoked,
            },
            id_form: match bits >> 5 & 3 {
                2 => IdForm::Base32,
                3 => IdForm::Uuid,
                _ => IdForm::Text,
            },
            grant: bits as u32 >> 8,
            holder: (bits >> 32) as u32,
            created_at: times as u32,
            expires_at: (times >> 32) as u32,
            id: u128::from(id_low) | u128::from(id_high) << 64,
        }
    }

    #[inline]
    pub(super) fn expires_at(&self) -> Option<i64> {
        if self.expires_at == NEVER { None } else { Some(self.expires_at.into()) }
    }

    pub(super) fn id<'n>(&self, names: &'n Names) -> KeyId<'n> {
        let prefix = names.grant(self.grant).map_or("", |grant| &grant.id_prefix);
        KeyId { form: self.id_form, prefix, number: self.id }
    }
}

/// What [`Facts::pack`] relies on.
const _: () =
    assert!(KeyKind::ApiKey as u8 == 0 && KeyKind::ClientSecret as u8 == 1 && KeyKind::AccessToken as u8 == 2);
const _: () = assert!(KeyState::Active as u8 == 0 && KeyState::Disabled as u8 == 1 && KeyState::Revoked as u8 == 2);
