use super::key_record::{KeyRecord, NEVER, RareFacts};
use super::kind::{KeyKind, KeyState};
use crate::address::AddressBlock;
use crate::confirmation::ConfirmationMethod;
use crate::scopes;

/// Builds a [`KeyRecord`]. Functions that take a record also take its builder.
///
/// ```
/// use tollgate::{ApiKey, ApiKeyTable, KeyFormat, KeyRecord, KeyState};
///
/// let format = KeyFormat::new("tg", "live")?;
/// let (key, table) = (ApiKey::generate(&format)?, ApiKeyTable::<KeyRecord>::new(format));
/// table.insert(&key, KeyRecord::api_key("key_1", "user_7").scopes(["read:sites"]));
/// table.update(&key.digest(), |record| record.edit().state(KeyState::Disabled).build());
/// # Ok::<(), tollgate::apikeys::KeyError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until a record is made of it"]
pub struct KeyRecordBuilder<'a> {
    kind: KeyKind,
    state: KeyState,
    id: &'a str,
    subject: &'a str,
    name: &'a str,
    /// Joined by spaces.
    scopes: String,
    expires_at: i64,
    rare: RareFacts,
}

impl<'a> KeyRecordBuilder<'a> {
    pub(super) fn new(kind: KeyKind, id: &'a str, subject: &'a str) -> Self {
        KeyRecordBuilder {
            kind,
            state: KeyState::Active,
            id,
            subject,
            name: "",
            scopes: String::new(),
            expires_at: NEVER,
            rare: RareFacts::default(),
        }
    }

    pub(super) fn of(record: &'a KeyRecord) -> Self {
        KeyRecordBuilder {
            kind: record.kind,
            state: record.state,
            id: record.id(),
            subject: record.subject(),
            name: record.name(),
            scopes: record.scopes().as_str().to_owned(),
            expires_at: record.expires_at,
            rare: record.rare.as_deref().cloned().unwrap_or_default(),
        }
    }

    /// Gives the record another id.
    pub fn id(mut self, id: &'a str) -> Self {
        self.id = id;
        self
    }

    /// Sets the key's state, which is active by default.
    pub fn state(mut self, state: KeyState) -> Self {
        self.state = state;
        self
    }

    /// Gives the key a name for people.
    pub fn name(mut self, name: &'a str) -> Self {
        self.name = name;
        self
    }

    /// Grants `scopes`, each one scope-token (RFC 6749 section 3.3); other texts are left out.
    pub fn scopes<'s>(mut self, scopes: impl IntoIterator<Item = &'s str>) -> Self {
        self.scopes = scopes::join(scopes);
        self
    }

    /// Sets the client that an access token was issued to. A client secret keeps its own.
    pub fn client_id<'c>(mut self, client_id: impl Into<Option<&'c str>>) -> Self {
        let client_id = client_id.into().filter(|_| self.kind != KeyKind::ClientSecret);
        self.rare.client_id = client_id.map(Into::into);
        self
    }

    /// Makes the key valid from `seconds` since the Unix epoch on.
    pub fn not_before(mut self, seconds: impl Into<Option<i64>>) -> Self {
        self.rare.not_before = seconds.into();
        self
    }

    /// Makes the key expire at `seconds` since the Unix epoch.
    pub fn expires_at(mut self, seconds: impl Into<Option<i64>>) -> Self {
        self.expires_at = seconds.into().unwrap_or(NEVER);
        self
    }

    /// Restricts the key to these client addresses; without any, it is not restricted. The engine checks the address of
    /// the [`Request`](crate::Request): a request without one is rejected.
    pub fn allowed_addresses(mut self, addresses: impl IntoIterator<Item = AddressBlock>) -> Self {
        self.rare.addresses = addresses.into_iter().collect();
        self
    }

    /// Binds the credential to a key or certificate, in place of another one of the same
    /// [member](ConfirmationMethod::member): the engine accepts it only from a sender that has all of these, as a JWT
    /// with that `cnf`. For access tokens: an API key is not sent with a proof, so a bound one is never accepted.
    pub fn bound_to(mut self, method: ConfirmationMethod) -> Self {
        self.rare.confirmation.get_or_insert_default().add(method);
        self
    }

    /// Stores bytes with the key that only its owner interprets. Do not store secrets in them.
    pub fn metadata(mut self, metadata: &[u8]) -> Self {
        self.rare.metadata = metadata.into();
        self
    }

    /// Builds the record.
    ///
    /// # Panics
    /// If id, subject and name have 4 GiB or more together.
    #[must_use]
    pub fn build(self) -> KeyRecord {
        let parts = [self.id, self.subject, self.name];
        let mut end = 0;
        let ends = parts.map(|part| {
            end += part.len();
            end as u32
        });
        assert!(u32::try_from(end).is_ok(), "id, subject and name of a key have less than 4 GiB");
        let [id, subject, name] = parts;
        KeyRecord {
            kind: self.kind,
            state: self.state,
            ends,
            text: [id, subject, name, &self.scopes].concat().into(),
            expires_at: self.expires_at,
            // `None` without rare facts, so that equal records compare equal, and are small.
            rare: Some(self.rare).filter(|rare| *rare != RareFacts::default()).map(Box::new),
        }
    }
}

impl From<KeyRecordBuilder<'_>> for KeyRecord {
    fn from(builder: KeyRecordBuilder<'_>) -> Self {
        builder.build()
    }
}
