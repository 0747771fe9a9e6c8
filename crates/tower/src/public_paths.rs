use crate::error::LayerError;

/// The paths that need no credential, as [`AuthLayer::public_paths`](crate::AuthLayer::public_paths) describes them.
#[derive(Clone, Debug, Default)]
pub(crate) struct PublicPaths(Vec<PublicPath>);

#[derive(Clone, Debug)]
enum PublicPath {
    Exact(Box<str>),
    /// Ends in a slash.
    Below(Box<str>),
}

impl PublicPaths {
    pub(crate) fn add(&mut self, pattern: &str) -> Result<(), LayerError> {
        let public_path = PublicPath::parse(pattern);
        self.0.push(public_path.ok_or_else(|| LayerError::InvalidPublicPath { path: pattern.into() })?);
        Ok(())
    }

    pub(crate) fn contain(&self, path: &str) -> bool {
        self.0.iter().any(|public_path| match public_path {
            PublicPath::Exact(exact) => path == &**exact,
            PublicPath::Below(prefix) => path.strip_prefix(&**prefix).is_some_and(has_one_reading),
        })
    }
}

impl PublicPath {
    fn parse(pattern: &str) -> Option<Self> {
        let (path, kind): (&str, fn(Box<str>) -> Self) = match pattern.strip_suffix('*') {
            Some("/") => return None,
            Some(prefix) if prefix.ends_with('/') => (prefix, PublicPath::Below),
            _ => (pattern, PublicPath::Exact),
        };
        let is_plain = has_one_reading(path.strip_prefix('/')?) && !path.contains(['?', '#', '*']);
        is_plain.then(|| kind(path.into()))
    }
}

/// Whether servers that decode, resolve dots, merge slashes or cut off parameters all see this same path in what
/// follows a slash.
fn has_one_reading(rest: &str) -> bool {
    let folder = rest.strip_suffix('/').unwrap_or(rest);
    let segments_are_plain = || folder.split('/').all(|segment| !["", ".", ".."].contains(&segment));
    !rest.contains(['%', '\\', ';']) && (rest.is_empty() || segments_are_plain())
}
