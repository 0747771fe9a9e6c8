use std::collections::HashMap;
use std::sync::Arc;

use super::named_issuers::NamedIssuers;
use super::settings::SettingsError;
use super::template::{IssuerTemplate, origin};
use crate::builder::BuildError;
use crate::limits::MAX_TEMPLATES_OF_ONE_ORIGIN;
use crate::sync::RandomState;

/// The issuers whose names are templates.
///
/// They are found by scheme and authority, which no template leaves variable. Those with the same, at most
/// [`MAX_TEMPLATES_OF_ONE_ORIGIN`], are tried one by one. No name matches two templates.
#[derive(Clone, Debug, Default)]
pub(super) struct Templates {
    by_origin: HashMap<Box<str>, Vec<Named>, RandomState>,
}

#[derive(Clone, Debug)]
struct Named {
    template: IssuerTemplate,
    issuers: Arc<NamedIssuers>,
}

impl Templates {
    /// Replaces the issuers with the same name, or adds these.
    pub(super) fn insert(&mut self, template: IssuerTemplate, issuers: Arc<NamedIssuers>) -> Result<(), BuildError> {
        let of_origin = self.by_origin.entry(template.origin().into()).or_default();
        let name = &issuers.name;
        of_origin.retain(|other| other.issuers.name != *name);
        if let Some(other) = of_origin.iter().find(|other| template.overlaps(&other.template)) {
            return Err(BuildError::TemplatesOverlap { issuer: (**name).into(), other: (*other.issuers.name).into() });
        }
        if of_origin.len() == MAX_TEMPLATES_OF_ONE_ORIGIN {
            return Err(BuildError::Issuer { issuer: (**name).into(), error: SettingsError::TooManyTemplates });
        }
        of_origin.push(Named { template, issuers });
        Ok(())
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.by_origin.retain(|_, of_origin| {
            of_origin.retain(|named| *named.issuers.name != *name);
            !of_origin.is_empty()
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_origin.is_empty()
    }

    /// The issuers whose template `iss` matches.
    pub(super) fn find(&self, iss: &str) -> Option<&Arc<NamedIssuers>> {
        if self.is_empty() {
            return None;
        }
        let named = self.by_origin.get(origin(iss)?)?.iter().find(|named| named.template.tenant(iss).is_some())?;
        Some(&named.issuers)
    }

    /// The issuers with exactly this template.
    pub(super) fn named(&self, name: &str) -> Option<&Arc<NamedIssuers>> {
        let of_origin = self.by_origin.get(origin(name)?)?;
        of_origin.iter().map(|named| &named.issuers).find(|issuers| *issuers.name == *name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<NamedIssuers>> {
        self.by_origin.values().flatten().map(|named| &named.issuers)
    }
}
