use crate::key::Key;

/// All that a verifier is configured with.
#[derive(Debug)]
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
    /// What `iss` has to equal.
    pub name: &'static str,
    /// The JWK set of its public keys.
    pub jwks: String,
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
    /// Claims that have to be there and not null.
    pub required: Vec<&'static str>,
    /// Seconds forgiven at `exp` and `nbf`.
    pub leeway: i64,
}

/// Which tokens are asked for (RFC 8725 section 3.11).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Typ {
    /// `typ` absent or `JWT`.
    Jwt,
    /// `at+jwt` with the claims of RFC 9068.
    AccessToken,
    /// Either.
    Both,
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
