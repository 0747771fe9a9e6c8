use crate::error::Refusal;
use crate::limits::MAX_SCOPES_BYTES;
use serde::{Deserialize, Serialize};
use tollgate::jwt::is_scope_token;

/// Scope-tokens (RFC 6749 section 3.3), sorted as bytes, each once, joined by single spaces: two lists of the same scopes are the same text.
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
    /// The list of these scopes, joined by single spaces in any order; none where the text is empty.
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

    /// Those that pass.
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
