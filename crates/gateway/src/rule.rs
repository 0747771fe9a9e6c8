use std::net::Ipv6Addr;

use http::Method;
use tollgate::Requirement;
use tollgate_tower::Require;

use crate::error::GatewayError;
use crate::path::PathPattern;
use crate::question::Original;

/// The requests that a rule matches, and their requirements: a valid credential by default.
///
/// The first of a gateway's rules that matches a request decides. A request that matches none is denied.
///
/// ```
/// use tollgate::{PrincipalKind, Requirement};
/// use tollgate_gateway::Rule;
///
/// // The front page, and all assets, for everybody.
/// let public = Rule::new(["/", "/assets/*"])?.public();
/// // Whoever writes sites has to be allowed to.
/// let writing = Rule::new(["/sites/*"])?.hosts(["api.example.com"])?.methods(["PUT", "DELETE"])?;
/// let writing = writing.require(Requirement::scope("write:sites"))?;
/// // All else of this host needs some credential.
/// let rest = Rule::new(["/*"])?.hosts(["api.example.com"])?;
/// # Ok::<(), tollgate_gateway::GatewayError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rule {
    paths: Vec<PathPattern>,
    /// Empty for any.
    hosts: Vec<Box<str>>,
    /// Empty for any.
    methods: Vec<Method>,
    pub(crate) access: Access,
}

/// The requirements.
#[derive(Clone, Debug)]
pub(crate) enum Access {
    /// None; credentials are not read.
    Public,
    /// A valid credential.
    Known,
    /// A valid credential that meets it.
    Required(Require),
}

impl Rule {
    /// A rule for `paths`: each is a path, as in `/sites`, or everything below a path, as in `/sites/*`, which matches
    /// `/sites/` and longer, not `/sites`; `/*` is everything. They are compared with the client's path byte for byte,
    /// without the query. A path that two servers could read differently is denied by any rule: one with a `.`, `..` or
    /// empty segment, with `\` or `;`, or with an escape of a letter, a separator or `%`.
    ///
    /// If the server behind the proxy treats `/Admin` like `/admin`, no rule for less than `/*` may be laxer than those
    /// after it.
    ///
    /// # Errors
    /// [`GatewayError::InvalidPath`], and [`GatewayError::NoPaths`] without a path.
    pub fn new<P: AsRef<str>>(paths: impl IntoIterator<Item = P>) -> Result<Self, GatewayError> {
        let pattern = |path: P| {
            let path = path.as_ref();
            PathPattern::parse(path).ok_or_else(|| GatewayError::InvalidPath { path: path.into() })
        };
        let paths = paths.into_iter().map(pattern).collect::<Result<Vec<_>, _>>()?;
        if paths.is_empty() {
            return Err(GatewayError::NoPaths);
        }
        Ok(Rule { paths, hosts: Vec::new(), methods: Vec::new(), access: Access::Known })
    }

    /// Restricts the rule to these hosts, with any port.
    ///
    /// # Errors
    /// [`GatewayError::InvalidHost`].
    pub fn hosts<H: AsRef<str>>(mut self, hosts: impl IntoIterator<Item = H>) -> Result<Self, GatewayError> {
        for host in hosts {
            let host = host.as_ref();
            if Host::parse(host).is_none_or(|parsed| *parsed.0 != *host) {
                return Err(GatewayError::InvalidHost { host: host.into() });
            }
            self.hosts.push(host.into());
        }
        Ok(self)
    }

    /// Restricts the rule to these methods. Case matters (RFC 9110 section 9.1).
    ///
    /// # Errors
    /// [`GatewayError::InvalidMethod`].
    pub fn methods<M: AsRef<str>>(mut self, methods: impl IntoIterator<Item = M>) -> Result<Self, GatewayError> {
        for method in methods {
            let method = method.as_ref();
            let invalid = |_| GatewayError::InvalidMethod { method: method.into() };
            self.methods.push(Method::from_bytes(method.as_bytes()).map_err(invalid)?);
        }
        Ok(self)
    }

    /// Lets every request pass, without an identity. Credentials are not read.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.access = Access::Public;
        self
    }

    /// Requires a valid credential that meets `requirement`.
    ///
    /// # Errors
    /// [`GatewayError::Layer`] if nobody can meet it, and [`GatewayError::PublicWithRequirement`].
    pub fn require(mut self, requirement: Requirement) -> Result<Self, GatewayError> {
        if let Access::Public = self.access {
            return Err(GatewayError::PublicWithRequirement { path: self.name() });
        }
        self.access = Access::Required(Require::new(requirement)?);
        Ok(self)
    }

    pub(crate) fn covers(&self, request: &Original<'_>) -> bool {
        self.paths.iter().any(|path| path.covers(request.path()))
            && (self.methods.is_empty() || self.methods.contains(&request.method))
            && (self.hosts.is_empty() || self.hosts.iter().any(|host| **host == *request.host.0))
    }

    /// Whether this rule matches each request that `other` matches.
    pub(crate) fn includes(&self, other: &Rule) -> bool {
        fn all_in<T: PartialEq>(few: &[T], many: &[T]) -> bool {
            many.is_empty() || (!few.is_empty() && few.iter().all(|one| many.contains(one)))
        }
        all_in(&other.hosts, &self.hosts)
            && all_in(&other.methods, &self.methods)
            && other.paths.iter().all(|path| self.paths.iter().any(|wider| wider.includes(path)))
    }

    /// The first of its paths, which identifies it for a person.
    pub(crate) fn name(&self) -> String {
        match &self.paths[0] {
            PathPattern::Exact(path) => path.to_string(),
            PathPattern::Below(prefix) => format!("{prefix}*"),
        }
    }
}

/// A host without its port, in lower case.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Host(pub(crate) Box<str>);

impl Host {
    /// From text by a client or a proxy (RFC 3986 section 3.2): a name or an address, and an optional port.
    pub(crate) fn parse(authority: &str) -> Option<Self> {
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        };
        let is_port = |port: &str| port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (authority, ""),
        };
        let inside = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let is_host = inside.map_or_else(|| is_name(host), |address| address.parse::<Ipv6Addr>().is_ok());
        // The root's dot does not change the host.
        let host = host.strip_suffix('.').filter(|name| !name.is_empty()).unwrap_or(host);
        (is_host && is_port(port)).then(|| Host(host.to_ascii_lowercase().into()))
    }
}
