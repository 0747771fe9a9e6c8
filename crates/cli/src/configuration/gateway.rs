//! `[gateway]`: which requests of proxies may pass, and the identity that is passed on.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use tollgate::{Expected, Requirement};
use tollgate_gateway::{GatewayBuilder, GatewayError, Identity, InternalToken, Rule};
use tollgate_issuer::limits::{MAX_PRIVATE_KEY_BYTES, MAX_PUBLISHED_KEYS};
use tollgate_issuer::{Minter, SigningKey, SigningKeys};
use toml::Spanned;

use crate::key_files;
use crate::values::Kinds;

/// The configuration of a gateway, besides that of its engine.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GatewayConfiguration {
    realm: Option<String>,
    api_key_header: Option<String>,
    /// The value of each field.
    identity: Option<BTreeMap<String, IdentityName>>,
    token: Option<Spanned<TokenConfiguration>>,
    #[serde(default, rename = "rule")]
    rules: Vec<Spanned<RuleConfiguration>>,
}

/// The token that the gateway signs about the caller.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenConfiguration {
    /// A private JWK, or a private JWKS.
    key: PathBuf,
    issuer: String,
    audiences: Vec<String>,
    field: Option<String>,
    /// In seconds.
    lifetime: Option<u32>,
    #[serde(default)]
    claims: BTreeMap<String, IdentityName>,
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

/// A requirement: all its members have to be met.
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

/// A refused part of the section, and its position.
pub(super) struct RefusedPart {
    pub(super) position: Option<usize>,
    pub(super) reason: String,
}

impl From<GatewayError> for RefusedPart {
    fn from(error: GatewayError) -> Self {
        RefusedPart { position: None, reason: error.to_string() }
    }
}

impl GatewayConfiguration {
    /// Makes relative paths relative to `folder`.
    pub(super) fn resolve_paths(&mut self, folder: &Path) {
        if let Some(token) = &mut self.token {
            let key = &mut token.get_mut().key;
            *key = folder.join(&*key);
        }
    }

    /// Applies it to `builder`.
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
        if let Some(token) = &self.token {
            let refused = |reason| RefusedPart { position: Some(token.span().start), reason };
            builder = builder.internal_token(token.get_ref().token().map_err(refused)?);
        }
        self.rules.iter().try_fold(builder, |builder, rule| {
            let refused =
                |error: GatewayError| RefusedPart { position: Some(rule.span().start), reason: error.to_string() };
            rule.get_ref().rule().map(|rule| builder.rule(rule)).map_err(refused)
        })
    }
}

impl TokenConfiguration {
    fn token(&self) -> Result<InternalToken, String> {
        let Self { key, issuer, audiences, field, lifetime, claims } = self;
        let of_key = |error: &dyn Display| format!("{}: {error}", key.display());
        let file =
            key_files::read(key, MAX_PRIVATE_KEY_BYTES * MAX_PUBLISHED_KEYS).map_err(|error| error.to_string())?;
        let text = std::str::from_utf8(&file).map_err(|error| of_key(&error))?;
        // A JWKS also has the keys from before and after a rotation.
        let keys = SigningKeys::from_private_jwks(text)
            .or_else(|_| SigningKey::from_jwk(text).map(SigningKeys::new))
            .map_err(|error| of_key(&error))?;
        let minter = Minter::new(issuer, Arc::new(keys)).map_err(|error| error.to_string())?;
        let token = || -> Result<InternalToken, GatewayError> {
            let mut token = InternalToken::new(minter, audiences)?;
            if let Some(field) = field {
                token = token.field(field)?;
            }
            if let Some(seconds) = lifetime {
                token = token.lifetime(*seconds)?;
            }
            claims.iter().try_fold(token, |token, (name, IdentityName(identity))| token.claim(name, identity.clone()))
        };
        token().map_err(|error| error.to_string())
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
        // An empty list is refused, like a requirement that nobody can meet.
        Requirement::all(scopes.chain(claims).chain(choices.into_iter().flatten()).chain(of_each(&self.all)))
    }
}
