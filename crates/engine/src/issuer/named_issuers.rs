use std::sync::Arc;

use tollgate_jwt::{ClaimLimits, Claims, Header};
use tollgate_keys::{KeyRing, KeySet};

use super::Issuer;
use super::sections::Sections;
use super::template::IssuerTemplate;
use super::withdrawals::Withdrawals;
use crate::builder::BuildError;
use crate::introspection::JwtIntrospection;
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::validator::Validators;

/// An issuer whose settings have been checked.
///
/// Cached tokens refer to the issuer that verified them, so its address is not reused while they do.
#[derive(Debug)]
pub(crate) struct ConfiguredIssuer {
    policy: Policy,
    validators: Validators,
    keys: KeyRing,
    withdrawals: Option<Box<Withdrawals>>,
}

impl ConfiguredIssuer {
    /// An issuer whose tokens are not signed.
    pub(crate) fn without_keys(policy: Policy) -> Self {
        ConfiguredIssuer {
            policy,
            validators: Validators::default(),
            keys: KeySet::default().into(),
            withdrawals: None,
        }
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn validators(&self) -> &Validators {
        &self.validators
    }

    pub(crate) fn withdrawals(&self) -> Option<&Withdrawals> {
        self.withdrawals.as_deref()
    }

    pub(crate) fn key_ring(&self) -> &KeyRing {
        &self.keys
    }
}

/// The issuers with one name.
#[derive(Debug)]
pub(super) struct NamedIssuers {
    /// The configured name.
    pub(super) name: Arc<str>,
    pub(super) template: Option<IssuerTemplate>,
    /// Whether the name is a SPIFFE trust domain, rather than the `iss` of tokens.
    pub(super) is_trust_domain: bool,
    sections: Sections,
    issuers: Box<[Arc<ConfiguredIssuer>]>,
}

impl NamedIssuers {
    /// `issuers` all have this name.
    pub(super) fn new(name: &str, issuers: &[Issuer]) -> Result<Self, BuildError> {
        let configured = |issuer: &Issuer| {
            let policy = issuer.policy()?;
            let (validators, keys) = (issuer.validators().clone(), issuer.key_ring(&policy)?.clone());
            let introspection = issuer.introspector().map(JwtIntrospection::new).transpose()?;
            let status_lists = issuer.lists().cloned();
            let has_any = introspection.is_some() || status_lists.is_some();
            let withdrawals = has_any.then(|| Box::new(Withdrawals { status_lists, introspection }));
            Ok(Arc::new(ConfiguredIssuer { policy, validators, keys, withdrawals }))
        };
        let configured: Box<[_]> = issuers.iter().map(configured).collect::<Result<_, BuildError>>()?;
        let settings: Vec<_> = issuers.iter().map(Issuer::settings).enumerate().collect();
        let is_trust_domain = configured[0].policy.is_of_trust_domain();
        let sections = Sections::new(&settings).filter(|_| {
            // A trust domain and an `iss` of the same name would yield principals of the same issuer.
            configured.iter().all(|issuer| issuer.policy.is_of_trust_domain() == is_trust_domain)
        });
        let sections = sections.ok_or_else(|| BuildError::IssuersOverlap { issuer: name.into() })?;
        let template = configured[0].policy.template().cloned();
        Ok(NamedIssuers { name: name.into(), template, is_trust_domain, sections, issuers: configured })
    }

    /// The issuer that accepts the token's `typ`, and then its audience.
    pub(super) fn find(&self, header: &Header<'_>, claims: &Claims<'_>) -> Result<&Arc<ConfiguredIssuer>, Rejection> {
        self.sections.find(header, claims, &self.name).map(|index| &self.issuers[index])
    }

    /// Whether `issuer` itself, not just an equal one, is among them.
    pub(super) fn contain(&self, issuer: &Arc<ConfiguredIssuer>) -> bool {
        self.issuers.iter().any(|one| Arc::ptr_eq(one, issuer))
    }

    /// Raises `limits` to those of these issuers where they are wider.
    pub(super) fn widen(&self, limits: &mut ClaimLimits) {
        for issuer in &self.issuers {
            let own = issuer.policy.limits();
            limits.max_members = limits.max_members.max(own.max_members);
            limits.max_list_entries = limits.max_list_entries.max(own.max_list_entries);
        }
    }
}
