use tollgate_jwt::is_scope_token;

/// The scope-tokens of a credential (RFC 6749 section 3.3), borrowed.
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
