use crate::error::Refusal;
use crate::limits::MAX_SCOPES_BYTES;
use serde::{Deserialize, Serialize};
use tollgate::jwt::is_scope_token;

/// Scope-tokens (RFC 6749 section 3.3) in byte order, without duplicates, joined by single spaces: equal sets of scopes have
/// equal texts.
///
/// ```
/// use tollgate_storage::ScopeList;
///
/// assert_eq!(ScopeList::new("write:sites read:sites write:sites")?.as_str(), "read:sites write:sites");
/// assert!(ScopeList::new("read:\"sites\"").is_err());
/// # Ok::<(), tollgate_storage::Refusal>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScopeList(String);

impl ScopeList {
    /// The list of these scopes, which are joined by single spaces in any order; empty for empty text.
    ///
    /// # Errors
    /// [`Refusal::Field`] of `scope`.
    pub fn new(scopes: &str) -> Result<Self, Refusal> {
        let is_good = scopes.is_empty() || scopes.split(' ').all(is_scope_token);
        if !is_good || scopes.len() > MAX_SCOPES_BYTES {
            return Err(Refusal::Field { field: "scope" });
        }
        let mut scopes: Vec<&str> = scopes.split(' ').collect();
        scopes.sort_unstable();
        scopes.dedup();
        Ok(Self(scopes.join(" ")))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The scopes that pass.
    pub(crate) fn filter(&self, passes: impl Fn(&str) -> bool) -> Self {
        Self(self.0.split(' ').filter(|scope| passes(scope)).collect::<Vec<_>>().join(" "))
    }
}

impl TryFrom<String> for ScopeList {
    type Error = Refusal;

    fn try_from(scopes: String) -> Result<Self, Refusal> {
        Self::new(&scopes)
    }
}

impl From<ScopeList> for String {
    fn from(scopes: ScopeList) -> Self {
        scopes.0
    }
}
