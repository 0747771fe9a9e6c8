use std::fmt::{self, Write};
use std::str::FromStr;
use std::sync::Arc;

use tollgate_jwt::json::{Object, Value};

/// The path of a claim: the name of a member of the claims, or a JSON Pointer (RFC 6901) if the text begins with `/`.
///
/// A pointer of one step equals the name in it: `/scope` is the claim `scope`. A step into an array is an index.
///
/// ```
/// use tollgate::ClaimPath;
///
/// let roles: ClaimPath = "/realm_access/roles".parse()?;
/// assert_eq!(roles.to_string(), "/realm_access/roles");
/// // A name that is a URL does not begin with a slash, so it is one name.
/// let namespaced: ClaimPath = "https://example.com/roles".parse()?;
/// assert_eq!(namespaced, "/https:~1~1example.com~1roles".parse()?);
/// # Ok::<(), tollgate::InvalidClaimPath>(())
/// ```
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct ClaimPath {
    /// One or more, escapes resolved.
    steps: Arc<[Box<str>]>,
}

impl ClaimPath {
    /// The path of these steps, escapes resolved; `None` if there are none.
    pub(crate) fn from_steps(steps: impl IntoIterator<Item = Box<str>>) -> Option<Self> {
        let steps: Arc<[_]> = steps.into_iter().collect();
        if steps.is_empty() { None } else { Some(ClaimPath { steps }) }
    }

    /// The name of the claim that the path is, or leads into.
    pub(crate) fn claim(&self) -> &str {
        &self.steps[0]
    }

    /// Whether the path is a claim itself, not a value inside one.
    #[inline]
    pub(crate) fn is_claim(&self) -> bool {
        self.steps.len() == 1
    }

    /// Whether this is the claim `name` itself.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.is_claim() && self.claim() == name
    }

    /// The value at the path, looked up in all of `claims`.
    pub(crate) fn find<'a, 's>(&self, claims: Object<'a, 's>) -> Option<Value<'a, 's>> {
        self.follow(claims.get(self.claim())?)
    }

    /// The value at the path, given the value of [`claim`](ClaimPath::claim).
    #[inline]
    pub(crate) fn follow<'a, 's>(&self, claim: Value<'a, 's>) -> Option<Value<'a, 's>> {
        if self.is_claim() { Some(claim) } else { self.follow_steps(claim) }
    }

    fn follow_steps<'a, 's>(&self, claim: Value<'a, 's>) -> Option<Value<'a, 's>> {
        self.steps[1..].iter().try_fold(claim, |value, step| match value {
            Value::Object(object) => object.get(step),
            Value::Array(array) => array.get(array_index(step)?),
            _ => None,
        })
    }
}

/// RFC 6901 section 4: digits without a leading zero. `-`, the element after the last, never exists.
fn array_index(step: &str) -> Option<usize> {
    let is_canonical = step == "0" || (!step.starts_with('0') && step.bytes().all(|byte| byte.is_ascii_digit()));
    if is_canonical { step.parse().ok() } else { None }
}

impl FromStr for ClaimPath {
    type Err = InvalidClaimPath;

    fn from_str(text: &str) -> Result<Self, InvalidClaimPath> {
        let invalid = || InvalidClaimPath { text: text.into() };
        let steps: Arc<[Box<str>]> = match text.strip_prefix('/') {
            Some(pointer) => pointer.split('/').map(unescape).collect::<Option<_>>().ok_or_else(invalid)?,
            None if text.is_empty() => return Err(invalid()),
            None => [Box::from(text)].into(),
        };
        Ok(ClaimPath { steps })
    }
}

/// RFC 6901 section 3: `~` begins `~0`, which is `~`, or `~1`, which is `/`.
fn unescape(step: &str) -> Option<Box<str>> {
    let mut parts = step.split('~');
    let mut text = parts.next()?.to_owned();
    for part in parts {
        let (escaped, rest) = part.split_at_checked(1)?;
        text.push(match escaped {
            "0" => '~',
            "1" => '/',
            _ => return None,
        });
        text.push_str(rest);
    }
    Some(text.into())
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.steps {
            [name] if !name.is_empty() && !name.starts_with('/') => f.write_str(name),
            steps => steps.iter().try_for_each(|step| {
                f.write_char('/')?;
                step.chars().try_for_each(|character| match character {
                    '~' => f.write_str("~0"),
                    '/' => f.write_str("~1"),
                    _ => f.write_char(character),
                })
            }),
        }
    }
}

impl fmt::Debug for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string(), f)
    }
}

/// The error for a text that is not a [`ClaimPath`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidClaimPath {
    text: Box<str>,
}

impl fmt::Display for InvalidClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.text {
            "" => f.write_str("the name of a claim must not be empty"),
            text => write!(f, "{text:?} is no JSON Pointer: after ~ comes 0 or 1 (RFC 6901)"),
        }
    }
}

impl std::error::Error for InvalidClaimPath {}
