//! Paths that all servers read in the same way, and patterns of paths.

/// Whether the path is the same for servers that decode, resolve dots, merge slashes or remove parameters, except for escapes
/// of characters without another meaning, such as a space or a letter outside ASCII.
///
/// If one server resolves `/a/../b` or `%2e` and another does not, one of them sees another path than the rule.
pub(crate) fn has_one_reading(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else { return false };
    let folder = rest.strip_suffix('/').unwrap_or(rest);
    let segments_are_plain = || folder.split('/').all(|segment| !["", ".", ".."].contains(&segment));
    rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\;#?".contains(&byte))
        && (rest.is_empty() || segments_are_plain())
        && escapes_are_plain(rest)
}

/// Whether each `%` begins an escape of a character that has to be escaped and separates nothing (RFC 3986 section 2).
fn escapes_are_plain(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| {
        let byte = rest.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = byte.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        byte.is_some_and(|byte| {
            let is_unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            !is_unreserved && !byte.is_ascii_control() && !b"/\\;%?#".contains(&byte)
        })
    })
}

/// A path, or everything below a path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum PathPattern {
    Exact(Box<str>),
    /// Ends in a slash.
    Below(Box<str>),
}

impl PathPattern {
    /// `None` for an invalid pattern.
    pub(crate) fn parse(pattern: &str) -> Option<Self> {
        let (path, kind): (&str, fn(Box<str>) -> Self) = match pattern.strip_suffix('*') {
            Some(prefix) if prefix.ends_with('/') => (prefix, PathPattern::Below),
            _ => (pattern, PathPattern::Exact),
        };
        (has_one_reading(path) && !path.contains(['%', '*'])).then(|| kind(path.into()))
    }

    /// Whether an unambiguous path matches this pattern.
    pub(crate) fn covers(&self, path: &str) -> bool {
        match self {
            PathPattern::Exact(exact) => path == &**exact,
            PathPattern::Below(prefix) => path.starts_with(&**prefix),
        }
    }

    /// Whether every path that matches `other` matches this pattern.
    pub(crate) fn includes(&self, other: &PathPattern) -> bool {
        match (self, other) {
            (_, PathPattern::Exact(path)) => self.covers(path),
            (PathPattern::Below(prefix), PathPattern::Below(longer)) => longer.starts_with(&**prefix),
            (PathPattern::Exact(_), PathPattern::Below(_)) => false,
        }
    }
}
