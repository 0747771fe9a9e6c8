//! SPIFFE trust domains and their workloads' IDs (SPIFFE-ID section 2, JWT-SVID sections 2 and 3).

const SCHEME: &str = "spiffe://";

/// The algorithms of JWT-SVIDs.
pub(crate) const ALGORITHMS: [&str; 9] =
    ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"];

/// Whether `text` is the SPIFFE ID of a trust domain, which has no path.
pub(crate) fn is_trust_domain(id: &str) -> bool {
    id.strip_prefix(SCHEME).is_some_and(is_domain_name)
}

/// The part of a possible SPIFFE ID before the path.
pub(crate) fn domain_of(id: &str) -> Option<String> {
    let domain = id.strip_prefix(SCHEME)?.split('/').next()?;
    Some(format!("{SCHEME}{domain}"))
}

/// Whether `text` is the SPIFFE ID of a workload, which has a path.
pub(crate) fn is_workload(id: &str) -> bool {
    let is_segment = |segment: &str| {
        let is_one = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !segment.is_empty() && segment != "." && segment != ".." && segment.chars().all(is_one)
    };
    let mut parts = id.strip_prefix(SCHEME).unwrap_or_default().split('/');
    let domain = parts.next().unwrap_or_default();
    let path: Vec<&str> = parts.collect();
    id.len() <= 2048 && is_domain_name(domain) && !path.is_empty() && path.into_iter().all(is_segment)
}

fn is_domain_name(name: &str) -> bool {
    let is_one = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    (1..=255).contains(&name.len()) && name.chars().all(is_one)
}
