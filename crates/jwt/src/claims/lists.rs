use crate::json::Value;
use crate::scope::is_single_spaced;

/// The entries of a claim that is one string or an array of strings, such as `aud`; empty if the claim is absent.
#[derive(Clone, Copy, Debug, Default)]
pub struct StringList<'a, 's>(pub(super) Option<Value<'a, 's>>);

impl<'a, 's> StringList<'a, 's> {
    /// Whether the claim is absent. An empty array is not.
    #[inline]
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.0.is_none()
    }

    /// The claim's value.
    #[inline]
    #[must_use]
    pub fn value(&self) -> Option<Value<'a, 's>> {
        self.0
    }

    /// The entries in order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &'s str> + use<'a, 's> {
        strings(self.0)
    }
}

/// The strings of a claim's value: the value itself, or its entries that are strings.
impl<'a, 's> From<Value<'a, 's>> for StringList<'a, 's> {
    #[inline]
    fn from(value: Value<'a, 's>) -> Self {
        StringList(Some(value))
    }
}

/// The scope-tokens of a `scope` or `scp` claim.
#[derive(Clone, Copy, Debug)]
pub struct ScopeClaim<'a, 's>(pub(super) Option<Value<'a, 's>>);

/// The scope-tokens of the value of a `scope` or `scp` claim, which was checked when the claims were read.
impl<'a, 's> From<Value<'a, 's>> for ScopeClaim<'a, 's> {
    #[inline]
    fn from(value: Value<'a, 's>) -> Self {
        ScopeClaim(Some(value))
    }
}

impl<'a, 's> ScopeClaim<'a, 's> {
    /// The claim's own text, if it is scope-tokens joined by single spaces, as RFC 6749 section 3.3 requires.
    #[must_use]
    pub fn as_joined(&self) -> Option<&'s str> {
        self.0.and_then(|value| value.as_str()).filter(|list| is_single_spaced(list))
    }

    /// The scope-tokens in order, as they were sent.
    pub fn iter(&self) -> impl Iterator<Item = &'s str> + use<'a, 's> {
        strings(self.0).flat_map(|list| list.split(' ')).filter(|token| !token.is_empty())
    }
}

fn strings<'a, 's>(value: Option<Value<'a, 's>>) -> impl Iterator<Item = &'s str> + use<'a, 's> {
    let one = value.and_then(|value| value.as_str());
    let many = value.and_then(|value| value.as_array());
    one.into_iter().chain(many.into_iter().flat_map(|array| array.iter()).filter_map(|entry| entry.as_str()))
}
