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
    /// When the user last gave the password or key, in seconds since the Unix epoch: the `auth_time` of tokens (OpenID Connect Core 1.0
    /// section 2).
    pub authenticated_at: i64,
    /// Not accepted from then on, in seconds since the Unix epoch.
    pub expires_at: i64,
}

/// A client's share in a login session that has ended, of which the client is to be told (OpenID Connect Back-Channel Logout 1.0).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogoutNotice {
    /// The session, the `sid` of the client's tokens.
    pub session_id: String,
    /// Whose session it was.
    pub user_id: String,
    /// The client that got tokens in it.
    pub client_id: String,
    /// Which attempt to tell the client this is, from 1.
    pub attempt: u32,
}
