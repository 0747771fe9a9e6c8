/// A session that was made with an API key, whose JWTs end with the key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeySession {
    /// The `sid` of its tokens.
    pub id: String,
    /// The `iss` of its tokens.
    pub issuer: String,
    /// The API key that made it.
    pub key_id: String,
    /// The expiry of its last token, in seconds since the Unix epoch.
    pub ends_at: i64,
}

/// The records derived from an API key, which end with it.
#[derive(Clone, Debug, Default)]
pub struct Derived {
    /// The keys with this [`parent`](crate::StoredKey::parent) that are not revoked.
    pub keys: Vec<crate::StoredKey>,
    /// The sessions.
    pub sessions: Vec<KeySession>,
}
