/// A login: of a browser, which has a cookie, or of a program, which has a session token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LoginSession {
    /// The public id, the `sid` of every token that comes of the login.
    pub id: String,
    /// The user who logged in.
    pub user_id: String,
    /// SHA-256 of the cookie's value; `None` for a session token.
    pub digest: Option<[u8; 32]>,
    /// The id of the API key that it was made with; `None` for a password.
    pub key_id: Option<String>,
    /// What the browser or program calls itself, for people; may be empty.
    pub agent: String,
    /// The network address it was made from, where that is known.
    pub address: Option<String>,
    /// When, in seconds since the Unix epoch.
    pub created_at: i64,
    /// Not accepted from then on, in seconds since the Unix epoch.
    pub expires_at: i64,
}
