use std::fmt;

use serde::ser::{Serialize, Serializer};
use tollgate_jwt::is_scope_token;

/// The scope-tokens of a credential (RFC 6749 section 3.3), borrowed.
///
/// `Display` writes them as a `scope` claim has them, joined by single spaces. They serialise as a sequence, one scope-token
/// an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Scopes<'a> {
    /// Joined by single spaces.
    joined: &'a str,
}

impl<'a> Scopes<'a> {
    pub(crate) fn new(joined: &'a str) -> Self {
        Scopes { joined }
    }

    /// The scope-tokens in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.joined.split(' ').filter(|scope| !scope.is_empty())
    }

    /// The scope-tokens joined by single spaces, as a `scope` parameter has them.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        self.joined
    }

    /// Whether `scope` is among them, by equality.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.iter().any(|one| one == scope)
    }
}

impl fmt::Display for Scopes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Scopes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// Joins scope-tokens by spaces, and leaves out what is not one.
pub(crate) fn join<'a>(scopes: impl IntoIterator<Item = &'a str>) -> String {
    let mut joined = String::new();
    for scope in scopes.into_iter().filter(|scope| is_scope_token(scope)) {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(scope);
    }
    joined
}
