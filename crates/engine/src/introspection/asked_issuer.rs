use std::fmt;
use std::sync::Arc;

use super::Introspector;
use crate::builder::BuildError;
use crate::issuer::{ConfiguredIssuer, OpaqueIssuer};
use crate::policy::Policy;

/// An issuer of opaque tokens whose settings have been checked.
pub(crate) struct AskedIssuer {
    name: Arc<str>,
    prefix: Option<Box<str>>,
    /// In seconds.
    max_age: u32,
    configured: Arc<ConfiguredIssuer>,
    introspector: Arc<dyn Introspector>,
}

impl AskedIssuer {
    pub(super) fn new(issuer: &OpaqueIssuer) -> Result<Self, BuildError> {
        let settings = issuer.settings();
        let name: Arc<str> = settings.name.as_str().into();
        let introspector = issuer.introspector_of_tokens();
        let introspector = introspector.ok_or_else(|| BuildError::NoIntrospector { issuer: name.as_ref().into() })?;
        Ok(AskedIssuer {
            prefix: settings.token_prefix.as_deref().map(Into::into),
            max_age: settings.max_age,
            configured: Arc::new(ConfiguredIssuer::without_keys(issuer.policy()?)),
            introspector: introspector.clone(),
            name,
        })
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(super) fn prefix(&self) -> Option<&str> {
        self.prefix.as_deref()
    }

    pub(super) fn has_prefix_of(&self, token: &[u8]) -> bool {
        self.prefix.as_ref().is_some_and(|prefix| token.starts_with(prefix.as_bytes()))
    }

    /// Whether a token could belong to both.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        match (self.prefix(), other.prefix()) {
            (Some(one), Some(other)) => one.starts_with(other) || other.starts_with(one),
            (None, None) => true,
            _ => false,
        }
    }

    /// The seconds for which an answer is used, counted from the question.
    pub(super) fn max_age(&self) -> i64 {
        self.max_age.into()
    }

    pub(super) fn policy(&self) -> &Policy {
        self.configured.policy()
    }

    pub(super) fn configured(&self) -> &Arc<ConfiguredIssuer> {
        &self.configured
    }

    pub(super) fn introspector(&self) -> &Arc<dyn Introspector> {
        &self.introspector
    }
}

impl fmt::Debug for AskedIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AskedIssuer").field("name", &self.name).field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
