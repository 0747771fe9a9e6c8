use std::fmt;
use std::sync::Arc;

use tollgate_jwt::Header;

/// The accepted `typ` of an issuer's tokens (RFC 8725 section 3.11).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum TypProfile {
    /// `typ` is `JWT` or absent (RFC 7519 section 5.1).
    #[default]
    Jwt,
    /// `typ` is `at+jwt`, and the claims that RFC 9068 section 2.2 requires are present.
    AccessToken,
    /// Either of the two, each with its own rules.
    JwtOrAccessToken,
    /// `typ` is one of these. It has no other effect.
    OneOf(TypSet),
}

/// A set of accepted media types for `typ`. `application/` may be left out, and letter case is ignored (RFC 7515
/// section 4.1.9).
///
/// ```
/// use tollgate::{TypProfile, TypSet};
///
/// // An empty text stands for a header without `typ`.
/// let profile = TypProfile::OneOf(TypSet::new(["secevent+jwt", "JOSE", ""])?);
/// assert!(TypSet::new(["at jwt"]).is_err());
/// # Ok::<(), tollgate::InvalidTyp>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TypSet {
    /// In lower case, without `application/`; `None` for an absent `typ`. Sorted.
    types: Arc<[Option<Box<str>>]>,
}

impl TypSet {
    /// The set of these media types.
    ///
    /// # Errors
    /// [`InvalidTyp`] if one of them is not a media type, or there is none.
    pub fn new<'a>(types: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidTyp> {
        let mut types = types.into_iter().map(media_type).collect::<Result<Vec<_>, _>>()?;
        types.sort_unstable();
        types.dedup();
        if types.is_empty() { Err(InvalidTyp(None)) } else { Ok(TypSet { types: types.into() }) }
    }

    fn contains(&self, subtype: Option<&str>) -> bool {
        self.types.iter().any(|one| is_same(one.as_deref(), subtype))
    }
}

/// Whether two media types without `application/` are the same, or both absent.
pub(super) fn is_same(one: Option<&str>, other: Option<&str>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// The media type in the form of [`TypSet`].
fn media_type(text: &str) -> Result<Option<Box<str>>, InvalidTyp> {
    if text.is_empty() {
        return Ok(None);
    }
    let lower = text.to_ascii_lowercase();
    let subtype = match lower.strip_prefix("application/") {
        Some(subtype) if !subtype.contains('/') => subtype,
        _ => &lower,
    };
    // RFC 6838 section 4.2.
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c))
    };
    let mut names = subtype.splitn(3, '/');
    if names.by_ref().take(2).all(is_name) && names.next().is_none() {
        Ok(Some(subtype.into()))
    } else {
        Err(InvalidTyp(Some(text.into())))
    }
}

impl TypProfile {
    /// Whether a token with this header is an access token as defined by RFC 9068; `None` if its `typ` is not accepted.
    pub(crate) fn check(&self, header: &Header<'_>) -> Option<bool> {
        let subtype = header.media_subtype();
        let is_access_token = || subtype.is_some_and(|subtype| subtype.eq_ignore_ascii_case(AT_JWT));
        let is_jwt = || subtype.is_none_or(|subtype| subtype.eq_ignore_ascii_case(JWT));
        match self {
            TypProfile::Jwt => is_jwt().then_some(false),
            TypProfile::AccessToken => is_access_token().then_some(true),
            TypProfile::JwtOrAccessToken if is_access_token() => Some(true),
            TypProfile::JwtOrAccessToken => is_jwt().then_some(false),
            TypProfile::OneOf(set) => set.contains(subtype).then_some(false),
        }
    }

    /// Whether some or all tokens are checked as access tokens of RFC 9068.
    pub(super) fn has_access_tokens(&self) -> bool {
        matches!(self, TypProfile::AccessToken | TypProfile::JwtOrAccessToken)
    }

    /// Every accepted media type, in the form of [`TypSet`].
    pub(super) fn types(&self) -> Vec<Option<&str>> {
        match self {
            TypProfile::Jwt => vec![None, Some(JWT)],
            TypProfile::AccessToken => vec![Some(AT_JWT)],
            TypProfile::JwtOrAccessToken => vec![None, Some(JWT), Some(AT_JWT)],
            TypProfile::OneOf(set) => set.types.iter().map(Option::as_deref).collect(),
        }
    }

    /// The media types that any of `profiles` accepts, for messages.
    pub(super) fn union<'p>(profiles: impl IntoIterator<Item = &'p TypProfile>) -> Self {
        let mut types: Vec<Option<Box<str>>> =
            profiles.into_iter().flat_map(TypProfile::types).map(|typ| typ.map(Into::into)).collect();
        types.sort_unstable();
        types.dedup();
        TypProfile::OneOf(TypSet { types: types.into() })
    }
}

const JWT: &str = "jwt";
const AT_JWT: &str = "at+jwt";

impl fmt::Display for TypProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, typ) in self.types().into_iter().enumerate() {
            f.write_str(if index > 0 { " or " } else { "" })?;
            match typ {
                Some(JWT) => f.write_str("JWT")?,
                Some(typ) => f.write_str(typ)?,
                None => f.write_str("no typ")?,
            }
        }
        Ok(())
    }
}

/// The error for a text that is not a media type, or for an empty list of them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidTyp(Option<Box<str>>);

impl fmt::Display for InvalidTyp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(text) => write!(f, "{text:?} is no media type, as typ is: such as JWT, at+jwt or \"\" for none"),
            None => f.write_str("a list of typ must not be empty"),
        }
    }
}

impl std::error::Error for InvalidTyp {}
