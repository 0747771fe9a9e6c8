use crate::key::Key;
use crate::spiffe;
use crate::template::Template;

/// The whole configuration of a verifier.
#[derive(Clone, Debug)]
pub struct World {
    /// The issuers of JWTs.
    pub issuers: Vec<Issuer>,
    /// The beginning of keys in tollgate's own format: `<prefix>_<env>_`.
    pub prefix: &'static str,
    /// See `prefix`.
    pub env: &'static str,
    /// API keys, opaque tokens and client secrets.
    pub credentials: Vec<Credential>,
    /// The longest accepted header, in bytes.
    pub max_header_bytes: usize,
}

/// One issuer and its policy.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// The required `iss`, or a template with one `{variable}`.
    pub name: String,
    /// Whether the name is the SPIFFE ID of a trust domain, which contains a token's `sub`, whatever `iss` says.
    pub is_trust_domain: bool,
    /// For a template: the claim that must equal the value of the variable.
    pub tenant_claim: Option<&'static str>,
    /// For a template: the allowed values of the variable; `None` for any.
    pub tenants: Option<Vec<String>>,
    /// Its JWK set.
    pub jwks: String,
    /// The `use` values of JWKs that are loaded, besides an absent one.
    pub loaded_uses: Vec<&'static str>,
    /// The `use` values of loaded keys that may sign its tokens.
    pub key_use: Option<Vec<&'static str>>,
    /// Its HMAC keys: `kid`, `alg`, secret.
    pub secrets: Vec<(Option<String>, &'static str, Vec<u8>)>,
    /// The usable keys of both, parsed.
    pub keys: Vec<Key>,
    /// `aud` must contain one of these.
    pub audiences: Vec<&'static str>,
    /// Whether any `aud`, or none, is accepted.
    pub any_audience: bool,
    /// Whether `exp` may be absent.
    pub missing_exp: bool,
    /// The accepted `typ`.
    pub typ: Typ,
    /// The admitted algorithms; `None` for all.
    pub algorithms: Option<Vec<&'static str>>,
    /// Claims that must be present and not null, by name or JSON Pointer.
    pub required: Vec<&'static str>,
    /// Claims of RFC 9068 that may be absent.
    pub optional: Vec<&'static str>,
    /// The sources of the audience: the first present one counts.
    pub audience_claims: Vec<&'static str>,
    /// The sources of the client.
    pub client_claims: Vec<&'static str>,
    /// The sources of the subject.
    pub subject_claims: Vec<&'static str>,
    /// The sources of scopes, each with the prefix of its scopes.
    pub scope_claims: Vec<(&'static str, &'static str)>,
    /// Whether the scopes of all sources count, not only of the first.
    pub all_scopes: bool,
    /// Claims, each with its accepted values.
    pub expected: Vec<(&'static str, Vec<ExpectedValue>)>,
    /// The most entries of a list.
    pub max_list_entries: usize,
    /// The most members of an object.
    pub max_members: usize,
    /// The leeway at `exp` and `nbf`, in seconds.
    pub leeway: i64,
    /// Custom validators.
    pub validators: Vec<Validator>,
}

impl Issuer {
    /// An issuer of that name without keys, with the default settings.
    #[must_use]
    pub fn new(name: &str, audiences: Vec<&'static str>) -> Self {
        Issuer {
            name: name.into(),
            is_trust_domain: false,
            tenant_claim: None,
            tenants: None,
            jwks: String::new(),
            loaded_uses: vec!["sig"],
            key_use: None,
            secrets: Vec::new(),
            keys: Vec::new(),
            audiences,
            any_audience: false,
            missing_exp: false,
            typ: Typ::Jwt,
            algorithms: None,
            required: Vec::new(),
            optional: Vec::new(),
            audience_claims: vec!["aud"],
            client_claims: vec!["client_id", "azp", "cid", "appid"],
            subject_claims: vec!["sub"],
            scope_claims: vec![("scope", ""), ("scp", "")],
            all_scopes: false,
            expected: Vec::new(),
            max_list_entries: 128,
            max_members: 256,
            leeway: 60,
            validators: Vec::new(),
        }
    }

    /// The accepted `typ`. JWT-SVID fixes it for the tokens of a trust domain.
    pub(crate) fn typ(&self) -> Typ {
        if self.is_trust_domain { Typ::OneOf(vec!["", "JWT", "JOSE"]) } else { self.typ.clone() }
    }

    /// The admitted algorithms; `None` for all.
    pub(crate) fn algorithms(&self) -> Option<Vec<&'static str>> {
        self.algorithms.clone().or_else(|| self.is_trust_domain.then(|| spiffe::ALGORITHMS.to_vec()))
    }

    /// Whether `key`, one of its keys, may sign tokens of `issuer`, according to its JWKs.
    pub(crate) fn admits(&self, key: &Key, issuer: &str) -> bool {
        let has_use = |found: &Option<String>| match (found.as_deref(), &self.key_use) {
            // In a bundle each key must name its use.
            (None, _) => !self.is_trust_domain,
            (Some(found), Some(listed)) => listed.contains(&found),
            (Some(found), None) => found == if self.is_trust_domain { "jwt-svid" } else { "sig" },
        };
        let is_meant = |name: &String| {
            let template = Template::of(name).ok().flatten();
            name == issuer || template.is_some_and(|template| template.tenant(issuer).is_some())
        };
        key.purposes.is_empty()
            || key.purposes.iter().any(|one| has_use(&one.key_use) && one.issuer.as_ref().is_none_or(is_meant))
    }
}

/// A custom validator, which runs after all other checks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Validator {
    /// The code of its rejection, which begins with `validator-`.
    pub code: &'static str,
    /// Whether it also runs on each cache hit.
    pub on_each_hit: bool,
    /// The tokens that it accepts.
    pub rule: Rule,
}

/// The tokens that a [`Validator`] accepts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Tokens of every subject but this one.
    NotOfSubject(&'static str),
    /// Tokens of every client but this one.
    NotOfClient(&'static str),
    /// Tokens with this scope.
    OfScope(&'static str),
    /// Tokens in which this claim is a string.
    WithText(&'static str),
    /// Tokens presented before this time, in seconds since the Unix epoch.
    Before(i64),
}

/// An accepted value of a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum ExpectedValue {
    /// A string.
    String(&'static str),
    /// A number.
    Integer(i64),
    /// A boolean.
    Bool(bool),
}

/// The expected type of tokens (RFC 8725 section 3.11).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Typ {
    /// `typ` absent or `JWT`.
    Jwt,
    /// `at+jwt` with the claims of RFC 9068.
    AccessToken,
    /// Either.
    Both,
    /// One of these media types, `""` for an absent one; no other claims are required.
    OneOf(Vec<&'static str>),
}

/// One entry of the table of API keys.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The secret itself. (tollgate has only its digest.)
    pub secret: String,
    /// Whether it has tollgate's own format.
    pub native: bool,
    /// Whether it is an API key, a client's secret or an opaque access token.
    pub kind: Kind,
    /// Its public id.
    pub id: &'static str,
    /// The subject that it authenticates; for a client's secret the client.
    pub subject: &'static str,
    /// The client an access token was issued to.
    pub client: Option<&'static str>,
    /// Its scopes.
    pub scopes: Vec<&'static str>,
    /// The time from which it is valid.
    pub not_before: Option<i64>,
    /// The time at which it expires.
    pub expires_at: Option<i64>,
    /// Its state.
    pub state: State,
}

/// The kind of a [`Credential`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Accepted bare, as Bearer, or in its own header.
    ApiKey,
    /// Accepted only as Basic, with its client's id.
    ClientSecret,
    /// Accepted only as Bearer.
    AccessToken,
}

/// The state of a [`Credential`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// Accepted.
    Active,
    /// Rejected, but not permanently.
    Disabled,
    /// Rejected permanently.
    Revoked,
}
