use std::fmt;
use std::net::IpAddr;
use std::ops::Range;

use super::builder::KeyRecordBuilder;
use super::kind::{KeyKind, KeyState};
use crate::address::AddressBlock;
use crate::rejection::Rejection;
use crate::scopes::Scopes;

/// What the table of API keys knows of one key: the facts of a [`Principal`](crate::Principal).
///
/// The secret is not in it; the table finds the record by the secret's digest. It does not change: [`edit`](Self::edit)
/// makes another of it.
///
/// ```
/// use tollgate::KeyRecord;
///
/// let record = KeyRecord::api_key("key_1", "user_7").scopes(["read:sites"]).expires_at(1_900_000_000).build();
/// assert_eq!(record.subject(), "user_7");
/// assert!(record.scopes().contains("read:sites"));
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct KeyRecord {
    pub(super) kind: KeyKind,
    pub(super) state: KeyState,
    /// Where in `text` id, subject and name end.
    pub(super) ends: [u32; 3],
    /// Id, subject, name, and the scopes joined by spaces, with nothing between.
    pub(super) text: Box<str>,
    /// In seconds since the Unix epoch, or [`NEVER`].
    pub(super) expires_at: i64,
    pub(super) rare: Option<Box<RareFacts>>,
}

/// With digest and reference count 88 bytes, which allocators do not round up.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<KeyRecord>() == 48);

/// Since [`expires_at`](KeyRecord::expires_at) says until when, the last second is as good as none.
pub(super) const NEVER: i64 = i64::MAX;

#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct RareFacts {
    pub(super) client_id: Option<Box<str>>,
    pub(super) not_before: Option<i64>,
    pub(super) addresses: Box<[AddressBlock]>,
    pub(super) metadata: Box<[u8]>,
}

impl KeyRecord {
    /// An API key of `subject`. `id` names the key where the key itself must not be shown.
    pub fn api_key<'a>(id: &'a str, subject: &'a str) -> KeyRecordBuilder<'a> {
        Self::builder(KeyKind::ApiKey, id, subject)
    }

    /// The secret of the client `client_id`, which is also the subject. `id` names the secret.
    pub fn client_secret<'a>(id: &'a str, client_id: &'a str) -> KeyRecordBuilder<'a> {
        Self::builder(KeyKind::ClientSecret, id, client_id)
    }

    /// An opaque access token that speaks for `subject`. `id` names the token.
    pub fn access_token<'a>(id: &'a str, subject: &'a str) -> KeyRecordBuilder<'a> {
        Self::builder(KeyKind::AccessToken, id, subject)
    }

    /// A key of that kind.
    pub fn builder<'a>(kind: KeyKind, id: &'a str, subject: &'a str) -> KeyRecordBuilder<'a> {
        KeyRecordBuilder::new(kind, id, subject)
    }

    /// A builder of a record that says the same, to change something of it.
    pub fn edit(&self) -> KeyRecordBuilder<'_> {
        KeyRecordBuilder::of(self)
    }

    /// What the key is for.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Whether the key may be used.
    #[must_use]
    pub fn state(&self) -> KeyState {
        self.state
    }

    /// The key's public name.
    #[must_use]
    pub fn id(&self) -> &str {
        self.text(0..self.ends[0])
    }

    /// Whom the key speaks for.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.text(self.ends[0]..self.ends[1])
    }

    /// The name for people, or nothing.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text(self.ends[1]..self.ends[2])
    }

    /// What the key may be used for.
    #[must_use]
    pub fn scopes(&self) -> Scopes<'_> {
        Scopes::new(&self.text[self.ends[2] as usize..])
    }

    /// The client, of a client secret or an access token.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        match self.kind {
            KeyKind::ClientSecret => Some(self.subject()),
            _ => self.rare.as_ref()?.client_id.as_deref(),
        }
    }

    /// From when on the key is good, in seconds since the Unix epoch.
    #[must_use]
    pub fn not_before(&self) -> Option<i64> {
        self.rare.as_ref()?.not_before
    }

    /// Until before when the key is good, in seconds since the Unix epoch.
    #[must_use]
    pub fn expires_at(&self) -> Option<i64> {
        if self.expires_at == NEVER { None } else { Some(self.expires_at) }
    }

    /// From which client addresses the key may be used; from everywhere when there are none.
    #[must_use]
    pub fn allowed_addresses(&self) -> &[AddressBlock] {
        self.rare.as_ref().map_or(&[], |rare| &rare.addresses)
    }

    /// Passes when the key may be used from `client`, the client's address as the server sees it; `None` where the
    /// server does not know it. The engine does this for every key that it accepts.
    ///
    /// # Errors
    /// For a key with [allowed addresses](Self::allowed_addresses), [`Rejection::AddressRequired`] without an address and
    /// [`Rejection::AddressNotAllowed`] with another.
    pub fn check_address(&self, client: Option<IpAddr>) -> Result<(), Rejection> {
        match (self.allowed_addresses(), client) {
            ([], _) => Ok(()),
            (_, None) => Err(Rejection::AddressRequired),
            (blocks, Some(address)) if blocks.iter().any(|block| block.contains(address)) => Ok(()),
            (_, Some(address)) => Err(Rejection::AddressNotAllowed { address: address.to_canonical() }),
        }
    }

    /// The bytes that mean something to the owner alone.
    #[must_use]
    pub fn metadata(&self) -> &[u8] {
        self.rare.as_ref().map_or(&[], |rare| &rare.metadata)
    }

    fn text(&self, part: Range<u32>) -> &str {
        &self.text[part.start as usize..part.end as usize]
    }
}

impl fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRecord")
            .field("kind", &self.kind())
            .field("state", &self.state())
            .field("id", &self.id())
            .field("subject", &self.subject())
            .field("client_id", &self.client_id())
            .field("scopes", &self.scopes())
            .field("not_before", &self.not_before())
            .field("expires_at", &self.expires_at())
            .finish_non_exhaustive()
    }
}
