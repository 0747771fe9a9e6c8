use std::collections::HashMap;
use std::sync::Arc;

use super::sections::Sections;
use super::settings::SettingsError;
use super::template::{IssuerTemplate, origin};
use crate::builder::BuildError;
use crate::limits::MAX_TEMPLATES_OF_ONE_ORIGIN;

/// The issuers whose names are templates.
///
/// They are found by what no template leaves open, scheme and authority; of those that have the same, at most
/// [`MAX_TEMPLATES_OF_ONE_ORIGIN`], each is tried. No name matches two of them.
#[derive(Debug, Default)]
pub(super) struct Templates {
    by_origin: HashMap<Box<str>, Vec<NamedTemplate>>,
}

/// The issuers of one template.
#[derive(Debug)]
struct NamedTemplate {
    name: Arc<str>,
    template: IssuerTemplate,
    sections: Sections,
}

impl Templates {
    pub(super) fn insert(
        &mut self,
        name: Arc<str>,
        template: IssuerTemplate,
        sections: Sections,
    ) -> Result<(), BuildError> {
        let others = self.by_origin.entry(template.origin().into()).or_default();
        if let Some(other) = others.iter().find(|other| template.overlaps(&other.template)) {
            let (one, other) = if name < other.name { (&name, &other.name) } else { (&other.name, &name) };
            return Err(BuildError::TemplatesOverlap { issuer: (**one).into(), other: (**other).into() });
        }
        if others.len() == MAX_TEMPLATES_OF_ONE_ORIGIN {
            return Err(BuildError::Issuer { issuer: (*name).into(), error: SettingsError::TooManyTemplates });
        }
        others.push(NamedTemplate { name, template, sections });
        Ok(())
    }

    /// The issuers whose template `iss` matches, and their name as it was configured.
    pub(super) fn find(&self, iss: &str) -> Option<(&Arc<str>, &Sections)> {
        if self.by_origin.is_empty() {
            return None;
        }
        let named = self.by_origin.get(origin(iss)?)?.iter().find(|named| named.template.tenant(iss).is_some())?;
        Some((&named.name, &named.sections))
    }
}
