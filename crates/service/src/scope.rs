//! Scopes as the service stores and sends them: scope-tokens joined by single spaces (RFC 6749 section 3.3).

/// `requested`, or all of `allowed` when nothing is requested; `None` when something is not allowed
/// or is no scope. Order is that of the request, each scope once.
pub(crate) fn narrow(requested: Option<&str>, allowed: &str) -> Option<String> {
    let Some(requested) = requested else { return Some(allowed.to_owned()) };
    let mut granted: Vec<&str> = Vec::new();
    for scope in requested.split(' ') {
        // An empty one means a leading, trailing or doubled space, which the grammar does not have.
        if scope.is_empty() || !contains(allowed, scope) {
            return None;
        }
        if !granted.contains(&scope) {
            granted.push(scope);
        }
    }
    Some(granted.join(" "))
}

/// Those of `scopes` that `allowed` has too.
pub(crate) fn intersection(scopes: &str, allowed: &str) -> String {
    let both = scopes.split(' ').filter(|scope| contains(allowed, scope));
    both.collect::<Vec<_>>().join(" ")
}

/// Whether `scopes` has `scope`, by equality.
pub(crate) fn contains(scopes: &str, scope: &str) -> bool {
    scopes.split(' ').any(|one| !one.is_empty() && one == scope)
}

/// Whether `scopes` is empty or a list of scope-tokens as the grammar has it.
pub(crate) fn is_valid(scopes: &str) -> bool {
    scopes.is_empty() || scopes.split(' ').all(tollgate::jwt::is_scope_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_narrows_and_never_widens() {
        assert_eq!(narrow(None, "a b").as_deref(), Some("a b"));
        assert_eq!(narrow(Some("b"), "a b").as_deref(), Some("b"));
        assert_eq!(narrow(Some("b a b"), "a b").as_deref(), Some("b a"));
        assert_eq!(narrow(Some("c"), "a b"), None);
        assert_eq!(narrow(Some("a  b"), "a b"), None);
        assert_eq!(narrow(Some("a"), ""), None);
        assert_eq!(narrow(Some("a b"), "a b c").as_deref(), Some("a b"));
    }

    #[test]
    fn an_intersection_holds_what_both_have() {
        assert_eq!(intersection("a b c", "c x a"), "a c");
        assert_eq!(intersection("a", "b"), "");
        assert_eq!(intersection("", ""), "");
    }
}
