//! One issuer of JWTs: its settings, and the checks prepared from them.

mod claim_path;
#[cfg(feature = "serde")]
mod deserialize;
mod expected;
mod issuer_set;
mod issuers;
mod mapping;
mod name_table;
mod named_issuers;
mod opaque;
mod optional_claim;
mod sections;
mod settings;
mod sources;
mod spiffe;
mod template;
mod templates;
mod typ;
mod withdrawals;

pub use claim_path::{ClaimPath, InvalidClaimPath};
pub use expected::{Expected, ExpectedValue};
pub use opaque::{OpaqueIssuer, OpaqueIssuerSettings};
pub use optional_claim::{NotOptional, OptionalClaim};
pub use settings::{IssuerSettings, SettingsError};
pub use sources::{ClaimSources, InvalidScopePrefix, ScopeSource, ScopesFrom};
pub use spiffe::{InvalidTrustDomain, TrustDomain};
pub use template::InvalidTemplate;
pub use typ::{InvalidTyp, TypProfile, TypSet};

#[cfg(feature = "explain")]
pub(crate) use issuer_set::IssuerSet;
pub(crate) use issuers::Issuers;
pub(crate) use mapping::{LocatedClaims, Location, Mapping};
pub(crate) use named_issuers::ConfiguredIssuer;
use settings::check_limit;
pub(crate) use spiffe::is_workload_id;
pub(crate) use template::{IssuerTemplate, Tenants, is_template_of};
pub(crate) use withdrawals::Withdrawals;

use std::sync::Arc;

use tollgate_keys::{Algorithm, KeyRing, KeyUses};

use crate::builder::BuildError;
use crate::introspection::{Introspector, JwtIntrospector};
use crate::limits::MAX_ANSWER_AGE;
use crate::policy::Policy;
use crate::status_lists::StatusLists;
use crate::validator::{Refusal, Validators, VerifiedClaims};

/// One issuer of JWTs: its name, its keys, and the requirements for its tokens.
///
/// By default, `iss`, `aud` and `exp` are required, `typ` is `JWT` or absent, every algorithm is accepted for which
/// there is a key, and 60 seconds of clock skew are tolerated.
///
/// ```
/// use tollgate::{Algorithm, Issuer, KeySet, TypProfile};
///
/// # let jwks = br#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
/// let keys = KeySet::builder().jwks(jwks)?.build()?;
/// let issuer = Issuer::new("https://auth.example.com/")
///     .audience("https://api.example.com")
///     .keys(keys)
///     .algorithms(&[Algorithm::ES256])
///     .typ(TypProfile::AccessToken)
///     .leeway(10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The peculiarities of providers are set claim by claim; [`IssuerSettings`] has all settings. Here a user pool of
/// Amazon Cognito, whose access tokens have no `aud`, name the app in `client_id`, and differ from ID tokens by
/// `token_use`:
///
/// ```
/// use tollgate::Issuer;
///
/// let issuer = Issuer::new("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abcdefghi")
///     .audience("3n4b5urk1ft4fl3mg5e62d9ado")
///     .audience_claims(&["client_id"])
///     .expect_claim("token_use", "access");
/// ```
///
/// An issuer with many names, one for each tenant, is a template: Microsoft Entra ID, for any tenant or for listed ones
/// ([`Issuer::tenant_claim`]).
///
/// Two issuers with one name, such as for ID tokens and for access tokens, are told apart by `typ`, and if both accept
/// one `typ`, by their audiences. If a token could belong to both, they are a [`BuildError`].
#[derive(Clone, Debug)]
pub struct Issuer {
    settings: IssuerSettings,
    keys: Option<KeyRing>,
    validators: Validators,
    status_lists: Option<StatusLists>,
    introspector: Option<JwtIntrospector>,
    /// The first error in the arguments of a method.
    error: Option<SettingsError>,
}

impl Issuer {
    /// An issuer whose tokens have exactly `name` as `iss`. If `name` has one `{variable}`, `iss` may differ there
    /// only: see [`tenant_claim`](Issuer::tenant_claim).
    #[must_use]
    pub fn new(name: &str) -> Self {
        IssuerSettings::new(name).into()
    }

    /// A SPIFFE trust domain, such as `example.org`, instead of a name: accepts the JWT-SVIDs of its workloads.
    ///
    /// A token belongs to the trust domain if its `sub` is a SPIFFE ID in it, `spiffe://example.org/...`, unless its
    /// `iss` is configured. The [`Principal`](crate::Principal)'s issuer is `spiffe://example.org`, and
    /// [`remove_issuer`](crate::Engine::remove_issuer) takes that name.
    ///
    /// The rules of JWT-SVID apply: `alg` is RS, ES or PS; `typ` is absent, `JWT` or `JOSE`; `sub`, `aud` and `exp` are
    /// required. A key from a JWK is accepted if its `use` is `jwt-svid`, or [another one](Issuer::key_use) that is
    /// configured, but not without `use`. Load the bundle with [`IssuerSettings::key_uses`].
    ///
    /// ```
    /// use tollgate::{Engine, Issuer, KeySet};
    ///
    /// # let bundle = br#"{"keys":[{"kty":"EC","crv":"P-256","use":"jwt-svid","kid":"k","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
    /// let domain = Issuer::spiffe("example.org").audience("orders");
    /// let keys = KeySet::builder().key_uses(domain.settings().key_uses()).jwks(bundle)?.build()?;
    /// let engine = Engine::builder().issuer(domain.keys(keys)).build()?;
    /// assert!(engine.remove_issuer("spiffe://example.org"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn spiffe(trust_domain: &str) -> Self {
        let mut issuer = Issuer::from(IssuerSettings::default());
        issuer.settings.spiffe_trust_domain = issuer.valid(trust_domain.parse().map_err(SettingsError::TrustDomain));
        issuer
    }

    /// For a name with a `{variable}`: accepts in its place any tenant that the claim at `path` equals, or only the
    /// [listed](Issuer::tenants) ones. All tenants have the same keys, so only the claim tells them apart, and the
    /// issuer has to be trusted to set it.
    ///
    /// A tenant is 1 to [`MAX_TENANT_BYTES`](crate::limits::MAX_TENANT_BYTES) of `A-Z a-z 0-9 . _ -`, but not `.` or
    /// `..`. The variable comes after the authority. An issuer with a full name takes precedence over a template. The
    /// [`Principal`](crate::Principal)'s issuer is `iss`, including the tenant: equal subjects of two tenants are
    /// different principals, and [`Revocation`](crate::Revocation)s name `iss` too.
    ///
    /// ```
    /// use tollgate::Issuer;
    ///
    /// let issuer = Issuer::new("https://login.microsoftonline.com/{tenantid}/v2.0")
    ///     .tenant_claim("tid")
    ///     .tenants(&["aaaabbbb-0000-cccc-1111-dddd2222eeee"])
    ///     .audience("6731de76-14a6-49ae-97bc-6eba6914391e");
    /// ```
    #[must_use]
    pub fn tenant_claim(mut self, path: &str) -> Self {
        if let Some(path) = self.valid(path.parse().map_err(SettingsError::ClaimPath)) {
            self.settings.tenant_claim = Some(path);
        }
        self
    }

    /// For a name with a `{variable}`: accepts only these tenants, at least one.
    #[must_use]
    pub fn tenants(mut self, tenants: &[&str]) -> Self {
        self.settings.tenants = Some(tenants.iter().map(|tenant| (*tenant).to_owned()).collect());
        self
    }

    /// Accepts tokens for `audience`: one entry of `aud` has to equal this or another audience given here.
    #[must_use]
    pub fn audience(mut self, audience: &str) -> Self {
        self.settings.audiences.push(audience.into());
        self
    }

    /// The keys that verify its tokens: a [`KeySet`](tollgate_keys::KeySet), or a ring, whose set can be replaced. The
    /// ring is shared: replacing its set takes effect on the next verify.
    ///
    /// An issuer without keys is a [`BuildError`], and so is a set without a key for the accepted algorithms. To begin
    /// without keys on purpose, give [`KeyRing::new`] with an empty set, and fill that ring later.
    #[must_use]
    pub fn keys(mut self, keys: impl Into<KeyRing>) -> Self {
        self.keys = Some(keys.into());
        self
    }

    /// Rejects tokens whose status in one of `lists` is not 0 ([`StatusLists`]). Without lists, `status` is an ordinary
    /// claim.
    #[must_use]
    pub fn status_lists(mut self, lists: StatusLists) -> Self {
        self.status_lists = Some(lists);
        self
    }

    /// Asks the issuer about each of its tokens that is valid here (RFC 7662), so that a revoked one is rejected before
    /// it expires. An answer is used for `max_age` seconds, counted from the question, and never past its `exp` or the
    /// token's. `max_age` is at least 1, at most [`MAX_ANSWER_AGE`].
    ///
    /// The engine itself asks nobody: it rejects a token without an answer
    /// ([`Unavailable::NotAsked`](crate::Unavailable), 503). An async verifier, such as that of `tollgate-remote`, asks
    /// and passes the answer in. All other checks come first: nobody is asked about a token that is forged, expired,
    /// revoked here or of another issuer.
    ///
    /// The principal is taken from the token. The answer has to be `active`, and its `iss`, `aud`, `exp`, `nbf` and
    /// `cnf`, where present, have to agree with the token; other members are ignored. The answer is kept with the token
    /// in the engine's cache: an engine [without](crate::EngineBuilder::no_cache) one needs an answer for each request.
    #[must_use]
    pub fn introspect(mut self, introspector: impl Into<Arc<dyn Introspector>>, max_age: u32) -> Self {
        let checked = check_limit("max_age", max_age as usize, 1, MAX_ANSWER_AGE as usize);
        if self.valid(checked).is_some() {
            self.introspector = Some(JwtIntrospector { introspector: introspector.into(), max_age });
        }
        self
    }

    /// Accepts only these algorithms, at least one.
    #[must_use]
    pub fn algorithms(mut self, algorithms: &[Algorithm]) -> Self {
        self.settings.algorithms = Some(algorithms.to_vec());
        self
    }

    /// Accepts keys whose JWK has one of these as `use` (RFC 7517 section 4.2), or none. The default is `sig`.
    ///
    /// A set that is loaded without them has no such keys: give the same list to
    /// [`KeySetBuilder::key_uses`](tollgate_keys::KeySetBuilder::key_uses), or to the remote key set.
    ///
    /// ```
    /// use tollgate::{Issuer, KeySet};
    ///
    /// # let jwks = br#"{"keys":[{"kty":"EC","crv":"P-256","use":"jwt-svid","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
    /// let issuer = Issuer::new("https://oidc.example.org").audience("orders").key_use(&["sig", "jwt-svid"]);
    /// let keys = KeySet::builder().key_uses(issuer.settings().key_uses()).jwks(jwks)?.build()?;
    /// let issuer = issuer.keys(keys);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn key_use(mut self, accepted: &[&str]) -> Self {
        if let Some(uses) = self.valid(KeyUses::new(accepted.iter().copied()).map_err(SettingsError::KeyUse)) {
            self.settings.key_use = Some(uses);
        }
        self
    }

    /// The `typ` of its tokens.
    #[must_use]
    pub fn typ(mut self, profile: TypProfile) -> Self {
        self.settings.typ = profile;
        self
    }

    /// Tolerates `seconds` of clock skew at `exp` and `nbf`, at most [`MAX_LEEWAY`](crate::limits::MAX_LEEWAY).
    #[must_use]
    pub fn leeway(mut self, seconds: u32) -> Self {
        self.settings.leeway = seconds;
        self
    }

    /// Requires the claim at `path`, of any value but null: a name, or a JSON Pointer that begins with `/`.
    #[must_use]
    pub fn require_claim(mut self, path: &str) -> Self {
        if let Some(path) = self.valid(path.parse().map_err(SettingsError::ClaimPath)) {
            self.settings.require_claims.push(path);
        }
        self
    }

    /// Expects the claim at `path`, a name or a JSON Pointer that begins with `/`, to have a value, or one of several.
    /// A claim that is an array has to contain one of them. A token without the claim is rejected.
    ///
    /// ```
    /// use tollgate::Issuer;
    ///
    /// let issuer = Issuer::new("https://auth.example.com/")
    ///     .audience("https://api.example.com")
    ///     .expect_claim("email_verified", true)
    ///     .expect_claim("/resource/tier", ["gold", "silver"]);
    /// ```
    #[must_use]
    pub fn expect_claim(mut self, path: &str, expected: impl Into<Expected>) -> Self {
        if let Some(path) = self.valid(path.parse().map_err(SettingsError::ClaimPath)) {
            self.settings.expect.push((path, expected.into()));
        }
        self
    }

    /// Makes claims optional that RFC 9068 section 2.2 requires of access tokens (`typ` is `at+jwt`): `sub`,
    /// `client_id`, `iat`, `jti`. Naming `iss`, `exp`, `aud` or another one is an error of
    /// [`build`](crate::EngineBuilder::build).
    #[must_use]
    pub fn optional_claims(mut self, names: &[&str]) -> Self {
        for name in names {
            if let Some(claim) = self.valid(name.parse().map_err(SettingsError::NotOptional)) {
                self.settings.optional_claims.push(claim);
            }
        }
        self
    }

    /// Reads the audience from the first of these claims that is present, instead of `aud`. `client_id` among them is
    /// safe only if the issuer chooses client ids: otherwise a client could choose the name of another audience.
    #[must_use]
    pub fn audience_claims(mut self, paths: &[&str]) -> Self {
        if let Some(paths) = self.claim_paths(paths) {
            self.settings.claims.audience = paths;
        }
        self
    }

    /// Reads the client from the first of these claims that is present, instead of `client_id`, `azp`, `cid` and
    /// `appid`. [`Principal::client_id`](crate::Principal::client_id) returns it, and
    /// [`Revocation::client`](crate::Revocation::client) names it.
    #[must_use]
    pub fn client_claims(mut self, paths: &[&str]) -> Self {
        if let Some(paths) = self.claim_paths(paths) {
            self.settings.claims.client = paths;
        }
        self
    }

    /// Reads the subject from the first of these claims that is present, instead of `sub`.
    /// [`Principal::subject`](crate::Principal::subject) returns it, and
    /// [`Revocation::subject`](crate::Revocation::subject) names it.
    #[must_use]
    pub fn subject_claims(mut self, paths: &[&str]) -> Self {
        if let Some(paths) = self.claim_paths(paths) {
            self.settings.claims.subject = paths;
        }
        self
    }

    /// Reads the scopes from the first of these claims that is present, instead of `scope` and `scp`.
    /// [`ClaimSources::scopes`] has the forms of such a claim.
    #[must_use]
    pub fn scope_claims(mut self, paths: &[&str]) -> Self {
        if let Some(paths) = self.claim_paths(paths) {
            self.settings.claims.scopes = paths.into_iter().map(ScopeSource::from).collect();
        }
        self
    }

    /// Adds a claim to those that scopes are read from.
    #[must_use]
    pub fn scope_claim(mut self, path: &str) -> Self {
        if let Some(source) = self.valid(path.parse().map_err(SettingsError::ClaimPath)) {
            self.settings.claims.scopes.push(source);
        }
        self
    }

    /// Adds a claim to those that scopes are read from, with `prefix` before each of its values. A scope from another
    /// claim that begins with `prefix` is left out, so that a scope that a client asked for cannot be mistaken for one
    /// of these.
    ///
    /// ```
    /// use tollgate::{Issuer, ScopesFrom};
    ///
    /// let issuer = Issuer::new("https://keycloak.example.com/realms/shop")
    ///     .audience("https://api.example.com")
    ///     .prefixed_scope_claim("/realm_access/roles", "role:")
    ///     .scopes_from(ScopesFrom::All);
    /// ```
    #[must_use]
    pub fn prefixed_scope_claim(mut self, path: &str, prefix: &str) -> Self {
        let path = path.parse().map_err(SettingsError::ClaimPath);
        let source = path.and_then(|path| ScopeSource::with_prefix(path, prefix).map_err(SettingsError::ScopePrefix));
        if let Some(source) = self.valid(source) {
            self.settings.claims.scopes.push(source);
        }
        self
    }

    /// Whether the scopes are read from the first claim that is present, or from all.
    #[must_use]
    pub fn scopes_from(mut self, which: ScopesFrom) -> Self {
        self.settings.claims.scopes_from = which;
        self
    }

    /// Accepts tokens in which an array of `aud`, `scope`, `scp` or another claim that is read has up to `entries`
    /// entries. The default is 128, the maximum [`HIGHEST_MAX_LIST_ENTRIES`](crate::limits::HIGHEST_MAX_LIST_ENTRIES).
    #[must_use]
    pub fn max_list_entries(mut self, entries: usize) -> Self {
        self.settings.max_list_entries = entries;
        self
    }

    /// Accepts tokens in which a JSON object has up to `members` members. The default is 256, the maximum
    /// [`HIGHEST_MAX_MEMBERS`](crate::limits::HIGHEST_MAX_MEMBERS).
    #[must_use]
    pub fn max_members(mut self, members: usize) -> Self {
        self.settings.max_members = members;
        self
    }

    /// Checks each new token with `validator`, after its signature and everything else. On a cache hit the validator
    /// does not run again. For decisions that change with time or state, use
    /// [`validator_on_each_hit`](Issuer::validator_on_each_hit).
    ///
    /// If a validator panics, the token is rejected:
    /// [`Rejection::ValidatorPanicked`](crate::Rejection::ValidatorPanicked).
    ///
    /// ```
    /// use tollgate::{Issuer, RefusalCode};
    ///
    /// const WEAK: RefusalCode = RefusalCode::new("weak-login");
    ///
    /// let issuer = Issuer::new("https://auth.example.com/").audience("https://api.example.com").validator(|claims| {
    ///     match claims.claim::<Vec<String>>("amr") {
    ///         Ok(Some(methods)) if methods.iter().any(|method| method == "mfa") => Ok(()),
    ///         _ => Err(WEAK.refuse("amr has no mfa")),
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn validator(
        mut self,
        validator: impl Fn(&VerifiedClaims<'_>) -> Result<(), Refusal> + Send + Sync + 'static,
    ) -> Self {
        self.validators.add(validator);
        self
    }

    /// Like [`validator`](Issuer::validator), but also runs on each cache hit: for decisions that change with time or
    /// state. It runs on the path of every verify, so it should take little time and never block.
    #[must_use]
    pub fn validator_on_each_hit(
        mut self,
        validator: impl Fn(&VerifiedClaims<'_>) -> Result<(), Refusal> + Send + Sync + 'static,
    ) -> Self {
        self.validators.add_on_each_hit(validator);
        self
    }

    /// Accepts its tokens only while the engine's [revocations are fresh](crate::Revocations::mark_fresh). Otherwise
    /// they are rejected with [`StaleRevocations`](crate::Unavailable::StaleRevocations), status 503.
    ///
    /// A table of revocations is stale until its feeder marks it fresh, as the follower of `tollgate-storage` does.
    ///
    /// ```
    /// use tollgate::{Engine, Issuer, KeyRing, KeySet, Revocations};
    ///
    /// let revocations = Revocations::new();
    /// let issuer = Issuer::new("https://auth.example.com/").audience("https://api.example.com");
    /// let issuer = issuer.keys(KeyRing::new(KeySet::default())).require_fresh_revocations();
    /// let engine = Engine::builder().issuer(issuer).revocations(revocations.clone()).build()?;
    /// assert!(!revocations.are_fresh());
    /// revocations.mark_fresh();
    /// # Ok::<(), tollgate::BuildError>(())
    /// ```
    #[must_use]
    pub fn require_fresh_revocations(mut self) -> Self {
        self.settings.require_fresh_revocations = true;
        self
    }

    /// Accepts tokens for any audience. A token that was issued for another service is then accepted here too (RFC 8725
    /// section 3.9).
    #[must_use]
    pub fn danger_accept_any_audience(mut self) -> Self {
        self.settings.danger_accept_any_audience = true;
        self
    }

    /// Accepts tokens without `exp`, which are valid for as long as their key is.
    #[must_use]
    pub fn danger_accept_missing_exp(mut self) -> Self {
        self.settings.danger_accept_missing_exp = true;
        self
    }

    /// The settings: everything but the keys, the validators, the status lists and the introspector.
    #[must_use]
    pub fn settings(&self) -> &IssuerSettings {
        &self.settings
    }

    /// The key ring. An error if no token could ever verify under it by `policy`.
    pub(crate) fn key_ring(&self, policy: &Policy) -> Result<&KeyRing, BuildError> {
        let issuer = || self.settings.issuer().into();
        let keys = self.keys.as_ref().ok_or_else(|| BuildError::NoKeys { issuer: issuer() })?;
        if keys.is_static()
            && !keys.load().iter().any(|key| policy.admits(key.algorithm()) && policy.may_admit_key(key))
        {
            return Err(BuildError::NoUsableKey { issuer: issuer() });
        }
        if keys.is_static()
            && self.settings.key_use.is_some()
            && keys.load().iter().all(|key| key.purposes().is_empty())
        {
            return Err(BuildError::KeyUseWithoutEffect { issuer: issuer() });
        }
        Ok(keys)
    }

    pub(crate) fn lists(&self) -> Option<&StatusLists> {
        self.status_lists.as_ref()
    }

    pub(crate) fn introspector(&self) -> Option<&JwtIntrospector> {
        self.introspector.as_ref()
    }

    pub(crate) fn validators(&self) -> &Validators {
        &self.validators
    }

    pub(crate) fn policy(&self) -> Result<Policy, BuildError> {
        let policy = self.error.clone().map_or_else(|| Policy::new(&self.settings), Err);
        policy.map_err(|error| BuildError::Issuer { issuer: self.settings.issuer().into(), error })
    }

    fn claim_paths(&mut self, paths: &[&str]) -> Option<Vec<ClaimPath>> {
        let paths = paths.iter().map(|path| path.parse()).collect::<Result<_, _>>();
        self.valid(paths.map_err(SettingsError::ClaimPath))
    }

    /// The argument of a method. If it is invalid, `None`, and the first error is kept.
    fn valid<T>(&mut self, given: Result<T, SettingsError>) -> Option<T> {
        given.map_err(|error| self.error.get_or_insert(error).clone()).ok()
    }
}

/// Without keys: add them with [`Issuer::keys`].
impl From<IssuerSettings> for Issuer {
    fn from(settings: IssuerSettings) -> Self {
        let validators = Validators::default();
        Issuer { settings, keys: None, validators, status_lists: None, introspector: None, error: None }
    }
}
