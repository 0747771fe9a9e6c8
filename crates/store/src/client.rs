use crate::error::StoreError;
use crate::key::within;
use crate::limits::{MAX_ID_BYTES, MAX_NAME_BYTES, MAX_SCOPES_BYTES, MAX_URI_BYTES};

/// A registered OAuth client (RFC 6749 section 2). Its secrets are [keys](crate::StoredKey) of kind client-secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Client {
    /// The `client_id`, chosen by whoever registers the client.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// What the client may ask for: scope names separated by single spaces.
    pub scopes: String,
    /// Where authorization codes may be sent; compared as whole strings (RFC 9700 section 2.1).
    pub redirect_uris: Vec<String>,
    /// When the client was registered, in seconds since the Unix epoch.
    pub created_at: i64,
}

impl Client {
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        within("id", self.id.len(), 1, MAX_ID_BYTES)?;
        within("name", self.name.len(), 0, MAX_NAME_BYTES)?;
        within("scopes", self.scopes.len(), 0, MAX_SCOPES_BYTES)?;
        self.redirect_uris.iter().try_for_each(|uri| within("redirect_uri", uri.len(), 1, MAX_URI_BYTES))
    }
}
