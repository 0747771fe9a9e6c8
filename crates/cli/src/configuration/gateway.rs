//! `[gateway]`: which requests of proxies may pass, and who is passing.

use std::collections::BTreeMap;

use serde::Deserialize;
use tollgate::{Expected, Requirement};
use tollgate_gateway::{GatewayBuilder, GatewayError, Identity, Rule};
use toml::Spanned;

use crate::values::Kinds;

/// All that a gateway can be told beside what an engine can.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GatewayConfiguration {
    realm: Option<String>,
    api_key_header: Option<String>,
    /// What each field says.
    identity: Option<BTreeMap<String, IdentityName>>,
    #[serde(default, rename = "rule")]
    rules: Vec<Spanned<RuleConfiguration>>,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct IdentityName(Identity);

impl TryFrom<String> for IdentityName {
    type Error = tollgate_gateway::InvalidIdentity;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(IdentityName)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleConfiguration {
    paths: Vec<String>,
    #[serde(default)]
    hosts: Vec<String>,
    #[serde(default)]
    methods: Vec<String>,
    #[serde(default)]
    public: bool,
    require: Option<RequirementConfiguration>,
}

/// What all of its members say has to be met.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RequirementConfiguration {
    /// All of them.
    scopes: Vec<String>,
    /// One of them.
    kinds: Option<Kinds>,
    /// One of them.
    issuers: Vec<String>,
    /// All of them, by name or JSON Pointer.
    claims: BTreeMap<String, Expected>,
    all: Vec<RequirementConfiguration>,
    any: Vec<RequirementConfiguration>,
}

/// A part of the section that does not do, and where it is.
pub(super) struct RefusedPart {
    pub(super) position: Option<usize>,
    pub(super) error: GatewayError,
}

impl From<GatewayError> for RefusedPart {
    fn from(error: GatewayError) -> Self {
        RefusedPart { position: None, error }
    }
}

impl GatewayConfiguration {
    /// Tells it to `builder`.
    pub(super) fn apply(&self, mut builder: GatewayBuilder) -> Result<GatewayBuilder, RefusedPart> {
        if let Some(realm) = &self.realm {
            builder = builder.realm(realm)?;
        }
        if let Some(name) = &self.api_key_header {
            builder = builder.api_key_header(name)?;
        }
        if let Some(fields) = &self.identity {
            builder = builder.identity(fields.iter().map(|(name, IdentityName(identity))| (name, identity.clone())))?;
        }
        self.rules.iter().try_fold(builder, |builder, rule| {
            let refused = |error| RefusedPart { position: Some(rule.span().start), error };
            rule.get_ref().rule().map(|rule| builder.rule(rule)).map_err(refused)
        })
    }
}

impl RuleConfiguration {
    fn rule(&self) -> Result<Rule, GatewayError> {
        let rule = Rule::new(&self.paths)?.hosts(&self.hosts)?.methods(&self.methods)?;
        let rule = if self.public { rule.public() } else { rule };
        match &self.require {
            Some(requirement) => rule.require(requirement.requirement()),
            None => Ok(rule),
        }
    }
}

impl RequirementConfiguration {
    fn requirement(&self) -> Requirement {
        let any = |parts: Vec<Requirement>| (!parts.is_empty()).then(|| Requirement::any(parts));
        let of_each = |parts: &[RequirementConfiguration]| parts.iter().map(Self::requirement).collect::<Vec<_>>();
        let kinds = self.kinds.iter().flat_map(|Kinds(kinds)| kinds);
        let choices = [
            any(kinds.map(|kind| Requirement::kind(*kind)).collect()),
            any(self.issuers.iter().map(|name| Requirement::issuer(name)).collect()),
            any(of_each(&self.any)),
        ];
        let scopes = self.scopes.iter().map(|scope| Requirement::scope(scope));
        let claims = self.claims.iter().map(|(path, expected)| Requirement::claim(path, expected.clone()));
        // With nothing in it, it is refused as one that nobody could meet.
        Requirement::all(scopes.chain(claims).chain(choices.into_iter().flatten()).chain(of_each(&self.all)))
    }
}
