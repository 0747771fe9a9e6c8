//! One issuer of JWTs: its settings, and what of them is ready to be checked.

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

/// One issuer of JWTs: its name, its keys, and what its tokens have to say.
///
/// Unless told otherwise: `iss`, `aud` and `exp` are required, `typ` is `JWT` or absent, every algorithm is taken
/// for which there is a key, and 60 seconds of clock skew are forgiven.
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
/// What providers do in their own way is said claim by claim; [`IssuerSettings`] has all of it. Here a user pool of Amazon
/// Cognito, whose access tokens have no `aud`, name the app in `client_id` and tell themselves from ID tokens in `token_use`:
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
/// An issuer that has many names, one for each tenant, is a template: Microsoft Entra ID, for any tenant or for those that are
/// listed ([`Issuer::tenant_claim`]).
///
/// Two issuers of one name, such as for ID tokens and for access tokens, are told apart by `typ`, and where both take one `typ`
/// by their audiences. They are a [`BuildError`] where a token could belong to both.
#[derive(Clone, Debug)]
pub struct Issuer {
    settings: IssuerSettings,
    keys: Option<KeyRing>,
    validators: Validators,
    status_lists: Option<StatusLists>,
    introspector: Option<JwtIntrospector>,
    /// What was wrong first with what a method was given.
    error: Option<SettingsError>,
}

impl Issuer {
    /// An issuer whose tokens have exactly `name` as `iss`, or, where it holds one `{variable}`, a name that differs from it in
    /// that alone: see [`tenant_claim`](Issuer::tenant_claim).
    #[must_use]
    pub fn new(name: &str) -> Self {
        IssuerSettings::new(name).into()
    }

    /// A SPIFFE trust domain, such as `example.org`, in place of a name: accepts JWT-SVIDs of its workloads.
    ///
    /// A token is one of these where its `sub` is a SPIFFE ID in the trust domain, `spiffe://example.org/...`, unless it has an
    /// `iss` that is configured. The [`Principal`](crate::Principal)'s issuer is `spiffe://example.org`, and so is the name under
    /// which [`remove_issuer`](crate::Engine::remove_issuer) finds it.
    ///
    /// The rules of JWT-SVID hold: `alg` is RS, ES or PS; `typ` is absent, `JWT` or `JOSE`; `sub`, `aud` and `exp` are there. Of
    /// keys in a JWK it takes those whose `use` is `jwt-svid`, or [another one](Issuer::key_use) that is configured, but none
    /// without `use`: [`IssuerSettings::key_uses`] is what the bundle has to be loaded with.
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

    /// Where the name holds a `{variable}`: accepts any tenant in its place that the claim at `path` equals, or those
    /// [listed](Issuer::tenants). The keys are those of all tenants, so that the claim is what tells them apart, and the issuer
    /// has to be trusted to set it.
    ///
    /// A tenant is 1 to [`MAX_TENANT_BYTES`](crate::limits::MAX_TENANT_BYTES) of `A-Z a-z 0-9 . _ -`, but not `.` or `..`. The
    /// variable stands after the authority. An issuer with a full name takes precedence over a template. The
    /// [`Principal`](crate::Principal)'s issuer is `iss`, with the tenant in it: equal subjects of two tenants are different
    /// principals, and [`Revocation`](crate::Revocation)s name `iss` too.
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

    /// Where the name holds a `{variable}`: accepts these tenants alone, at least one.
    #[must_use]
    pub fn tenants(mut self, tenants: &[&str]) -> Self {
        self.settings.tenants = Some(tenants.iter().map(|tenant| (*tenant).to_owned()).collect());
        self
    }

    /// Accepts tokens for `audience`: one entry of `aud` has to equal it, or another one given here.
    #[must_use]
    pub fn audience(mut self, audience: &str) -> Self {
        self.settings.audiences.push(audience.into());
        self
    }

    /// The keys that verify its tokens: a [`KeySet`](tollgate_keys::KeySet), or a ring, whose set somebody replaces. The ring is
    /// shared: replacing its set takes effect on the next verify.
    ///
    /// An issuer without keys is a [`BuildError`], and so is a set without a key for the accepted algorithms. To begin without
    /// keys on purpose, give it [`KeyRing::new`] with an empty set: that ring is to be filled later.
    #[must_use]
    pub fn keys(mut self, keys: impl Into<KeyRing>) -> Self {
        self.keys = Some(keys.into());
        self
    }

    /// Rejects tokens whose status in one of `lists` is not 0 ([`StatusLists`]). Without it `status` is a claim like others.
    #[must_use]
    pub fn status_lists(mut self, lists: StatusLists) -> Self {
        self.status_lists = Some(lists);
        self
    }

    /// Asks the issuer about each of its tokens that is good here (RFC 7662), so that one that it has revoked is rejected before it
    /// expires: an answer serves for `max_age` seconds, counted from the question, and never past its `exp` or that of the token.
    /// At least 1, at most [`MAX_ANSWER_AGE`].
    ///
    /// The engine itself asks nobody: it rejects a token without an answer ([`Unavailable::NotAsked`](crate::Unavailable), 503), and an
    /// async verifier, such as that of `tollgate-remote`, asks and hands the answer in. Everything else about the token is checked
    /// before: nobody is asked about one that is forged, expired, revoked here or of another issuer.
    ///
    /// The principal is what the token says. The answer has to be `active`, and where it has `iss`, `aud`, `exp`, `nbf` or `cnf`, these
    /// have to agree; its other members are not looked at. It is kept with the token in the engine's cache: an engine
    /// [without](crate::EngineBuilder::no_cache) needs one for each request.
    #[must_use]
    pub fn introspect(mut self, introspector: impl Into<Arc<dyn Introspector>>, max_age: u32) -> Self {
        let checked = check_limit("max_age", max_age as usize, 1, MAX_ANSWER_AGE as usize);
        if self.valid(checked).is_some() {
            self.introspector = Some(JwtIntrospector { introspector: introspector.into(), max_age });
        }
        self
    }

    /// Accepts these algorithms alone, at least one.
    #[must_use]
    pub fn algorithms(mut self, algorithms: &[Algorithm]) -> Self {
        self.settings.algorithms = Some(algorithms.to_vec());
        self
    }

    /// Accepts keys whose JWK has one of these as `use` (RFC 7517 section 4.2), or none: `sig` otherwise.
    ///
    /// A set that is loaded without them does not hold such keys: give
    /// [`KeySetBuilder::key_uses`](tollgate_keys::KeySetBuilder::key_uses), or the remote key set, the same list.
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

    /// Which `typ` its tokens have.
    #[must_use]
    pub fn typ(mut self, profile: TypProfile) -> Self {
        self.settings.typ = profile;
        self
    }

    /// Forgives `seconds` of clock skew at `exp` and `nbf`, at most [`MAX_LEEWAY`](crate::limits::MAX_LEEWAY).
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

    /// Expects the claim at `path` to have a value, or one of several: a name, or a JSON Pointer that begins with `/`. A claim
    /// that is an array has to hold one of them; one that is absent is rejected.
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

    /// Lets access tokens (`typ` is `at+jwt`) do without some of the claims that RFC 9068 section 2.2 requires: `sub`,
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

    /// Takes the audience from the first of these claims that is there, in place of `aud`. `client_id` among them is safe only
    /// where the issuer chooses client ids: otherwise a client could choose the name of another audience.
    #[must_use]
    pub fn audience_claims(mut self, paths: &[&str]) -> Self {
        if let Some(paths) = self.claim_paths(paths) {
            self.settings.claims.audience = paths;
        }
        self
    }

    /// Takes the client from the first of these claims that is there, in place of `client_id`, `azp`, `cid` and `appid`.
    /// [`Principal::client_id`](crate::Principal::client_id) is it, and [`Revocation::client`](crate::Revocation::client)
    /// names it.
    #[must_use]
    pub fn client_claims(mut self, paths: &[&str]) -> Self {
        if let Some(paths) = self.claim_paths(paths) {
            self.settings.claims.client = paths;
        }
        self
    }

    /// Takes the subject from the first of these claims that is there, in place of `sub`.
    /// [`Principal::subject`](crate::Principal::subject) is it, and [`Revocation::subject`](crate::Revocation::subject)
    /// names it.
    #[must_use]
    pub fn subject_claims(mut self, paths: &[&str]) -> Self {
        if let Some(paths) = self.claim_paths(paths) {
            self.settings.claims.subject = paths;
        }
        self
    }

    /// Takes the scopes from the first of these claims that is there, in place of `scope` and `scp`. What a claim may be is in
    /// [`ClaimSources::scopes`].
    #[must_use]
    pub fn scope_claims(mut self, paths: &[&str]) -> Self {
        if let Some(paths) = self.claim_paths(paths) {
            self.settings.claims.scopes = paths.into_iter().map(ScopeSource::from).collect();
        }
        self
    }

    /// Adds a claim to those that scopes are taken from.
    #[must_use]
    pub fn scope_claim(mut self, path: &str) -> Self {
        if let Some(source) = self.valid(path.parse().map_err(SettingsError::ClaimPath)) {
            self.settings.claims.scopes.push(source);
        }
        self
    }

    /// Adds a claim to those that scopes are taken from, with `prefix` before each of its values. A scope from another claim
    /// that begins with `prefix` is left out, so that none that a client asked for can pass for one of these.
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

    /// Whether the scopes are those of the first claim that is there, or of all.
    #[must_use]
    pub fn scopes_from(mut self, which: ScopesFrom) -> Self {
        self.settings.claims.scopes_from = which;
        self
    }

    /// Takes tokens in which an array of `aud`, `scope`, `scp` or another claim that is looked at has up to `entries` entries:
    /// 128 otherwise, at most [`HIGHEST_MAX_LIST_ENTRIES`](crate::limits::HIGHEST_MAX_LIST_ENTRIES).
    #[must_use]
    pub fn max_list_entries(mut self, entries: usize) -> Self {
        self.settings.max_list_entries = entries;
        self
    }

    /// Takes tokens in which a JSON object has up to `members` members: 256 otherwise, at most
    /// [`HIGHEST_MAX_MEMBERS`](crate::limits::HIGHEST_MAX_MEMBERS).
    #[must_use]
    pub fn max_members(mut self, members: usize) -> Self {
        self.settings.max_members = members;
        self
    }

    /// Has each new token checked by `validator`, after its signature and everything else. A token that passed is accepted
    /// from the cache without asking again; what changes with time or state is for
    /// [`validator_on_each_hit`](Issuer::validator_on_each_hit).
    ///
    /// A validator that panics lets nothing pass: [`Rejection::ValidatorPanicked`](crate::Rejection::ValidatorPanicked).
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

    /// As [`validator`](Issuer::validator), and has a token that is known checked each time that it comes: for a decision that
    /// changes with time or state. It runs on the path of every verify, so that it should take little time and never block.
    #[must_use]
    pub fn validator_on_each_hit(
        mut self,
        validator: impl Fn(&VerifiedClaims<'_>) -> Result<(), Refusal> + Send + Sync + 'static,
    ) -> Self {
        self.validators.add_on_each_hit(validator);
        self
    }

    /// Accepts its tokens only while the engine's [revocations are fresh](crate::Revocations::mark_fresh): otherwise they are
    /// rejected with [`StaleRevocations`](crate::Unavailable::StaleRevocations), a status of 503.
    ///
    /// A table of revocations is stale until whoever feeds it says otherwise, as the follower of `tollgate-storage` does.
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

    /// Accepts tokens for anybody. A token that another service was given is then accepted here too
    /// (RFC 8725 section 3.9).
    #[must_use]
    pub fn danger_accept_any_audience(mut self) -> Self {
        self.settings.danger_accept_any_audience = true;
        self
    }

    /// Accepts tokens without `exp`, which are good for as long as their key is.
    #[must_use]
    pub fn danger_accept_missing_exp(mut self) -> Self {
        self.settings.danger_accept_missing_exp = true;
        self
    }

    /// All of it but the keys, the validators and where the issuer says that it has revoked a token.
    #[must_use]
    pub fn settings(&self) -> &IssuerSettings {
        &self.settings
    }

    /// The key ring, unless no token could ever verify under it by `policy`.
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

    /// What a method was given, or nothing and the error kept.
    fn valid<T>(&mut self, given: Result<T, SettingsError>) -> Option<T> {
        given.map_err(|error| self.error.get_or_insert(error).clone()).ok()
    }
}

/// Without keys, which [`Issuer::keys`] gives.
impl From<IssuerSettings> for Issuer {
    fn from(settings: IssuerSettings) -> Self {
        let validators = Validators::default();
        Issuer { settings, keys: None, validators, status_lists: None, introspector: None, error: None }
    }
}
