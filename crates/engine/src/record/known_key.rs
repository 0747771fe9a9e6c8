use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use tollgate_apikeys::{Found, MatchedKey, Packed, Record, Shared};

use super::key_id::MAX_ID_BYTES;
use super::key_record::{KeyKind, KeyRecord, KeyState};
use super::names::Names;
use super::packed::Facts;
use crate::rejection::Rejection;
use crate::scopes::Scopes;

/// A key that the table holds, with what is known of it. Only the proof that it was found makes one.
#[derive(Clone)]
pub(crate) struct KnownKey(Form);

#[derive(Clone)]
enum Form {
    Packed(PackedKey),
    Whole(Arc<KeyRecord>),
}

/// What it refers to by number is looked up when somebody asks for it: it lies elsewhere in memory.
#[derive(Clone)]
struct PackedKey {
    packed: Packed,
    names: Shared<Names>,
    /// Made when somebody asks for what only the whole record has, the id's text above all.
    record: OnceLock<Arc<KeyRecord>>,
}

impl KnownKey {
    #[inline]
    pub(crate) fn new(proof: MatchedKey<KeyRecord>) -> Self {
        KnownKey(match proof.into_found() {
            Found::Packed(packed, names) => Form::Packed(PackedKey { packed, names, record: OnceLock::new() }),
            Found::Whole(record) => Form::Whole(record),
        })
    }

    #[inline]
    pub(crate) fn kind(&self) -> KeyKind {
        match &self.0 {
            Form::Packed(key) => key.facts().kind,
            Form::Whole(record) => record.kind(),
        }
    }

    #[inline]
    pub(crate) fn state(&self) -> KeyState {
        match &self.0 {
            Form::Packed(key) => key.facts().state,
            Form::Whole(record) => record.state(),
        }
    }

    /// From the first, before the second, in seconds since the Unix epoch.
    #[inline]
    pub(crate) fn validity(&self) -> (Option<i64>, Option<i64>) {
        match &self.0 {
            Form::Packed(key) => (None, key.facts().expires_at()),
            Form::Whole(record) => record.validity(),
        }
    }

    /// [`KeyRecord::check_address`]. A record with addresses does not pack.
    #[inline]
    pub(crate) fn check_address(&self, client: Option<IpAddr>) -> Result<(), Rejection> {
        match &self.0 {
            Form::Packed(_) => Ok(()),
            Form::Whole(record) => record.check_address(client),
        }
    }

    pub(crate) fn subject(&self) -> &str {
        match &self.0 {
            Form::Packed(key) => key.names.holder(key.facts().holder).map_or("", |holder| holder.subject()),
            Form::Whole(record) => record.subject(),
        }
    }

    pub(crate) fn client(&self) -> Option<&str> {
        match &self.0 {
            Form::Packed(key) if key.facts().kind == KeyKind::ClientSecret => Some(self.subject()),
            Form::Packed(key) => key.names.grant(key.facts().grant)?.client_id.as_deref(),
            Form::Whole(record) => record.client(),
        }
    }

    pub(crate) fn granted(&self) -> Scopes<'_> {
        match &self.0 {
            Form::Packed(key) => {
                Scopes::new(key.names.grant(key.facts().grant).map_or("", |grant| grant.scopes.as_str()))
            }
            Form::Whole(record) => record.granted(),
        }
    }

    /// Hands the id's text over without an allocation.
    pub(crate) fn with_id<T>(&self, look: impl FnOnce(&str) -> T) -> T {
        match &self.0 {
            Form::Packed(key) => look(key.facts().id(&key.names).write(&mut [0; MAX_ID_BYTES])),
            Form::Whole(record) => look(record.id()),
        }
    }

    /// The whole record. The first call makes one of what was packed.
    pub(crate) fn record(&self) -> &KeyRecord {
        match &self.0 {
            Form::Packed(key) => key.record.get_or_init(|| Arc::new(KeyRecord::unpack(key.packed, &key.names))),
            Form::Whole(record) => record,
        }
    }
}

impl PackedKey {
    #[inline]
    fn facts(&self) -> Facts {
        Facts::unpack(self.packed)
    }
}
