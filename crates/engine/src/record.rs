use crate::scopes::{self, Scopes};

/// What the table of API keys knows of one key: the facts of a [`Principal`](crate::Principal).
///
/// The secret is not in it; the table finds the record by the secret's digest.
///
/// ```
/// use tollgate::KeyRecord;
///
/// let record = KeyRecord::api_key("key_1", "user_7").scopes(["read:sites"]).expires_at(1_900_000_000);
/// assert_eq!(record.subject(), "user_7");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyRecord {
    kind: KeyKind,
    id: Box<str>,
    subject: Box<str>,
    client_id: Option<Box<str>>,
    scopes: Box<str>,
    not_before: Option<i64>,
    expires_at: Option<i64>,
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

impl KeyRecord {
    /// An API key of `subject`. `id` names the key where the key itself must not be shown.
    #[must_use]
    pub fn api_key(id: &str, subject: &str) -> Self {
        Self::new(KeyKind::ApiKey, id, subject, None)
    }

    /// The secret of the client `client_id`, which is also the subject. `id` names the secret.
    #[must_use]
    pub fn client_secret(id: &str, client_id: &str) -> Self {
        Self::new(KeyKind::ClientSecret, id, client_id, Some(client_id))
    }

    /// An opaque access token that speaks for `subject`. `id` names the token.
    #[must_use]
    pub fn access_token(id: &str, subject: &str) -> Self {
        Self::new(KeyKind::AccessToken, id, subject, None)
    }

    fn new(kind: KeyKind, id: &str, subject: &str, client_id: Option<&str>) -> Self {
        KeyRecord {
            kind,
            id: id.into(),
            subject: subject.into(),
            client_id: client_id.map(Into::into),
            scopes: "".into(),
            not_before: None,
            expires_at: None,
        }
    }

    /// Grants `scopes`, each one scope-token (RFC 6749 section 3.3); what is none is left out.
    #[must_use]
    pub fn scopes<'a>(mut self, scopes: impl IntoIterator<Item = &'a str>) -> Self {
        self.scopes = scopes::join(scopes).into();
        self
    }

    /// Names the client an access token was issued to.
    #[must_use]
    pub fn client_id(mut self, client_id: &str) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// Ends the key's life at `seconds` since the Unix epoch.
    #[must_use]
    pub fn expires_at(mut self, seconds: i64) -> Self {
        self.expires_at = Some(seconds);
        self
    }

    /// Begins the key's life at `seconds` since the Unix epoch.
    #[must_use]
    pub fn not_before(mut self, seconds: i64) -> Self {
        self.not_before = Some(seconds);
        self
    }

    /// What the key is for.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The key's public name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whom the key speaks for.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The client, of a client secret or an access token.
    #[must_use]
    pub fn client(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// What the key may be used for.
    #[must_use]
    pub fn granted(&self) -> Scopes<'_> {
        Scopes::new(&self.scopes)
    }

    /// When the key begins and ends, in seconds since the Unix epoch: from the first, before the second.
    #[must_use]
    pub fn validity(&self) -> (Option<i64>, Option<i64>) {
        (self.not_before, self.expires_at)
    }
}
