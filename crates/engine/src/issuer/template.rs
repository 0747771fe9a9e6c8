use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use crate::limits::MAX_TENANT_BYTES;

/// The name of an issuer in which one part is variable, such as `https://login.microsoftonline.com/{tenantid}/v2.0`.
///
/// A template matches if everything before and after the variable is equal. Nothing is normalised, and the authority is
/// never variable, so all names of a template belong to one owner.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct IssuerTemplate {
    prefix: Box<str>,
    suffix: Box<str>,
}

impl IssuerTemplate {
    /// The template `name`; `None` if it has no brace and so is a full name.
    pub(crate) fn of(name: &str) -> Result<Option<Self>, InvalidTemplate> {
        if name.contains(['{', '}']) { name.parse().map(Some) } else { Ok(None) }
    }

    /// The value of the variable in `iss`; `None` if the template does not match.
    pub(crate) fn tenant<'i>(&self, iss: &'i str) -> Option<&'i str> {
        tenant(iss, &self.prefix, &self.suffix)
    }

    /// The scheme, the authority and the slash after it, which all names of the template begin with.
    pub(super) fn origin(&self) -> &str {
        origin(&self.prefix).unwrap_or_default()
    }

    /// Whether some name matches both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let (short, long) = if self.prefix.len() <= other.prefix.len() { (self, other) } else { (other, self) };
        let Some(begin) = long.prefix.strip_prefix(&*short.prefix) else {
            return false;
        };
        // The tenant of `short` has to begin with `begin`; the suffixes decide how the two names continue.
        if let Some(end) = short.suffix.strip_suffix(&*long.suffix) {
            // tenant of short + end = begin + tenant of long
            let leave_room = begin.len().max(end.len()) < MAX_TENANT_BYTES;
            let are_parts = is_part(begin) && is_part(end);
            are_parts && leave_room || is_tenant(begin) && is_tenant(end) || share_a_slice(begin, end)
        } else if let Some(end) = long.suffix.strip_suffix(&*short.suffix) {
            // tenant of short = begin + tenant of long + end
            is_part(begin) && is_part(end) && begin.len() + end.len() < MAX_TENANT_BYTES
        } else {
            false
        }
    }
}

/// Whether `name`, which is unchecked, is a template that `iss` matches.
pub(crate) fn is_template_of(name: &str, iss: &str) -> bool {
    parse(name).is_ok_and(|(prefix, suffix)| tenant(iss, prefix, suffix).is_some())
}

fn tenant<'i>(iss: &'i str, prefix: &str, suffix: &str) -> Option<&'i str> {
    let tenant = iss.strip_prefix(prefix)?.strip_suffix(suffix)?;
    is_tenant(tenant).then_some(tenant)
}

/// Whether `begin` ends with a text that `end` begins with, so that the rest of each is a tenant.
fn share_a_slice(begin: &str, end: &str) -> bool {
    (1..begin.len().min(end.len())).any(|length| {
        let at = begin.len() - length;
        begin.is_char_boundary(at)
            && end.strip_prefix(&begin[at..]).is_some_and(|rest| is_tenant(&begin[..at]) && is_tenant(rest))
    })
}

/// Whether a tenant may contain `text`.
fn is_part(text: &str) -> bool {
    text.len() <= MAX_TENANT_BYTES && text.bytes().all(is_tenant_byte)
}

/// Whether `text` may be the value of a variable. `.` and `..` may not, since a server that normalises paths would give
/// them another meaning.
pub(super) fn is_tenant(text: &str) -> bool {
    !text.is_empty() && is_part(text) && text != "." && text != ".."
}

fn is_tenant_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// The scheme, the authority and the slash after it.
pub(super) fn origin(name: &str) -> Option<&str> {
    let authority = name.find("://")? + "://".len();
    let path = name[authority..].find('/')?;
    Some(&name[..=authority + path])
}

impl FromStr for IssuerTemplate {
    type Err = InvalidTemplate;

    fn from_str(name: &str) -> Result<Self, InvalidTemplate> {
        parse(name).map(|(prefix, suffix)| IssuerTemplate { prefix: prefix.into(), suffix: suffix.into() })
    }
}

/// The parts before and after the variable.
fn parse(name: &str) -> Result<(&str, &str), InvalidTemplate> {
    let (prefix, rest) = name.split_once('{').ok_or(InvalidTemplate::NotOneVariable)?;
    let (variable, suffix) = rest.split_once('}').ok_or(InvalidTemplate::NotOneVariable)?;
    if [prefix, variable, suffix].iter().any(|part| part.contains(['{', '}'])) {
        return Err(InvalidTemplate::NotOneVariable);
    }
    if variable.is_empty() || !variable.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(InvalidTemplate::VariableName);
    }
    let origin = origin(prefix).ok_or(InvalidTemplate::InAuthority)?;
    let (scheme, authority) = origin.split_once("://").unwrap_or_default();
    // RFC 3986 section 3.1; and section 3.2, by which `?` and `#` also end an authority. Some parsers read `\` as a
    // slash.
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    if !is_scheme || authority == "/" || authority.contains(['?', '#', '\\']) {
        return Err(InvalidTemplate::InAuthority);
    }
    Ok((prefix, suffix))
}

/// Why a name with a brace is not a template.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum InvalidTemplate {
    /// The braces are not those of one variable.
    NotOneVariable,
    /// The variable's name does not consist of ASCII letters, digits and `_`.
    VariableName,
    /// The variable does not come after `scheme://authority/`: anyone with a name in the domain could be the issuer.
    InAuthority,
}

impl fmt::Display for InvalidTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InvalidTemplate::NotOneVariable => "it may hold one {variable} and no other brace",
            InvalidTemplate::VariableName => "a variable's name has ASCII letters, digits and _",
            InvalidTemplate::InAuthority => "the variable has to come after scheme://authority/",
        })
    }
}

impl std::error::Error for InvalidTemplate {}

/// The accepted tenants of a template.
#[derive(Clone, Debug)]
pub(crate) enum Tenants {
    Any,
    These(HashSet<Box<str>>),
}

impl Tenants {
    pub(crate) fn new(listed: Option<&[String]>) -> Self {
        listed
            .map_or(Tenants::Any, |listed| Tenants::These(listed.iter().map(|tenant| tenant.as_str().into()).collect()))
    }

    pub(crate) fn contain(&self, tenant: &str) -> bool {
        match self {
            Tenants::Any => true,
            Tenants::These(tenants) => tenants.contains(tenant),
        }
    }
}
