use http::Method;

use crate::error::LayerError;

/// The paths that need no credential, as described at [`AuthLayer::public_paths`](crate::AuthLayer::public_paths).
#[derive(Clone, Debug, Default)]
pub(crate) struct PublicPaths(Vec<(Methods, PublicPath)>);

/// Empty for all methods.
type Methods = Box<[Method]>;

#[derive(Clone, Debug)]
enum PublicPath {
    Exact(Box<str>),
    /// Ends in a slash.
    Below(Box<str>),
}

impl PublicPaths {
    pub(crate) fn add(&mut self, pattern: &str) -> Result<(), LayerError> {
        let (methods, path) = pattern.split_once(' ').map_or((None, pattern), |(methods, path)| (Some(methods), path));
        let public_path = PublicPath::parse(path).and_then(|path| Some((parse_methods(methods)?, path)));
        self.0.push(public_path.ok_or_else(|| LayerError::InvalidPublicPath { path: pattern.into() })?);
        Ok(())
    }

    /// A public document at exactly this path.
    pub(crate) fn add_document(&mut self, path: &str) {
        self.0.push(([Method::GET, Method::HEAD].into(), PublicPath::Exact(path.into())));
    }

    pub(crate) fn contain(&self, method: &Method, path: &str) -> bool {
        self.0.iter().any(|(methods, public_path)| {
            (methods.is_empty() || methods.contains(method))
                && match public_path {
                    PublicPath::Exact(exact) => path == &**exact,
                    PublicPath::Below(prefix) => path.strip_prefix(&**prefix).is_some_and(has_one_reading),
                }
        })
    }
}

/// `GET,POST`. GET includes HEAD.
fn parse_methods(list: Option<&str>) -> Option<Methods> {
    let Some(list) = list else { return Some(Methods::default()) };
    let is_name = |name: &str| !name.is_empty() && !name.bytes().any(|byte| byte.is_ascii_lowercase());
    let method = |name: &str| Method::from_bytes(name.as_bytes()).ok().filter(|_| is_name(name));
    let mut methods: Vec<_> = list.split(',').map(method).collect::<Option<_>>()?;
    if methods.contains(&Method::GET) {
        methods.push(Method::HEAD);
    }
    Some(methods.into())
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

/// Whether the text after a slash is the same path for servers that decode, resolve dots, merge slashes or remove
/// parameters.
fn has_one_reading(rest: &str) -> bool {
    let folder = rest.strip_suffix('/').unwrap_or(rest);
    let segments_are_plain = || folder.split('/').all(|segment| !["", ".", ".."].contains(&segment));
    !rest.contains(['%', '\\', ';']) && (rest.is_empty() || segments_are_plain())
}
