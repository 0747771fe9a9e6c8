use std::fmt;
use std::net::IpAddr;

use crate::address::AddressBlock;
use crate::rejection::Rejection;
use crate::scopes::{ScopeSet, Scopes};

/// What the table of API keys knows of one key: the facts of a [`Principal`](crate::Principal).
///
/// The secret is not in it; the table finds the record by the secret's digest. In the table a record takes 32 bytes, unless
/// it has a start, addresses or metadata, or an id that is longer than 16 bytes and neither ends in a UUID nor in 26
/// base32 digits as those of the store do; then it is held as it is, 72 bytes, one text for id, subject and name, and
/// what few keys have.
///
/// ```
/// use tollgate::KeyRecord;
///
/// let record = KeyRecord::api_key("key_1", "user_7").scopes(["read:sites"]).expires_at(1_900_000_000);
/// assert_eq!(record.subject(), "user_7");
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct KeyRecord {
    kind: KeyKind,
    state: KeyState,
    /// Where in `text` the id and the subject end.
    id_end: usize,
    subject_end: usize,
    /// Id, subject and name without anything between.
    text: Box<str>,
    scopes: ScopeSet,
    created_at: i64,
    /// In seconds since the Unix epoch, or [`NEVER`].
    expires_at: i64,
    rare: Option<Box<RareFacts>>,
}

/// What the documentation says.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<KeyRecord>() == 72);

/// Since [`expires_at`](KeyRecord::expires_at) says until when, the last second is as good as none.
const NEVER: i64 = i64::MAX;

#[derive(Clone, Default, Eq, PartialEq)]
struct RareFacts {
    client_id: Option<Box<str>>,
    not_before: Option<i64>,
    addresses: Box<[AddressBlock]>,
    metadata: Box<[u8]>,
}

/// What a key in the table is for; each kind is taken from certain places of a request only.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum KeyKind {
    /// An API key: bare, as `Bearer`, or from its own header.
    ApiKey,
    /// A client's secret: only in `Basic`, with the client's id.
    ClientSecret,
    /// An opaque access token: only as `Bearer`.
    AccessToken,
}

/// Whether a key may be used.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum KeyState {
    /// It may.
    #[default]
    Active,
    /// Switched off, and may be switched on again.
    Disabled,
    /// Never again.
    Revoked,
}

impl KeyRecord {
    /// An API key of `subject`. `id` names the key where the key itself must not be shown.
    #[must_use]
    pub fn api_key(id: &str, subject: &str) -> Self {
        Self::new(KeyKind::ApiKey, id, subject)
    }

    /// The secret of the client `client_id`, which is also the subject. `id` names the secret.
    #[must_use]
    pub fn client_secret(id: &str, client_id: &str) -> Self {
        Self::new(KeyKind::ClientSecret, id, client_id)
    }

    /// An opaque access token that speaks for `subject`. `id` names the token.
    #[must_use]
    pub fn access_token(id: &str, subject: &str) -> Self {
        Self::new(KeyKind::AccessToken, id, subject)
    }

    pub(super) fn new(kind: KeyKind, id: &str, subject: &str) -> Self {
        KeyRecord {
            kind,
            state: KeyState::Active,
            id_end: id.len(),
            subject_end: id.len() + subject.len(),
            text: [id, subject].concat().into(),
            scopes: ScopeSet::default(),
            created_at: 0,
            expires_at: NEVER,
            rare: None,
        }
    }

    /// Grants `scopes`, each one scope-token (RFC 6749 section 3.3); what is none is left out.
    #[must_use]
    pub fn scopes<'a>(self, scopes: impl IntoIterator<Item = &'a str>) -> Self {
        self.scope_set(ScopeSet::new(scopes))
    }

    /// Grants what is in the set, which other records may share.
    #[must_use]
    pub fn scope_set(mut self, scopes: ScopeSet) -> Self {
        self.scopes = scopes;
        self
    }

    /// Names the client an access token was issued to. A client secret keeps its own.
    #[must_use]
    pub fn client_id(mut self, client_id: &str) -> Self {
        if self.kind != KeyKind::ClientSecret {
            self.rare_mut().client_id = Some(client_id.into());
        }
        self
    }

    /// Ends the key's life at `seconds` since the Unix epoch.
    #[must_use]
    pub fn expires_at(mut self, seconds: i64) -> Self {
        self.expires_at = seconds;
        self
    }

    /// Begins the key's life at `seconds` since the Unix epoch.
    #[must_use]
    pub fn not_before(mut self, seconds: i64) -> Self {
        self.rare_mut().not_before = Some(seconds);
        self
    }

    /// Says that the key was made at `seconds` since the Unix epoch.
    #[must_use]
    pub fn created_at(mut self, seconds: i64) -> Self {
        self.created_at = seconds;
        self
    }

    /// Gives the key a name for people.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.text = [&self.text[..self.subject_end], name].concat().into();
        self
    }

    /// Puts the key into that state.
    #[must_use]
    pub fn in_state(mut self, state: KeyState) -> Self {
        self.state = state;
        self
    }

    /// Lets the key be used from these client addresses only; from everywhere when there are none. The engine checks
    /// the address of the [`Request`](crate::Request): a request without one is rejected.
    #[must_use]
    pub fn allowed_addresses(mut self, addresses: impl IntoIterator<Item = AddressBlock>) -> Self {
        self.rare_mut().addresses = addresses.into_iter().collect();
        self.without_empty_facts()
    }

    /// Keeps bytes with the key that mean something to its owner alone. They are no place for secrets.
    #[must_use]
    pub fn metadata(mut self, metadata: &[u8]) -> Self {
        self.rare_mut().metadata = metadata.into();
        self.without_empty_facts()
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
        &self.text[..self.id_end]
    }

    /// Whom the key speaks for.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.text[self.id_end..self.subject_end]
    }

    /// The client, of a client secret or an access token.
    #[must_use]
    pub fn client(&self) -> Option<&str> {
        match self.kind {
            KeyKind::ClientSecret => Some(self.subject()),
            _ => self.rare.as_ref()?.client_id.as_deref(),
        }
    }

    /// What the key may be used for.
    #[must_use]
    pub fn granted(&self) -> Scopes<'_> {
        self.scopes.scopes()
    }

    /// [`granted`](Self::granted) as the set that other records may share.
    #[must_use]
    pub fn granted_set(&self) -> &ScopeSet {
        &self.scopes
    }

    /// When the key begins and ends, in seconds since the Unix epoch: from the first, before the second.
    #[must_use]
    pub fn validity(&self) -> (Option<i64>, Option<i64>) {
        let not_before = self.rare.as_ref().and_then(|rare| rare.not_before);
        (not_before, if self.expires_at == NEVER { None } else { Some(self.expires_at) })
    }

    /// When the key was made, in seconds since the Unix epoch; 0 where nobody said.
    #[must_use]
    pub fn created(&self) -> i64 {
        self.created_at
    }

    /// The name for people, or nothing.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.text[self.subject_end..]
    }

    /// From which client addresses the key may be used; from everywhere when there are none.
    #[must_use]
    pub fn addresses(&self) -> &[AddressBlock] {
        self.rare.as_ref().map_or(&[], |rare| &rare.addresses)
    }

    /// Passes when the key may be used from `client`, the client's address as the server sees it; `None` where the
    /// server does not know it. The engine does this for every key that it accepts.
    ///
    /// # Errors
    /// For a key with [allowed addresses](Self::allowed_addresses), [`Rejection::AddressRequired`] without an address and
    /// [`Rejection::AddressNotAllowed`] with another.
    pub fn check_address(&self, client: Option<IpAddr>) -> Result<(), Rejection> {
        match (self.addresses(), client) {
            ([], _) => Ok(()),
            (_, None) => Err(Rejection::AddressRequired),
            (blocks, Some(address)) if blocks.iter().any(|block| block.contains(address)) => Ok(()),
            (_, Some(address)) => Err(Rejection::AddressNotAllowed { address: address.to_canonical() }),
        }
    }

    /// The bytes that mean something to the owner alone.
    #[must_use]
    pub fn attached(&self) -> &[u8] {
        self.rare.as_ref().map_or(&[], |rare| &rare.metadata)
    }

    fn rare_mut(&mut self) -> &mut RareFacts {
        self.rare.get_or_insert_default()
    }

    /// So that records of the same facts are equal, and small.
    fn without_empty_facts(mut self) -> Self {
        self.rare = self.rare.filter(|rare| **rare != RareFacts::default());
        self
    }
}

impl KeyKind {
    /// A stable kebab-case name: `api-key`, `client-secret`, `access-token`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            KeyKind::ApiKey => "api-key",
            KeyKind::ClientSecret => "client-secret",
            KeyKind::AccessToken => "access-token",
        }
    }

    /// The kind of that [name](Self::as_str).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [KeyKind::ApiKey, KeyKind::ClientSecret, KeyKind::AccessToken].into_iter().find(|kind| kind.as_str() == name)
    }
}

impl KeyState {
    /// A stable kebab-case name: `active`, `disabled`, `revoked`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            KeyState::Active => "active",
            KeyState::Disabled => "disabled",
            KeyState::Revoked => "revoked",
        }
    }

    /// The state of that [name](Self::as_str).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [KeyState::Active, KeyState::Disabled, KeyState::Revoked].into_iter().find(|state| state.as_str() == name)
    }
}

impl fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRecord")
            .field("kind", &self.kind)
            .field("state", &self.state)
            .field("id", &self.id())
            .field("subject", &self.subject())
            .field("client", &self.client())
            .field("scopes", &self.scopes.as_str())
            .field("validity", &self.validity())
            .finish_non_exhaustive()
    }
}
