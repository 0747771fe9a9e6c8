use std::collections::HashMap;
use std::sync::Arc;

use tollgate_jwt::{ClaimLimits, Claims, Header};

use super::name_table::NameTable;
use super::named_issuers::{ConfiguredIssuer, NamedIssuers};
use super::spiffe::domain_part;
use super::templates::Templates;
use crate::builder::BuildError;
use crate::rejection::Rejection;
use crate::sync::RandomState;

/// The issuers of an engine at one time. Clones share the unchanged parts.
#[derive(Clone, Debug, Default)]
pub(crate) struct IssuerSet {
    by_name: NameTable,
    /// The only entry of `by_name`, if it has one: most engines do, and comparing its name is faster than hashing it.
    only: Option<Arc<NamedIssuers>>,
    templates: Arc<Templates>,
    /// By the SPIFFE IDs of the trust domains.
    trust_domains: Arc<HashMap<Arc<str>, Arc<NamedIssuers>, RandomState>>,
    /// The widest limits of all issuers: a token's issuer is known only after its claims are read.
    limits: ClaimLimits,
    generation: u64,
}

impl IssuerSet {
    pub(super) fn is_empty(&self) -> bool {
        self.by_name.len() == 0 && self.templates.is_empty() && self.trust_domains.is_empty()
    }

    /// The number of changes to the issuers so far.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// The names of all issuers, as they are configured.
    #[cfg(feature = "explain")]
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.iter().chain(self.templates.iter()).chain(self.trust_domains.values()).map(|named| &*named.name)
    }

    /// The limits for the claims of any token, whichever its issuer.
    pub(crate) fn limits(&self) -> &ClaimLimits {
        &self.limits
    }

    /// The issuer that checks a token: the one that `iss` names, by equality alone (RFC 8725 section 3.8); otherwise
    /// the one whose template `iss` matches; otherwise the trust domain that `sub` is in. Among several with that name,
    /// the one that accepts the token's `typ`, and then its audience.
    pub(crate) fn find(&self, header: &Header<'_>, claims: &Claims<'_>) -> Result<&Arc<ConfiguredIssuer>, Rejection> {
        let named = match claims.iss().and_then(|iss| self.named(iss)) {
            Some(named) => named,
            None => self.of_subject(claims)?,
        };
        named.find(header, claims)
    }

    /// The trust domain of a token whose `iss` is absent or not configured.
    #[inline(never)]
    fn of_subject(&self, claims: &Claims<'_>) -> Result<&Arc<NamedIssuers>, Rejection> {
        let domain = claims.sub().filter(|_| !self.trust_domains.is_empty()).and_then(domain_part);
        let named = domain.and_then(|domain| self.trust_domains.get(domain));
        named.ok_or_else(|| claims.iss().or(domain).map_or_else(missing_iss, Rejection::unknown_issuer))
    }

    /// Whether a token with this `iss`, which `issuer` has verified, would be checked by the same issuer now.
    ///
    /// Among several issuers with one name it would: they are replaced together.
    pub(super) fn still_has(&self, issuer: &Arc<ConfiguredIssuer>, iss: Option<&str>) -> bool {
        let named = iss.and_then(|iss| self.named(iss)).or_else(|| {
            // The token's `sub` is still in the same trust domain.
            let is_of_trust_domain = issuer.policy().is_of_trust_domain();
            is_of_trust_domain.then(|| self.trust_domains.get(issuer.policy().issuer())).flatten()
        });
        named.is_some_and(|named| named.contain(issuer))
    }

    fn named(&self, iss: &str) -> Option<&Arc<NamedIssuers>> {
        let by_name = match &self.only {
            Some(only) if *only.name == *iss => return Some(only),
            Some(_) => None,
            None => self.by_name.find(iss),
        };
        by_name.or_else(|| self.templates.find(iss))
    }

    /// Whether there are issuers with exactly this name, which may be a template.
    pub(super) fn has(&self, name: &str) -> bool {
        self.by_name.find(name).is_some()
            || self.templates.named(name).is_some()
            || self.trust_domains.contains_key(name)
    }

    /// Replaces the issuers that have the same names, or adds these.
    pub(super) fn insert(&mut self, all: impl IntoIterator<Item = NamedIssuers>) -> Result<(), BuildError> {
        let mut replaces_any = false;
        for named in all {
            let named = Arc::new(named);
            replaces_any |= self.has(&named.name);
            named.widen(&mut self.limits);
            match named.template.clone() {
                Some(template) => Arc::make_mut(&mut self.templates).insert(template, named)?,
                None if named.is_trust_domain => {
                    self.by_name.remove(&named.name);
                    Arc::make_mut(&mut self.trust_domains).insert(named.name.clone(), named);
                }
                None => {
                    self.remove_trust_domain(&named.name);
                    self.by_name.insert(named);
                }
            }
        }
        self.changed(replaces_any);
        Ok(())
    }

    /// Returns whether there were issuers with this name.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        let is_there = self.has(name);
        if is_there && !self.by_name.remove(name) && !self.remove_trust_domain(name) {
            Arc::make_mut(&mut self.templates).remove(name);
        }
        self.changed(is_there);
        is_there
    }

    /// Returns whether it was present.
    fn remove_trust_domain(&mut self, id: &str) -> bool {
        // Looked up first to avoid a needless copy.
        self.trust_domains.contains_key(id) && Arc::make_mut(&mut self.trust_domains).remove(id).is_some()
    }

    fn changed(&mut self, is_any_gone: bool) {
        self.generation += 1;
        self.only = if self.by_name.len() == 1 { self.by_name.iter().next().cloned() } else { None };
        // Few issuers have limits of their own, so this loop over all is rare.
        if is_any_gone && self.limits != ClaimLimits::default() {
            self.limits = ClaimLimits::default();
            for named in self.by_name.iter().chain(self.templates.iter()).chain(self.trust_domains.values()) {
                named.widen(&mut self.limits);
            }
        }
    }
}

#[cold]
fn missing_iss() -> Rejection {
    Rejection::MissingClaim { name: "iss".into() }
}
