use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

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

/// The scope-tokens of a record, shared by every record that carries the same [`ScopeSet`].
///
/// Cheap to clone: clones share one text. [`ScopeSets`] makes equal sets share it too.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ScopeSet(Option<Arc<Box<str>>>);

impl ScopeSet {
    /// A set of its own of `scopes`, each one scope-token (RFC 6749 section 3.3); what is none is left out.
    #[must_use]
    pub fn new<'a>(scopes: impl IntoIterator<Item = &'a str>) -> Self {
        let joined = join(scopes);
        ScopeSet(if joined.is_empty() { None } else { Some(Arc::new(joined.into())) })
    }

    /// The scope-tokens.
    #[must_use]
    pub fn scopes(&self) -> Scopes<'_> {
        Scopes::new(self.as_str())
    }

    /// The scope-tokens joined by single spaces.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_ref().map_or("", |joined| joined)
    }
}

/// As the text's own, which [`Borrow`] requires.
impl Hash for ScopeSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Borrow<str> for ScopeSet {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

/// Scope sets, each held once: a million records with ten different sets hold ten.
///
/// ```
/// use tollgate::{KeyRecord, ScopeSets};
///
/// let sets = ScopeSets::default();
/// let one = KeyRecord::api_key("key_1", "user_7").scope_set(sets.intern(["read:sites", "write:sites"]));
/// let two = KeyRecord::api_key("key_2", "user_8").scope_set(sets.intern(["read:sites", "write:sites"]));
/// assert_eq!(one.granted(), two.granted());
/// assert_eq!(sets.len(), 1);
/// ```
#[derive(Debug, Default)]
pub struct ScopeSets(Mutex<HashSet<ScopeSet>>);

impl ScopeSets {
    /// The set of `scopes`, the same one each time. What is no scope-token is left out; the order counts.
    #[must_use]
    pub fn intern<'a>(&self, scopes: impl IntoIterator<Item = &'a str>) -> ScopeSet {
        let joined = join(scopes);
        if joined.is_empty() {
            return ScopeSet::default();
        }
        // A set is added as a whole, so that a panic elsewhere leaves nothing half-done.
        let mut sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(set) = sets.get(joined.as_str()) {
            return set.clone();
        }
        let set = ScopeSet(Some(Arc::new(joined.into())));
        sets.insert(set.clone());
        set
    }

    /// Forgets the sets that no record carries any more. Returns how many.
    pub fn forget_unused(&self) -> usize {
        let mut sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = sets.len();
        sets.retain(|set| set.0.as_ref().is_some_and(|joined| Arc::strong_count(joined) > 1));
        before - sets.len()
    }

    /// The number of different sets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
