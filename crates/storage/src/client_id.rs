use crate::client::USER_ID_PREFIX;
use crate::error::Refusal;
use crate::limits::MAX_ID_BYTES;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A valid `client_id`.
///
/// Only unreserved characters (RFC 3986 section 2.3), so that the id is the same in a form, in a query and in Basic
/// credentials. It must not begin like a user's id, [`USER_ID_PREFIX`], because it is the `sub` of the client's own tokens
/// (RFC 9700 section 4.15).
///
/// ```
/// use tollgate_storage::ClientId;
///
/// assert_eq!(ClientId::new("billing")?.as_str(), "billing");
/// assert!(ClientId::new("usr_7").is_err() && ClientId::new("a b").is_err());
/// assert!(serde_json::from_str::<ClientId>("\"a:b\"").is_err());
/// # Ok::<(), tollgate_storage::Refusal>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientId(String);

impl ClientId {
    /// Checks the id.
    ///
    /// # Errors
    /// [`Refusal::Field`] of `client_id`.
    pub fn new(id: impl Into<String>) -> Result<Self, Refusal> {
        let id = id.into();
        let is_unreserved = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        let is_good = (1..=MAX_ID_BYTES).contains(&id.len()) && is_unreserved && !id.starts_with(USER_ID_PREFIX);
        if is_good { Ok(Self(id)) } else { Err(Refusal::Field { field: "client_id" }) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ClientId {
    type Error = Refusal;

    fn try_from(id: String) -> Result<Self, Refusal> {
        Self::new(id)
    }
}

impl From<ClientId> for String {
    fn from(id: ClientId) -> Self {
        id.0
    }
}
