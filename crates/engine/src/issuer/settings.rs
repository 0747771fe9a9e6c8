use std::collections::HashSet;
use std::fmt;

use tollgate_jwt::limits::{MAX_CLAIM_NAMES, MAX_JSON_MEMBERS, MAX_LIST_ENTRIES};
use tollgate_keys::{Algorithm, InvalidKeyUses, KeyUses};

use super::claim_path::{ClaimPath, InvalidClaimPath};
use super::expected::Expected;
use super::optional_claim::{NotOptional, OptionalClaim};
use super::sources::{ClaimSources, InvalidScopePrefix};
use super::spiffe::{InvalidTrustDomain, SVID_ALGORITHMS, SVID_KEY_USE, SVID_TYPES, TrustDomain};
use super::template::{InvalidTemplate, IssuerTemplate, is_tenant};
use super::typ::{TypProfile, TypSet};
use crate::limits::{
    DEFAULT_LEEWAY, HIGHEST_MAX_LIST_ENTRIES, HIGHEST_MAX_MEMBERS, MAX_LEEWAY, MAX_TEMPLATES_OF_ONE_ORIGIN,
    MAX_TENANT_BYTES, MAX_TOKEN_PREFIX_BYTES,
};

/// The settings of an [`Issuer`](super::Issuer), without its keys and validators: the requirements for the issuer's
/// tokens, and the claims that are read.
///
/// The methods of [`Issuer`](super::Issuer) set these fields. With the feature `serde` they can be deserialised from a
/// configuration file; an unknown name is an error.
///
/// ```
/// # #[cfg(feature = "serde")] {
/// use tollgate::{Issuer, IssuerSettings};
///
/// let settings: IssuerSettings = serde_json::from_str(
///     r#"{
///         "name": "https://keycloak.example.com/realms/shop",
///         "audiences": ["https://api.example.com"],
///         "claims": { "scopes": ["scope", { "at": "/realm_access/roles", "prefix": "role:" }], "scopes_from": "all" },
///         "expect": { "azp": ["shop", "shop-admin"] }
///     }"#,
/// )?;
/// let issuer = Issuer::from(settings);
/// assert!(serde_json::from_str::<IssuerSettings>(r#"{ "audience": "x" }"#).is_err());
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(deny_unknown_fields, default))]
#[non_exhaustive]
pub struct IssuerSettings {
    /// The value that `iss` has to equal. It may have one `{variable}` after its authority, which stands for any
    /// [tenant](IssuerSettings::tenants): 1 to [`MAX_TENANT_BYTES`] of `A-Z a-z 0-9 . _ -`, but not `.` or `..`.
    pub name: String,
    /// Instead of the name: the SPIFFE trust domain whose workloads' tokens are accepted, found by `sub`.
    pub spiffe_trust_domain: Option<TrustDomain>,
    /// For a name with a variable: the claim that has to equal the variable's value in `iss`.
    pub tenant_claim: Option<ClaimPath>,
    /// For a name with a variable: the only tenants that are accepted. `None`: any whose claim agrees.
    pub tenants: Option<Vec<String>>,
    /// The accepted audiences. A token has to be for one of them.
    pub audiences: Vec<String>,
    /// The accepted algorithms. `None`: those of all keys.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "super::deserialize::algorithms"))]
    pub algorithms: Option<Vec<Algorithm>>,
    /// The accepted `use` of the JWKs of its keys. `None`: `sig`, or no `use`. [`key_uses`](IssuerSettings::key_uses)
    /// returns the resulting set.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "super::deserialize::key_use"))]
    pub key_use: Option<KeyUses>,
    /// The `typ` of tokens.
    pub typ: TypProfile,
    /// The seconds of clock skew that are tolerated at `exp` and `nbf`.
    pub leeway: u32,
    /// Claims that have to be present, with any value but `null`.
    pub require_claims: Vec<ClaimPath>,
    /// Claims of RFC 9068 that may be absent.
    pub optional_claims: Vec<OptionalClaim>,
    /// The most entries of an array in `aud`, `scope`, `scp` and every other claim that is read.
    pub max_list_entries: usize,
    /// The most members of one JSON object.
    pub max_members: usize,
    /// The claims with the audience, client, subject and scopes.
    pub claims: ClaimSources,
    /// The values that claims have to have.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "super::deserialize::expectations"))]
    pub expect: Vec<(ClaimPath, Expected)>,
    /// Whether its tokens are accepted only while the engine's revocations are [fresh](crate::Revocations::are_fresh).
    pub require_fresh_revocations: bool,
    /// Whether tokens for any audience are accepted.
    pub danger_accept_any_audience: bool,
    /// Whether tokens without `exp` are accepted.
    pub danger_accept_missing_exp: bool,
}

impl Default for IssuerSettings {
    fn default() -> Self {
        IssuerSettings {
            name: String::new(),
            spiffe_trust_domain: None,
            tenant_claim: None,
            tenants: None,
            audiences: Vec::new(),
            algorithms: None,
            key_use: None,
            typ: TypProfile::default(),
            leeway: DEFAULT_LEEWAY,
            require_claims: Vec::new(),
            optional_claims: Vec::new(),
            max_list_entries: MAX_LIST_ENTRIES,
            max_members: MAX_JSON_MEMBERS,
            claims: ClaimSources::default(),
            expect: Vec::new(),
            require_fresh_revocations: false,
            danger_accept_any_audience: false,
            danger_accept_missing_exp: false,
        }
    }
}

impl IssuerSettings {
    /// The settings of the issuer `name`, with the defaults for everything else.
    #[must_use]
    pub fn new(name: &str) -> Self {
        IssuerSettings { name: name.into(), ..IssuerSettings::default() }
    }

    /// Checks that the settings contradict neither each other nor the limits.
    ///
    /// # Errors
    /// [`SettingsError`] says what cannot work.
    pub fn check(&self) -> Result<(), SettingsError> {
        match (&*self.name, &self.spiffe_trust_domain) {
            ("", None) => return Err(SettingsError::NoName),
            ("", Some(_)) => self.check_trust_domain()?,
            (_, None) => {}
            (_, Some(_)) => return Err(SettingsError::NameAndTrustDomain),
        }
        self.check_tenants()?;
        if self.audiences.is_empty() && !self.danger_accept_any_audience {
            return Err(SettingsError::NoAudience);
        }
        if !self.audiences.is_empty() && self.danger_accept_any_audience {
            return Err(SettingsError::AudiencesWithoutEffect);
        }
        if self.audiences.iter().any(String::is_empty) {
            return Err(SettingsError::EmptyAudience);
        }
        if self.audiences.iter().chain([&self.name]).any(|text| text.contains('\0')) {
            return Err(SettingsError::Nul);
        }
        if let Some(algorithms) = &self.algorithms {
            if algorithms.is_empty() {
                return Err(SettingsError::NoAlgorithm);
            }
            if !algorithms.iter().any(|algorithm| algorithm.is_supported()) {
                return Err(SettingsError::NoSupportedAlgorithm);
            }
        }
        if self.leeway > MAX_LEEWAY {
            return Err(SettingsError::LeewayTooLong { leeway: self.leeway });
        }
        check_limit("max_list_entries", self.max_list_entries, 1, HIGHEST_MAX_LIST_ENTRIES)?;
        check_limit("max_members", self.max_members, self.least_members(), HIGHEST_MAX_MEMBERS)?;
        self.check_claims()
    }

    /// The issuer's name, or `spiffe://` and its trust domain.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.spiffe_trust_domain.as_ref().map_or(&self.name, TrustDomain::id)
    }

    /// The accepted `use` of the JWKs of its keys, for
    /// [`KeySetBuilder::key_uses`](tollgate_keys::KeySetBuilder::key_uses) or a remote key set. For a trust domain it
    /// is `jwt-svid` unless others are listed, and keys without `use` are not accepted: each key of a SPIFFE bundle has
    /// one, and the bundle also has keys of X.509 certificates.
    #[must_use]
    pub fn key_uses(&self) -> KeyUses {
        let listed = self.key_use.clone();
        match &self.spiffe_trust_domain {
            None => listed.unwrap_or_default(),
            Some(_) => listed.or_else(|| KeyUses::new([SVID_KEY_USE]).ok()).unwrap_or_default().required(),
        }
    }

    /// The accepted algorithms; `None` for those of all keys.
    pub(crate) fn accepted_algorithms(&self) -> Option<Vec<Algorithm>> {
        self.algorithms.clone().or_else(|| self.spiffe_trust_domain.as_ref().map(|_| SVID_ALGORITHMS.to_vec()))
    }

    /// The `typ` of tokens.
    pub(crate) fn typ_profile(&self) -> TypProfile {
        match &self.spiffe_trust_domain {
            None => self.typ.clone(),
            Some(_) => TypSet::new(SVID_TYPES).map_or_else(|_| self.typ.clone(), TypProfile::OneOf),
        }
    }

    /// JWT-SVID sections 2 and 3 fix these settings.
    fn check_trust_domain(&self) -> Result<(), SettingsError> {
        let (own, default) = (&self.claims, ClaimSources::default());
        let fixed = [
            ("typ", self.typ != TypProfile::default()),
            ("claims.audience", own.audience != default.audience),
            ("claims.subject", own.subject != default.subject),
            ("danger_accept_any_audience", self.danger_accept_any_audience),
            ("danger_accept_missing_exp", self.danger_accept_missing_exp),
        ];
        if let Some((setting, _)) = fixed.into_iter().find(|(_, is_set)| *is_set) {
            return Err(SettingsError::FixedForTrustDomain { setting });
        }
        let mut algorithms = self.algorithms.iter().flatten();
        match algorithms.find(|algorithm| !SVID_ALGORITHMS.contains(algorithm)) {
            Some(algorithm) => Err(SettingsError::AlgorithmOfTrustDomain { algorithm: *algorithm }),
            None => Ok(()),
        }
    }

    fn check_tenants(&self) -> Result<(), SettingsError> {
        if self.template()?.is_none() {
            let is_tenantless = self.tenant_claim.is_none() && self.tenants.is_none();
            return if is_tenantless { Ok(()) } else { Err(SettingsError::NoVariable) };
        }
        if self.tenant_claim.is_none() {
            return Err(SettingsError::NoTenantClaim);
        }
        match self.tenants.as_deref() {
            Some([]) => Err(SettingsError::NoTenant),
            Some(tenants) => match tenants.iter().find(|tenant| !is_tenant(tenant)) {
                Some(tenant) => Err(SettingsError::InvalidTenant { tenant: tenant.as_str().into() }),
                None => Ok(()),
            },
            None => Ok(()),
        }
    }

    /// The name as a template; `None` if it is a full name.
    pub(crate) fn template(&self) -> Result<Option<IssuerTemplate>, SettingsError> {
        IssuerTemplate::of(&self.name).map_err(SettingsError::Template)
    }

    /// The fewest members that the claims of an acceptable token can have.
    fn least_members(&self) -> usize {
        let mut names: HashSet<&str> = HashSet::from([if self.spiffe_trust_domain.is_some() { "sub" } else { "iss" }]);
        if !self.danger_accept_missing_exp {
            names.insert("exp");
        }
        names.extend(self.require_claims.iter().chain(self.expect.iter().map(|(path, _)| path)).map(ClaimPath::claim));
        names.extend(self.tenant_claim.iter().map(ClaimPath::claim));
        if self.typ == TypProfile::AccessToken {
            let required = OptionalClaim::ALL.into_iter().filter(|claim| !self.optional_claims.contains(claim));
            names.extend(required.map(|claim| -> &str { claim.name() }));
        }
        let has_audience = self.claims.audience.iter().any(|path| names.contains(path.claim()));
        names.len() + usize::from(!has_audience && !self.danger_accept_any_audience)
    }

    fn check_claims(&self) -> Result<(), SettingsError> {
        let contradicts = |claim: &&OptionalClaim| self.require_claims.iter().any(|path| path.is(claim.name()));
        if let Some(claim) = self.optional_claims.iter().find(contradicts) {
            return Err(SettingsError::RequiredAndOptional { claim: *claim });
        }
        if !self.optional_claims.is_empty() && !self.typ.has_access_tokens() {
            return Err(SettingsError::OptionalWithoutEffect);
        }
        let ClaimSources { audience, client, subject, scopes, .. } = &self.claims;
        if audience.is_empty() {
            return Err(SettingsError::NoAudienceClaim);
        }
        let scope_paths: Vec<ClaimPath> = scopes.iter().map(|source| source.at().clone()).collect();
        for (role, paths) in
            [("audience", audience), ("client", client), ("subject", subject), ("scopes", &scope_paths)]
        {
            let mut later = paths.iter();
            while let Some(path) = later.next() {
                if later.as_slice().contains(path) {
                    return Err(SettingsError::ClaimNamedTwice { role, claim: path.clone() });
                }
            }
        }
        for (one, other) in scopes.iter().flat_map(|one| scopes.iter().map(move |other| (one.prefix(), other.prefix())))
        {
            if !one.is_empty() && one != other && other.starts_with(one) {
                return Err(SettingsError::PrefixesOverlap { one: one.into(), other: other.into() });
            }
        }
        for (claim, expected) in &self.expect {
            if expected.is_empty() {
                return Err(SettingsError::NothingExpected { claim: claim.clone() });
            }
            if !expected.is_exact() {
                return Err(SettingsError::InexactNumber { claim: claim.clone() });
            }
        }
        Ok(())
    }
}

pub(super) fn check_limit(name: &'static str, value: usize, min: usize, max: usize) -> Result<(), SettingsError> {
    if (min..=max).contains(&value) { Ok(()) } else { Err(SettingsError::LimitOutOfRange { name, value, min, max }) }
}

/// Why the settings of an issuer cannot work. `Display` completes a sentence that begins with the issuer's name.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SettingsError {
    /// The issuer has neither a name nor a trust domain.
    NoName,
    /// The issuer has both a name and a trust domain.
    NameAndTrustDomain,
    /// A text is not a trust domain.
    TrustDomain(InvalidTrustDomain),
    /// A setting was changed that JWT-SVID fixes for the tokens of a trust domain.
    FixedForTrustDomain {
        /// The setting's name.
        setting: &'static str,
    },
    /// An algorithm is listed that the tokens of a trust domain cannot have.
    AlgorithmOfTrustDomain {
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// The name has a brace, but is not a template.
    Template(InvalidTemplate),
    /// The name has a variable, but no claim is configured that has to equal it.
    NoTenantClaim,
    /// There is a claim for the tenant or a list of tenants, but the name has no variable.
    NoVariable,
    /// The list of tenants is empty, so no token could be accepted.
    NoTenant,
    /// A listed tenant is not a possible value of the variable.
    InvalidTenant {
        /// The tenant.
        tenant: Box<str>,
    },
    /// Too many issuers have templates with the same scheme and authority.
    TooManyTemplates,
    /// There is no audience, so no token could be accepted.
    NoAudience,
    /// An audience is empty.
    EmptyAudience,
    /// There are audiences, although tokens for any audience are accepted.
    AudiencesWithoutEffect,
    /// The name or an audience has the character U+0000, which no claim may have, so no token could be accepted.
    Nul,
    /// The token prefix of an opaque issuer is not the beginning of a token, or longer than
    /// [`MAX_TOKEN_PREFIX_BYTES`](crate::limits::MAX_TOKEN_PREFIX_BYTES).
    TokenPrefix {
        /// The prefix.
        prefix: Box<str>,
    },
    /// The list of algorithms is empty, so no token could be accepted.
    NoAlgorithm,
    /// This build verifies none of the accepted algorithms, so no token could be accepted.
    NoSupportedAlgorithm,
    /// A list is not valid as the accepted `use` of keys.
    KeyUse(InvalidKeyUses),
    /// The leeway is above [`MAX_LEEWAY`].
    LeewayTooLong {
        /// The leeway in seconds.
        leeway: u32,
    },
    /// A limit is so low that no token could be accepted, or too high.
    LimitOutOfRange {
        /// The limit's name.
        name: &'static str,
        /// The given value.
        value: usize,
        /// The lowest value.
        min: usize,
        /// The highest value.
        max: usize,
    },
    /// A text is not the path of a claim.
    ClaimPath(InvalidClaimPath),
    /// A text is not a prefix of scopes.
    ScopePrefix(InvalidScopePrefix),
    /// A claim is listed as optional that cannot be optional.
    NotOptional(NotOptional),
    /// A claim is both required and optional.
    RequiredAndOptional {
        /// The claim.
        claim: OptionalClaim,
    },
    /// Claims of RFC 9068 are optional, although `typ` is never that of access tokens.
    OptionalWithoutEffect,
    /// The list of claims for the audience is empty, so no token could be accepted.
    NoAudienceClaim,
    /// A list names one claim twice.
    ClaimNamedTwice {
        /// The list: `audience`, `client`, `subject` or `scopes`.
        role: &'static str,
        /// The claim.
        claim: ClaimPath,
    },
    /// One prefix of scopes begins with another, so scopes of the one could be mistaken for scopes of the other.
    PrefixesOverlap {
        /// The shorter one.
        one: Box<str>,
        /// The longer one.
        other: Box<str>,
    },
    /// The list of values for an expected claim is empty.
    NothingExpected {
        /// The claim.
        claim: ClaimPath,
    },
    /// A claim is expected to equal a number that other numbers are read as, too.
    InexactNumber {
        /// The claim.
        claim: ClaimPath,
    },
    /// More claims are read than the limit.
    TooManyClaims,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SettingsError::NoName => {
                f.write_str("needs a name, which its tokens have as iss, or a spiffe_trust_domain")
            }
            SettingsError::NameAndTrustDomain => f.write_str("has both a name and a spiffe_trust_domain; give one"),
            SettingsError::TrustDomain(error) => write!(f, "has a wrong spiffe_trust_domain: {error}"),
            SettingsError::FixedForTrustDomain { setting } => {
                write!(f, "is a trust domain, for which JWT-SVID fixes {setting}; leave it out")
            }
            SettingsError::AlgorithmOfTrustDomain { algorithm } => {
                write!(f, "is a trust domain, whose tokens are not signed with {algorithm}: JWT-SVID has RS, ES and PS")
            }
            SettingsError::Template(error) => write!(f, "has a name with a brace that is no template: {error}"),
            SettingsError::NoTenantClaim => {
                f.write_str("has a variable in its name and needs tenant_claim, the claim that has to equal it")
            }
            SettingsError::NoVariable => {
                f.write_str("has tenant_claim or tenants, and no {variable} in its name to which they belong")
            }
            SettingsError::NoTenant => {
                f.write_str("has an empty list of tenants; without the list all are accepted whose claim agrees")
            }
            SettingsError::InvalidTenant { tenant } => write!(
                f,
                "lists the tenant {tenant:?}; one has 1 to {MAX_TENANT_BYTES} of A-Z a-z 0-9 . _ - and is neither . nor .."
            ),
            SettingsError::TooManyTemplates => {
                write!(
                    f,
                    "is a template too many: at most {MAX_TEMPLATES_OF_ONE_ORIGIN} may have one scheme and authority"
                )
            }
            SettingsError::TokenPrefix { prefix } => {
                write!(
                    f,
                    "has the token_prefix {prefix:?}; one has 1 to {MAX_TOKEN_PREFIX_BYTES} characters of a token"
                )
            }
            SettingsError::NoAudience => f.write_str("needs an audience"),
            SettingsError::EmptyAudience => f.write_str("has an audience that is empty"),
            SettingsError::AudiencesWithoutEffect => {
                f.write_str("has audiences, and accepts tokens for any (danger_accept_any_audience); leave one out")
            }
            SettingsError::Nul => f.write_str("has U+0000 in its name or an audience, which no claim may hold"),
            SettingsError::NoSupportedAlgorithm => {
                f.write_str("accepts algorithms alone that this build cannot verify; build with the feature aws-lc-rs")
            }
            SettingsError::NoAlgorithm => {
                f.write_str("has an empty list of algorithms; without the list all are accepted")
            }
            SettingsError::KeyUse(error) => write!(f, "has a wrong key_use: {error}"),
            SettingsError::LeewayTooLong { leeway } => {
                write!(f, "has a leeway of {leeway} s; at most {MAX_LEEWAY} are allowed")
            }
            SettingsError::LimitOutOfRange { name, value, min, max } => {
                write!(f, "has {name} = {value}; it may be {min} to {max}")
            }
            SettingsError::ClaimPath(error) => write!(f, "names a claim that cannot be: {error}"),
            SettingsError::ScopePrefix(error) => write!(f, "has a wrong prefix: {error}"),
            SettingsError::NotOptional(error) => write!(f, "has wrong optional_claims: {error}"),
            SettingsError::RequiredAndOptional { claim } => {
                write!(f, "has {} among require_claims and among optional_claims", claim.name())
            }
            SettingsError::OptionalWithoutEffect => {
                f.write_str("has optional_claims, which only at+jwt requires; leave them out, or expect at+jwt as typ")
            }
            SettingsError::NoAudienceClaim => f.write_str("has an empty list of claims for the audience"),
            SettingsError::ClaimNamedTwice { role, claim } => {
                write!(f, "names the claim {claim} twice among those of {role}")
            }
            SettingsError::PrefixesOverlap { one, other } => {
                write!(f, "has the prefixes {one:?} and {other:?}, of which one begins with the other")
            }
            SettingsError::NothingExpected { claim } => write!(f, "expects {claim} to be one of no values"),
            SettingsError::InexactNumber { claim } => {
                write!(f, "expects {claim} to be a number with a fraction beyond 2^53, which others read as too")
            }
            SettingsError::TooManyClaims => write!(f, "names more than {MAX_CLAIM_NAMES} claims"),
        }
    }
}

impl std::error::Error for SettingsError {}
