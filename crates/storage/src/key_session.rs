/// A session that was made with an API key, whose JWTs end with the key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeySession {
    /// The `sid` of its tokens.
    pub id: String,
    /// The `iss` of its tokens.
    pub issuer: String,
    /// The API key that it was made with.
    pub key_id: String,
    /// When its last token has expired, in seconds since the Unix epoch.
    pub ends_at: i64,
}

/// What was made with an API key, and ends with it.
#[derive(Clone, Debug, Default)]
pub struct Derived {
    /// The keys whose [`parent`](crate::StoredKey::parent) it is, and that are not revoked.
    pub keys: Vec<crate::StoredKey>,
    /// The sessions.
    pub sessions: Vec<KeySession>,
}
