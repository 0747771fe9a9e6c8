use crate::error::Refusal;
use crate::key::within;
use crate::limits::{MAX_ID_BYTES, MAX_NAME_BYTES, MAX_REDIRECT_URI_BYTES, MAX_REDIRECT_URIS, MAX_SCOPES_BYTES};
use tollgate::jwt::is_scope_token;

/// A registered OAuth client (RFC 6749 section 2). Its secrets are [keys](crate::StoredKey) of kind client-secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Client {
    id: String,
    name: String,
    scopes: String,
    redirect_uris: Vec<String>,
    created_at: i64,
}

impl Client {
    /// A client that was registered at `created_at`, in seconds since the Unix epoch. `scopes`: scope-tokens joined by single
    /// spaces.
    ///
    /// The id may hold unreserved characters only (RFC 3986 section 2.3), so that it reads the same in a form, in a query
    /// and in Basic credentials; and it may not begin as a user's id, [`USER_ID_PREFIX`], because the `sub` of the client's own tokens
    /// is its id (RFC 9700 section 4.15). The name is a line of text. A redirect URI is absolute, https or http on a loopback
    /// address, has no fragment and no userinfo, and no character that means something in a header.
    ///
    /// # Errors
    /// [`Refusal::Field`] with the name of the field that is not so.
    pub fn new(
        id: &str,
        name: &str,
        scopes: &str,
        redirect_uris: impl IntoIterator<Item = impl Into<String>>,
        created_at: i64,
    ) -> Result<Self, Refusal> {
        within("client_id", id.len(), 1, MAX_ID_BYTES)?;
        within("name", name.len(), 0, MAX_NAME_BYTES)?;
        within("scope", scopes.len(), 0, MAX_SCOPES_BYTES)?;
        let unreserved = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        let redirect_uris: Vec<String> = redirect_uris.into_iter().map(Into::into).collect();
        check("client_id", unreserved && !id.starts_with(USER_ID_PREFIX))?;
        check("name", !name.contains(char::is_control))?;
        check("scope", scopes.is_empty() || scopes.split(' ').all(is_scope_token))?;
        check("redirect_uri", redirect_uris.len() <= MAX_REDIRECT_URIS)?;
        check("redirect_uri", redirect_uris.iter().all(|uri| is_redirect_uri(uri)))?;
        let (id, name, scopes) = (id.to_owned(), name.to_owned(), scopes.to_owned());
        Ok(Self { id, name, scopes, redirect_uris, created_at })
    }

    /// The `client_id`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the client may ask for: scope-tokens joined by single spaces.
    #[must_use]
    pub fn scopes(&self) -> &str {
        &self.scopes
    }

    /// Where authorization codes may be sent; compared as whole strings (RFC 9700 section 2.1).
    #[must_use]
    pub fn redirect_uris(&self) -> &[String] {
        &self.redirect_uris
    }

    /// When the client was registered, in seconds since the Unix epoch.
    #[must_use]
    pub fn created_at(&self) -> i64 {
        self.created_at
    }
}

/// What the ids of users begin with, and those of no clients.
pub const USER_ID_PREFIX: &str = "usr_";

/// Whether a client may register that redirect URI ([`Client::new`]).
#[must_use]
pub fn is_redirect_uri(uri: &str) -> bool {
    if uri.len() > MAX_REDIRECT_URI_BYTES || uri.contains(['#', ';', ',', '\'', '"', ' ']) {
        return false;
    }
    let Ok(uri) = uri.parse::<http::Uri>() else { return false };
    let Some(authority) = uri.authority() else { return false };
    let is_loopback = ["localhost", "127.0.0.1", "[::1]"].contains(&authority.host());
    let scheme = uri.scheme_str();
    !authority.as_str().contains('@') && (scheme == Some("https") || scheme == Some("http") && is_loopback)
}

fn check(field: &'static str, holds: bool) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(Refusal::Field { field }) }
}
