//! SPIFFE: trust domains, which replace an issuer's name, and the IDs of their workloads.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use tollgate_keys::Algorithm;

use crate::limits::{MAX_SPIFFE_ID_BYTES, MAX_TRUST_DOMAIN_BYTES};

/// The name of a SPIFFE trust domain (SPIFFE-ID section 2.1): 1 to [`MAX_TRUST_DOMAIN_BYTES`] of `a-z 0-9 . _ -`.
///
/// ```
/// use tollgate::TrustDomain;
///
/// let domain: TrustDomain = "example.org".parse()?;
/// assert_eq!((domain.name(), domain.id()), ("example.org", "spiffe://example.org"));
/// assert!("Example.org:443".parse::<TrustDomain>().is_err());
/// # Ok::<(), tollgate::InvalidTrustDomain>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct TrustDomain {
    id: Arc<str>,
}

const SCHEME: &str = "spiffe://";

impl TrustDomain {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.id[SCHEME.len()..]
    }

    /// The trust domain's own SPIFFE ID, which is the issuer of its tokens' principals.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl FromStr for TrustDomain {
    type Err = InvalidTrustDomain;

    fn from_str(name: &str) -> Result<Self, InvalidTrustDomain> {
        if is_domain_name(name) {
            Ok(TrustDomain { id: [SCHEME, name].concat().into() })
        } else {
            Err(InvalidTrustDomain { name: name.into() })
        }
    }
}

/// The part of a SPIFFE ID before its path, if it has one: the part that a [`TrustDomain::id`] has to equal.
pub(super) fn domain_part(id: &str) -> Option<&str> {
    let name = id.strip_prefix(SCHEME)?;
    let length = name.find('/').unwrap_or(name.len());
    Some(&id[..SCHEME.len() + length])
}

/// Whether `id` is the SPIFFE ID of a workload (SPIFFE-ID section 2). It has a path; an ID without one is that of a
/// trust domain.
pub(crate) fn is_workload_id(id: &str) -> bool {
    let parts = id.strip_prefix(SCHEME).and_then(|rest| rest.split_once('/'));
    id.len() <= MAX_SPIFFE_ID_BYTES
        && parts.is_some_and(|(domain, path)| is_domain_name(domain) && path.split('/').all(is_path_segment))
}

fn is_domain_name(name: &str) -> bool {
    let is_in_range =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAX_TRUST_DOMAIN_BYTES).contains(&name.len()) && name.bytes().all(is_in_range)
}

fn is_path_segment(segment: &str) -> bool {
    let is_in_range = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !matches!(segment, "" | "." | "..") && segment.bytes().all(is_in_range)
}

/// The algorithms of JWT-SVIDs (JWT-SVID section 2.1).
pub(crate) const SVID_ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::ES512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// The `typ` of JWT-SVIDs (JWT-SVID section 2.3); the empty text stands for no `typ`.
pub(super) const SVID_TYPES: [&str; 3] = ["", "JWT", "JOSE"];

/// The `use` of the keys that sign JWT-SVIDs (SPIFFE Trust Domain and Bundle section 4.2.2).
pub(super) const SVID_KEY_USE: &str = "jwt-svid";

/// The error for a text that is not the name of a trust domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidTrustDomain {
    name: Box<str>,
}

impl fmt::Display for InvalidTrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        write!(f, "{name:?} is no trust domain, whose name has 1 to {MAX_TRUST_DOMAIN_BYTES} of a-z 0-9 . _ - alone")
    }
}

impl std::error::Error for InvalidTrustDomain {}
