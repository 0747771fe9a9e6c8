use std::sync::Arc;

use tollgate_jwt::{ClaimLimits, Claims, Header};

use super::name_table::NameTable;
use super::named_issuers::{ConfiguredIssuer, NamedIssuers};
use super::templates::Templates;
use crate::builder::BuildError;
use crate::rejection::Rejection;

/// The issuers of an engine at one time. A copy shares what is not changed in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct IssuerSet {
    by_name: NameTable,
    /// Of `by_name`, where there is one: most engines have one, and comparing its name takes less than hashing it.
    only: Option<Arc<NamedIssuers>>,
    templates: Arc<Templates>,
    /// The widest of all: whose limits hold is known only when the claims have been read.
    limits: ClaimLimits,
    generation: u64,
}

impl IssuerSet {
    pub(super) fn is_empty(&self) -> bool {
        self.by_name.len() == 0 && self.templates.is_empty()
    }

    /// How often the issuers had been changed.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// How large the claims of a token may be, whoever issued it.
    pub(crate) fn limits(&self) -> &ClaimLimits {
        &self.limits
    }

    /// Which issuer a token is to be checked by: the one that `iss` names, by equality alone (RFC 8725 section 3.8), or
    /// otherwise the one whose template it matches; and of several of that name the one that takes its `typ`, and then its
    /// audience.
    pub(crate) fn find(&self, header: &Header<'_>, claims: &Claims<'_>) -> Result<&Arc<ConfiguredIssuer>, Rejection> {
        let iss = claims.iss().ok_or_else(missing_iss)?;
        self.named(iss).ok_or_else(|| Rejection::unknown_issuer(iss))?.find(header, claims)
    }

    /// Whether a token with this `iss`, which was verified by `issuer`, would be checked by it now.
    ///
    /// Of several issuers of one name it would be by the same one: they are replaced together.
    pub(super) fn still_has(&self, issuer: &Arc<ConfiguredIssuer>, iss: &str) -> bool {
        self.named(iss).is_some_and(|named| named.contain(issuer))
    }

    fn named(&self, iss: &str) -> Option<&Arc<NamedIssuers>> {
        let by_name = match &self.only {
            Some(only) if *only.name == *iss => return Some(only),
            Some(_) => None,
            None => self.by_name.find(iss),
        };
        by_name.or_else(|| self.templates.find(iss))
    }

    /// Whether there are issuers of this very name, which may be a template.
    pub(super) fn has(&self, name: &str) -> bool {
        self.by_name.find(name).is_some() || self.templates.named(name).is_some()
    }

    /// Puts these in the place of those with the same names.
    pub(super) fn insert(&mut self, all: impl IntoIterator<Item = NamedIssuers>) -> Result<(), BuildError> {
        let mut replaces_any = false;
        for named in all {
            let named = Arc::new(named);
            replaces_any |= self.has(&named.name);
            named.widen(&mut self.limits);
            match named.template.clone() {
                Some(template) => Arc::make_mut(&mut self.templates).insert(template, named)?,
                None => self.by_name.insert(named),
            }
        }
        self.changed(replaces_any);
        Ok(())
    }

    /// Returns whether there were any of this name.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        let is_there = self.has(name);
        if is_there && !self.by_name.remove(name) {
            Arc::make_mut(&mut self.templates).remove(name);
        }
        self.changed(is_there);
        is_there
    }

    fn changed(&mut self, is_any_gone: bool) {
        self.generation += 1;
        self.only = if self.by_name.len() == 1 { self.by_name.iter().next().cloned() } else { None };
        // Few have limits of their own, so that all are rarely looked at.
        if is_any_gone && self.limits != ClaimLimits::default() {
            self.limits = ClaimLimits::default();
            for named in self.by_name.iter().chain(self.templates.iter()) {
                named.widen(&mut self.limits);
            }
        }
    }
}

#[cold]
fn missing_iss() -> Rejection {
    Rejection::MissingClaim { name: "iss".into() }
}
