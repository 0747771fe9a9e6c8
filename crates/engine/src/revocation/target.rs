use super::fingerprint::Fingerprint;

/// A revocation of one credential, or of all that speak for a name, wholly or if issued before some time.
///
/// The name of a token's subject, session or client is revoked for its issuer only.
///
/// ```
/// use tollgate::{Revocation, Revocations};
///
/// let revocations = Revocations::new();
/// // One token, until it would have expired by itself.
/// revocations.revoke(&Revocation::token("https://as/", "jti-1").until(1_763_900_000));
/// // All tokens that the user was issued before the password was changed.
/// revocations.revoke(&Revocation::subject("https://as/", "user-1").issued_before(1_763_800_000));
/// assert_eq!(revocations.len(), 2);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Revocation {
    kind: Kind,
    issuer: Box<str>,
    name: Box<str>,
    issued_before: i64,
    until: i64,
}

/// The kind of a revoked name.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Kind {
    Token,
    Subject,
    Session,
    Client,
    Issuer,
    ApiKey,
}

impl Revocation {
    /// The token of `issuer` with this `jti`. It stays revoked in every encoding of its signature.
    #[must_use]
    pub fn token(issuer: &str, jti: &str) -> Self {
        Self::new(Kind::Token, issuer, jti)
    }

    /// Every token of `issuer` with this `sub`.
    #[must_use]
    pub fn subject(issuer: &str, sub: &str) -> Self {
        Self::new(Kind::Subject, issuer, sub)
    }

    /// Every token of `issuer` with this `sid`.
    #[must_use]
    pub fn session(issuer: &str, sid: &str) -> Self {
        Self::new(Kind::Session, issuer, sid)
    }

    /// Every token that `issuer` gave to this client (`client_id` or `azp`).
    #[must_use]
    pub fn client(issuer: &str, client_id: &str) -> Self {
        Self::new(Kind::Client, issuer, client_id)
    }

    /// Every token of `issuer`.
    #[must_use]
    pub fn issuer(issuer: &str) -> Self {
        Self::new(Kind::Issuer, issuer, "")
    }

    /// The API key, client secret or opaque token whose record has this id.
    #[must_use]
    pub fn api_key(id: &str) -> Self {
        Self::new(Kind::ApiKey, "", id)
    }

    fn new(kind: Kind, issuer: &str, name: &str) -> Self {
        Revocation { kind, issuer: issuer.into(), name: name.into(), issued_before: i64::MAX, until: i64::MAX }
    }

    /// Spares tokens that were issued (`iat`) at `seconds` since the Unix epoch or later. A token without `iat` is not
    /// spared.
    #[must_use]
    pub fn issued_before(mut self, seconds: i64) -> Self {
        self.issued_before = seconds;
        self
    }

    /// Lets [`Revocations::forget_expired`](crate::Revocations::forget_expired) remove this from `seconds` since the
    /// Unix epoch on. Give the time when the last credential that it names has expired, leeway included.
    #[must_use]
    pub fn until(mut self, seconds: i64) -> Self {
        self.until = seconds;
        self
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn fingerprint(&self, secret: &super::fingerprint::Secret) -> Fingerprint {
        secret.fingerprint(self.kind, &self.issuer, &self.name)
    }

    pub(super) fn times(&self) -> (i64, i64) {
        (self.issued_before, self.until)
    }
}

/// The names by which a credential can be revoked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marks<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) jti: Option<&'a str>,
    pub(crate) subject: Option<&'a str>,
    pub(crate) session: Option<&'a str>,
    pub(crate) client: Option<&'a str>,
    pub(crate) api_key: Option<&'a str>,
    pub(crate) issued_at: Option<i64>,
}

impl<'a> Marks<'a> {
    /// Every name of the credential, with its kind.
    pub(super) fn names(&self) -> impl Iterator<Item = (Kind, &'a str)> + use<'a> {
        let issuer = if self.issuer.is_empty() { None } else { Some("") };
        [
            (Kind::Token, self.jti),
            (Kind::Subject, self.subject),
            (Kind::Session, self.session),
            (Kind::Client, self.client),
            (Kind::Issuer, issuer),
            (Kind::ApiKey, self.api_key),
        ]
        .into_iter()
        .filter_map(|(kind, name)| Some((kind, name?)))
    }
}
