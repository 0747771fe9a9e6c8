use crate::key::Key;
use crate::spiffe;
use crate::template::Template;

/// All that a verifier is configured with.
#[derive(Clone, Debug)]
pub struct World {
    /// The issuers of JWTs.
    pub issuers: Vec<Issuer>,
    /// What starts the keys of the operator's own format: `<prefix>_<env>_`.
    pub prefix: &'static str,
    /// See `prefix`.
    pub env: &'static str,
    /// API keys, opaque tokens and client secrets.
    pub credentials: Vec<Credential>,
    /// The longest header that is looked at, in bytes.
    pub max_header_bytes: usize,
}

/// One issuer and its policy.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// What `iss` has to equal, or a template with one `{variable}`.
    pub name: String,
    /// Whether the name is the SPIFFE ID of a trust domain, in which a token's `sub` is, whatever `iss` says.
    pub is_trust_domain: bool,
    /// Where the name is a template: the claim that has to equal what stands in place of the variable.
    pub tenant_claim: Option<&'static str>,
    /// Where the name is a template: what may stand in place of the variable; anything without a list.
    pub tenants: Option<Vec<String>>,
    /// Its JWK set.
    pub jwks: String,
    /// Which `use` the JWKs may have that are loaded, beside none.
    pub loaded_uses: Vec<&'static str>,
    /// Which of the loaded ones its tokens may be signed under.
    pub key_use: Option<Vec<&'static str>>,
    /// Its HMAC keys: `kid`, `alg`, secret.
    pub secrets: Vec<(Option<String>, &'static str, Vec<u8>)>,
    /// The usable ones among both, read.
    pub keys: Vec<Key>,
    /// One of which `aud` has to hold.
    pub audiences: Vec<&'static str>,
    /// Whether any `aud` or none will do.
    pub any_audience: bool,
    /// Whether `exp` may be absent.
    pub missing_exp: bool,
    /// What `typ` may be.
    pub typ: Typ,
    /// The algorithms that are admitted; all when there is no list.
    pub algorithms: Option<Vec<&'static str>>,
    /// Claims that have to be there and not null, by name or JSON Pointer.
    pub required: Vec<&'static str>,
    /// Claims of RFC 9068 that may be absent.
    pub optional: Vec<&'static str>,
    /// Where the audience stands: the first that is there.
    pub audience_claims: Vec<&'static str>,
    /// Where the client stands.
    pub client_claims: Vec<&'static str>,
    /// Where the subject stands.
    pub subject_claims: Vec<&'static str>,
    /// Where scopes stand, and what is put before each.
    pub scope_claims: Vec<(&'static str, &'static str)>,
    /// Whether the scopes of all these claims count, not of the first alone.
    pub all_scopes: bool,
    /// Claims, and the values of which they have to have one.
    pub expected: Vec<(&'static str, Vec<ExpectedValue>)>,
    /// The most entries of a list.
    pub max_list_entries: usize,
    /// The most members of an object.
    pub max_members: usize,
    /// Seconds forgiven at `exp` and `nbf`.
    pub leeway: i64,
    /// Checks of the user's own.
    pub validators: Vec<Validator>,
}

impl Issuer {
    /// An issuer of that name without keys, all else as it is by default.
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

    /// What `typ` may be, which JWT-SVID fixes for the tokens of a trust domain.
    pub(crate) fn typ(&self) -> Typ {
        if self.is_trust_domain { Typ::OneOf(vec!["", "JWT", "JOSE"]) } else { self.typ.clone() }
    }

    /// The algorithms that are admitted; all when there is no list.
    pub(crate) fn algorithms(&self) -> Option<Vec<&'static str>> {
        self.algorithms.clone().or_else(|| self.is_trust_domain.then(|| spiffe::ALGORITHMS.to_vec()))
    }

    /// Whether `key`, one of its keys, is for tokens of `issuer`, by what its JWKs say.
    pub(crate) fn admits(&self, key: &Key, issuer: &str) -> bool {
        let has_use = |found: &Option<String>| match (found.as_deref(), &self.key_use) {
            // In a bundle each key says what it is for.
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

/// A check of the user's own, made after everything else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Validator {
    /// What it refuses with. It begins with `validator-`.
    pub code: &'static str,
    /// Whether it checks a token that is known each time that it comes.
    pub on_each_hit: bool,
    /// What it lets pass.
    pub rule: Rule,
}

/// What a [`Validator`] lets pass.
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
    /// Tokens that come before this time, in seconds since the Unix epoch.
    Before(i64),
}

/// A value that a claim may be expected to have.
#[derive(Clone, Debug, PartialEq)]
pub enum ExpectedValue {
    /// A string.
    String(&'static str),
    /// A number.
    Integer(i64),
    /// A boolean.
    Bool(bool),
}

/// Which tokens are asked for (RFC 8725 section 3.11).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Typ {
    /// `typ` absent or `JWT`.
    Jwt,
    /// `at+jwt` with the claims of RFC 9068.
    AccessToken,
    /// Either.
    Both,
    /// One of these media types, `""` standing for none, and `typ` alone.
    OneOf(Vec<&'static str>),
}

/// One entry of the table of API keys.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The secret itself. (tollgate has its digest alone.)
    pub secret: String,
    /// Whether it is of the operator's own format.
    pub native: bool,
    /// Whether it is an API key, a client's secret or an opaque access token.
    pub kind: Kind,
    /// Its public name.
    pub id: &'static str,
    /// Whom it speaks for; for a client's secret the client.
    pub subject: &'static str,
    /// The client an access token was issued to.
    pub client: Option<&'static str>,
    /// Its scopes.
    pub scopes: Vec<&'static str>,
    /// From when on it is good.
    pub not_before: Option<i64>,
    /// Until when, itself not included.
    pub expires_at: Option<i64>,
    /// Whether it is in use.
    pub state: State,
}

/// What a [`Credential`] is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Bare, as Bearer, or in a header of its own.
    ApiKey,
    /// In Basic alone, with its client's id.
    ClientSecret,
    /// As Bearer alone.
    AccessToken,
}

/// Whether a [`Credential`] may be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// It may.
    Active,
    /// For now not.
    Disabled,
    /// Never again.
    Revoked,
}
