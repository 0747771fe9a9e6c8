use std::fmt;
use std::net::IpAddr;
use std::ops::Range;

use super::builder::KeyRecordBuilder;
use super::kind::{KeyKind, KeyState};
use crate::address::AddressBlock;
use crate::confirmation::{Confirmation, ConfirmationMethod};
use crate::rejection::Rejection;
use crate::scopes::Scopes;

/// The table's record of one API key: the facts for a [`Principal`](crate::Principal).
///
/// The secret is not in it; the table finds the record by the secret's digest. A record is immutable:
/// [`edit`](Self::edit) builds a changed copy.
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
    /// The ends of id, subject and name in `text`.
    pub(super) ends: [u32; 3],
    /// Id, subject, name, and the scopes joined by spaces, without separators between the four.
    pub(super) text: Box<str>,
    /// In seconds since the Unix epoch, or [`NEVER`].
    pub(super) expires_at: i64,
    pub(super) rare: Option<Box<RareFacts>>,
}

/// With digest and reference count 88 bytes, a size that allocators do not round up.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<KeyRecord>() == 48);

/// [`expires_at`](KeyRecord::expires_at) is exclusive, so the last second can stand for none.
pub(super) const NEVER: i64 = i64::MAX;

#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct RareFacts {
    pub(super) client_id: Option<Box<str>>,
    pub(super) not_before: Option<i64>,
    pub(super) addresses: Box<[AddressBlock]>,
    pub(super) metadata: Box<[u8]>,
    /// `None` for a credential that is not bound. Boxed, because few are.
    pub(super) confirmation: Option<Box<Confirmation<[u8; 32]>>>,
}

impl KeyRecord {
    /// An API key of `subject`. `id` identifies the key where the key itself must not be shown.
    pub fn api_key<'a>(id: &'a str, subject: &'a str) -> KeyRecordBuilder<'a> {
        Self::builder(KeyKind::ApiKey, id, subject)
    }

    /// The secret of the client `client_id`, which is also the subject. `id` identifies the secret.
    pub fn client_secret<'a>(id: &'a str, client_id: &'a str) -> KeyRecordBuilder<'a> {
        Self::builder(KeyKind::ClientSecret, id, client_id)
    }

    /// An opaque access token of `subject`. `id` identifies the token.
    pub fn access_token<'a>(id: &'a str, subject: &'a str) -> KeyRecordBuilder<'a> {
        Self::builder(KeyKind::AccessToken, id, subject)
    }

    /// A key of that kind.
    pub fn builder<'a>(kind: KeyKind, id: &'a str, subject: &'a str) -> KeyRecordBuilder<'a> {
        KeyRecordBuilder::new(kind, id, subject)
    }

    /// A builder with this record's values, to change some of them.
    pub fn edit(&self) -> KeyRecordBuilder<'_> {
        KeyRecordBuilder::of(self)
    }

    /// The kind of the key.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Whether the key may be used.
    #[must_use]
    pub fn state(&self) -> KeyState {
        self.state
    }

    /// The key's public identifier.
    #[must_use]
    pub fn id(&self) -> &str {
        self.text(0..self.ends[0])
    }

    /// The subject of the key.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.text(self.ends[0]..self.ends[1])
    }

    /// The name for people, or empty.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text(self.ends[1]..self.ends[2])
    }

    /// The scopes of the key.
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

    /// The time from which the key is valid, in seconds since the Unix epoch.
    #[must_use]
    pub fn not_before(&self) -> Option<i64> {
        self.rare.as_ref()?.not_before
    }

    /// The time at which the key expires, in seconds since the Unix epoch.
    #[must_use]
    pub fn expires_at(&self) -> Option<i64> {
        if self.expires_at == NEVER { None } else { Some(self.expires_at) }
    }

    /// The client addresses that the key may be used from; from all if there are none.
    #[must_use]
    pub fn allowed_addresses(&self) -> &[AddressBlock] {
        self.rare.as_ref().map_or(&[], |rare| &rare.addresses)
    }

    /// Passes if the key may be used from `client`, the client's address as the server sees it; `None` if the server
    /// does not know it. The engine does this for every key that it accepts.
    ///
    /// # Errors
    /// For a key with [allowed addresses](Self::allowed_addresses), [`Rejection::AddressRequired`] without an address
    /// and [`Rejection::AddressNotAllowed`] with another.
    pub fn check_address(&self, client: Option<IpAddr>) -> Result<(), Rejection> {
        match (self.allowed_addresses(), client) {
            ([], _) => Ok(()),
            (_, None) => Err(Rejection::AddressRequired),
            (blocks, Some(address)) if blocks.iter().any(|block| block.contains(address)) => Ok(()),
            (_, Some(address)) => Err(Rejection::AddressNotAllowed { address: address.to_canonical() }),
        }
    }

    /// The bytes that only the owner interprets.
    #[must_use]
    pub fn metadata(&self) -> &[u8] {
        self.rare.as_ref().map_or(&[], |rare| &rare.metadata)
    }

    /// What the sender of the credential has to show that it has: the engine rejects the credential from anybody else.
    /// Empty for a bearer token.
    pub fn confirmation_methods(&self) -> impl Iterator<Item = ConfirmationMethod> {
        self.confirmation().methods()
    }

    #[inline]
    pub(crate) fn is_bound(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.confirmation.is_some())
    }

    pub(crate) fn confirmation(&self) -> Confirmation<[u8; 32]> {
        self.rare.as_ref().and_then(|rare| rare.confirmation.as_deref()).copied().unwrap_or_default()
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
