use std::fmt;
use std::sync::Arc;

use super::claim_path::ClaimPath;
use super::expected::Expected;
use super::settings::{IssuerSettings, SettingsError};
use super::sources::ClaimSources;
use crate::builder::BuildError;
use crate::credential::is_opaque_token;
use crate::introspection::Introspector;
use crate::limits::{DEFAULT_ANSWER_AGE, MAX_ANSWER_AGE, MAX_TOKEN_PREFIX_BYTES};
use crate::policy::Policy;

/// One issuer of opaque access tokens, which is asked about them (RFC 7662): its name, the prefix of its tokens, and
/// the requirements for its answers.
///
/// A token that was sent with `Bearer` and is in no table goes to the issuer whose
/// [`token_prefix`](OpaqueIssuer::token_prefix) it begins with, otherwise to the one issuer without a prefix, and to no
/// other, so that no server sees another's tokens. Bare keys, and tokens that begin like the engine's own keys, go to
/// none.
///
/// The engine itself asks nobody: it rejects a token that it does not know
/// ([`Unavailable::NotAsked`](crate::Unavailable)). An async verifier, such as that of `tollgate-remote`, asks and
/// passes the answer in. An answer has to be for one of the [`audience`](OpaqueIssuer::audience)s, and of this issuer
/// if it names one. It is used for at most [`max_age`](OpaqueIssuer::max_age), and never past its `exp`. Time and
/// revocations are checked each time.
#[derive(Clone)]
pub struct OpaqueIssuer {
    settings: OpaqueIssuerSettings,
    introspector: Option<Arc<dyn Introspector>>,
    error: Option<SettingsError>,
}

/// The settings of an [`OpaqueIssuer`]: everything but its introspector. With the feature `serde` they can be
/// deserialised; an unknown name is an error.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(deny_unknown_fields, default))]
#[non_exhaustive]
pub struct OpaqueIssuerSettings {
    /// The issuer of the principals. The `iss` of an answer, if present, has to equal it.
    pub name: String,
    /// The prefix of its tokens.
    pub token_prefix: Option<String>,
    /// The accepted audiences. An answer has to be for one of them.
    pub audiences: Vec<String>,
    /// The most seconds for which an answer is used.
    pub max_age: u32,
    /// The members with the audience, client, subject and scopes.
    pub claims: ClaimSources,
    /// The values that members of an answer have to have.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "super::deserialize::expectations"))]
    pub expect: Vec<(ClaimPath, Expected)>,
    /// Whether its tokens are accepted only while the engine's revocations are [fresh](crate::Revocations::are_fresh).
    pub require_fresh_revocations: bool,
}

impl Default for OpaqueIssuerSettings {
    fn default() -> Self {
        OpaqueIssuerSettings {
            name: String::new(),
            token_prefix: None,
            audiences: Vec::new(),
            max_age: DEFAULT_ANSWER_AGE,
            claims: ClaimSources::default(),
            expect: Vec::new(),
            require_fresh_revocations: false,
        }
    }
}

impl OpaqueIssuerSettings {
    /// The settings of the issuer `name`, with the defaults for everything else.
    #[must_use]
    pub fn new(name: &str) -> Self {
        OpaqueIssuerSettings { name: name.into(), ..OpaqueIssuerSettings::default() }
    }

    /// Checks that the settings contradict neither each other nor the limits.
    ///
    /// # Errors
    /// [`SettingsError`] says what cannot work.
    pub fn check(&self) -> Result<(), SettingsError> {
        self.of_policy().check()?;
        if !(1..=MAX_ANSWER_AGE).contains(&self.max_age) {
            let (value, max) = (self.max_age as usize, MAX_ANSWER_AGE as usize);
            return Err(SettingsError::LimitOutOfRange { name: "max_age", value, min: 1, max });
        }
        match self.token_prefix.as_deref() {
            Some(prefix) if prefix.len() > MAX_TOKEN_PREFIX_BYTES || !is_opaque_token(prefix.as_bytes()) => {
                Err(SettingsError::TokenPrefix { prefix: prefix.into() })
            }
            _ => Ok(()),
        }
    }

    /// The settings as those of a [`Policy`]. No leeway: an answer is never used past its `exp`, which is optional.
    fn of_policy(&self) -> IssuerSettings {
        IssuerSettings {
            audiences: self.audiences.clone(),
            claims: self.claims.clone(),
            expect: self.expect.clone(),
            require_fresh_revocations: self.require_fresh_revocations,
            leeway: 0,
            danger_accept_missing_exp: true,
            ..IssuerSettings::new(&self.name)
        }
    }
}

impl OpaqueIssuer {
    /// An issuer whose principals have `name` as their issuer.
    #[must_use]
    pub fn new(name: &str) -> Self {
        OpaqueIssuerSettings::new(name).into()
    }

    /// Asks only about tokens that begin with `prefix`. At most one issuer has no prefix, and no prefix begins with
    /// another.
    #[must_use]
    pub fn token_prefix(mut self, prefix: &str) -> Self {
        self.settings.token_prefix = Some(prefix.into());
        self
    }

    /// Accepts answers for `audience`: one entry of `aud` has to equal this or another audience given here.
    #[must_use]
    pub fn audience(mut self, audience: &str) -> Self {
        self.settings.audiences.push(audience.into());
        self
    }

    /// Uses an answer for `seconds`, counted from the question: at least 1, by default 30, at most [`MAX_ANSWER_AGE`].
    /// For so long a token that its issuer has revoked may still be accepted.
    #[must_use]
    pub fn max_age(mut self, seconds: u32) -> Self {
        self.settings.max_age = seconds;
        self
    }

    /// The members of an answer with the audience, client, subject and scopes.
    #[must_use]
    pub fn claims(mut self, sources: ClaimSources) -> Self {
        self.settings.claims = sources;
        self
    }

    /// Expects the member at `path` of an answer to have a value, or one of several, as
    /// [`Issuer::expect_claim`](super::Issuer::expect_claim) does.
    #[must_use]
    pub fn expect_claim(mut self, path: &str, expected: impl Into<Expected>) -> Self {
        match path.parse() {
            Ok(path) => self.settings.expect.push((path, expected.into())),
            Err(error) => self.error = self.error.or(Some(SettingsError::ClaimPath(error))),
        }
        self
    }

    /// Accepts its tokens only while the engine's [revocations are fresh](crate::Revocations::mark_fresh), as
    /// [`Issuer::require_fresh_revocations`](super::Issuer::require_fresh_revocations) does.
    #[must_use]
    pub fn require_fresh_revocations(mut self) -> Self {
        self.settings.require_fresh_revocations = true;
        self
    }

    /// The introspector, which asks the issuer. An issuer without one is a [`BuildError`].
    #[must_use]
    pub fn introspector(mut self, introspector: impl Into<Arc<dyn Introspector>>) -> Self {
        self.introspector = Some(introspector.into());
        self
    }

    /// The settings: everything but the introspector.
    #[must_use]
    pub fn settings(&self) -> &OpaqueIssuerSettings {
        &self.settings
    }

    pub(crate) fn introspector_of_tokens(&self) -> Option<&Arc<dyn Introspector>> {
        self.introspector.as_ref()
    }

    pub(crate) fn policy(&self) -> Result<Policy, BuildError> {
        let checked = self.error.clone().map_or_else(|| self.settings.check(), Err);
        checked
            .and_then(|()| Policy::new(&self.settings.of_policy()))
            .map_err(|error| BuildError::Issuer { issuer: self.settings.name.as_str().into(), error })
    }
}

/// Without an introspector: add it with [`OpaqueIssuer::introspector`].
impl From<OpaqueIssuerSettings> for OpaqueIssuer {
    fn from(settings: OpaqueIssuerSettings) -> Self {
        OpaqueIssuer { settings, introspector: None, error: None }
    }
}

impl fmt::Debug for OpaqueIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpaqueIssuer").field("settings", &self.settings).finish_non_exhaustive()
    }
}
