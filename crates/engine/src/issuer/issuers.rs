use std::collections::HashMap;
use std::sync::Arc;

use tollgate_jwt::{ClaimLimits, Claims, Header};
use tollgate_keys::KeyRing;

use super::Issuer;
use super::sections::Sections;
use super::templates::Templates;
use crate::builder::BuildError;
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::validator::Validators;

/// The configured issuers.
#[derive(Debug, Default)]
pub(crate) struct Issuers {
    all: Vec<ConfiguredIssuer>,
    by_name: HashMap<Arc<str>, Sections>,
    templates: Templates,
    /// The widest of all: whose limits hold is known only when the claims have been read.
    limits: ClaimLimits,
}

/// An issuer whose settings are known to work.
#[derive(Debug)]
pub(crate) struct ConfiguredIssuer {
    name: Arc<str>,
    policy: Policy,
    validators: Validators,
    keys: KeyRing,
}

impl Issuers {
    pub(crate) fn new(configured: Vec<Issuer>) -> Result<Self, BuildError> {
        let mut limits = ClaimLimits::default();
        let (mut all, mut sections) =
            (Vec::<ConfiguredIssuer>::with_capacity(configured.len()), HashMap::<Arc<str>, Vec<usize>>::new());
        for (index, issuer) in configured.iter().enumerate() {
            let policy = issuer.policy()?;
            limits.max_members = limits.max_members.max(policy.limits().max_members);
            limits.max_list_entries = limits.max_list_entries.max(policy.limits().max_list_entries);
            let name: Arc<str> = issuer.settings().name.as_str().into();
            sections.entry(name.clone()).or_default().push(index);
            let (validators, keys) = (issuer.validators().clone(), issuer.key_ring().clone());
            all.push(ConfiguredIssuer { name, policy, validators, keys });
        }
        for issuer in &mut all {
            issuer.policy.read_within(&limits);
        }
        let (mut by_name, mut templates) = (HashMap::new(), Templates::default());
        for (name, indexes) in sections {
            let of_name: Vec<_> = indexes.iter().map(|index| (*index, configured[*index].settings())).collect();
            let sections =
                Sections::new(&of_name).ok_or_else(|| BuildError::IssuersOverlap { issuer: (*name).into() })?;
            match all[indexes[0]].policy.template() {
                Some(template) => templates.insert(name, template.clone(), sections)?,
                None => drop(by_name.insert(name, sections)),
            }
        }
        Ok(Issuers { all, by_name, templates, limits })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// How large the claims of a token may be, whoever issued it.
    pub(crate) fn limits(&self) -> &ClaimLimits {
        &self.limits
    }

    /// Which issuer a token is to be checked by: the one that `iss` names, by equality alone (RFC 8725 section 3.8), or
    /// otherwise the one whose template it matches; and of several of that name the one that takes its `typ`, and then its
    /// audience.
    pub(crate) fn find(&self, header: &Header<'_>, claims: &Claims<'_>) -> Result<usize, Rejection> {
        let name = claims.iss().ok_or_else(missing_iss)?;
        let sections = match self.all.as_slice() {
            // Most engines have one, and comparing its name takes less than hashing it.
            [only] if *only.name == *name => return Ok(0),
            _ => self.by_name.get_key_value(name),
        };
        match sections.or_else(|| self.templates.find(name)) {
            None => Err(Rejection::unknown_issuer(name)),
            Some((name, sections)) => sections.find(header, claims, name),
        }
    }

    pub(crate) fn at(&self, index: usize) -> &ConfiguredIssuer {
        &self.all[index]
    }
}

impl ConfiguredIssuer {
    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn validators(&self) -> &Validators {
        &self.validators
    }

    pub(crate) fn key_ring(&self) -> &KeyRing {
        &self.keys
    }
}

#[cold]
fn missing_iss() -> Rejection {
    Rejection::MissingClaim { name: "iss".into() }
}
