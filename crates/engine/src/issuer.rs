use std::collections::HashMap;

use tollgate_jwt::excerpt;
use tollgate_keys::{Algorithm, KeyRing, KeySet};

use crate::builder::BuildError;
use crate::limits::MAX_LEEWAY;
use crate::policy::{Policy, TypProfile};
use crate::rejection::Rejection;

/// One issuer of JWTs: its name, its keys, and what its tokens have to say.
///
/// Unless told otherwise: `iss`, `aud` and `exp` are required, `typ` is `JWT` or absent, every algorithm is taken
/// for which there is a key, and 60 seconds of clock skew are forgiven.
///
/// ```
/// use tollgate::{Algorithm, Issuer, KeyRing, KeySet, TypProfile};
///
/// let issuer = Issuer::new("https://auth.example.com/")
///     .audience("https://api.example.com")
///     .keys(KeyRing::new(KeySet::default()))
///     .algorithms(&[Algorithm::ES256])
///     .typ(TypProfile::AccessToken)
///     .leeway(10);
/// ```
#[derive(Clone, Debug)]
pub struct Issuer {
    name: Box<str>,
    policy: Policy,
    keys: KeyRing,
}

impl Issuer {
    /// An issuer whose tokens bear exactly `name` as `iss`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Issuer { name: name.into(), policy: Policy::default(), keys: KeySet::default().into() }
    }

    /// Accepts tokens for `audience`: one entry of `aud` has to equal it, or another one given here.
    #[must_use]
    pub fn audience(mut self, audience: &str) -> Self {
        self.policy.audiences.push(audience.into());
        self
    }

    /// The keys that verify its tokens. The ring is shared: replacing its set takes effect on the next verify.
    #[must_use]
    pub fn keys(mut self, keys: impl Into<KeyRing>) -> Self {
        self.keys = keys.into();
        self
    }

    /// Accepts these algorithms alone.
    #[must_use]
    pub fn algorithms(mut self, algorithms: &[Algorithm]) -> Self {
        self.policy.algorithms = Some(algorithms.to_vec());
        self
    }

    /// Which `typ` its tokens bear.
    #[must_use]
    pub fn typ(mut self, profile: TypProfile) -> Self {
        self.policy.profile = profile;
        self
    }

    /// Forgives `seconds` of clock skew at `exp` and `nbf`, at most [`MAX_LEEWAY`].
    #[must_use]
    pub fn leeway(mut self, seconds: u32) -> Self {
        self.policy.leeway = seconds;
        self
    }

    /// Requires the claim `name`, of any value but null.
    #[must_use]
    pub fn require_claim(mut self, name: &str) -> Self {
        self.policy.required_claims.push(name.into());
        self
    }

    /// Accepts tokens for anybody. A token that another service was given is then accepted here too
    /// (RFC 8725 section 3.9).
    #[must_use]
    pub fn danger_accept_any_audience(mut self) -> Self {
        self.policy.accept_any_audience = true;
        self
    }

    /// Accepts tokens without `exp`, which are good for as long as their key is.
    #[must_use]
    pub fn danger_accept_missing_exp(mut self) -> Self {
        self.policy.accept_missing_exp = true;
        self
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn key_ring(&self) -> &KeyRing {
        &self.keys
    }

    fn check(&self) -> Result<(), BuildError> {
        let issuer = || self.name.clone();
        if self.name.is_empty() {
            return Err(BuildError::EmptyIssuer);
        }
        if self.policy.audiences.is_empty() && !self.policy.accept_any_audience {
            return Err(BuildError::NoAudience { issuer: issuer() });
        }
        if self.policy.leeway > MAX_LEEWAY {
            return Err(BuildError::LeewayTooLong { issuer: issuer(), leeway: self.policy.leeway });
        }
        Ok(())
    }
}

/// The configured issuers.
#[derive(Debug, Default)]
pub(crate) struct Issuers {
    all: Vec<Issuer>,
    /// Where in `all` the issuer of a name is.
    by_name: HashMap<Box<str>, usize>,
}

impl Issuers {
    pub(crate) fn new(all: Vec<Issuer>) -> Result<Self, BuildError> {
        let mut by_name = HashMap::with_capacity(all.len());
        for (index, issuer) in all.iter().enumerate() {
            issuer.check()?;
            if by_name.insert(issuer.name.clone(), index).is_some() {
                return Err(BuildError::DuplicateIssuer { issuer: issuer.name.clone() });
            }
        }
        Ok(Issuers { all, by_name })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Which issuer `iss` names, by equality alone (RFC 8725 section 3.8).
    pub(crate) fn find(&self, iss: Option<&str>) -> Result<usize, Rejection> {
        let name = iss.ok_or_else(missing_iss)?;
        let found = match self.all.as_slice() {
            // Most have one, and comparing its name takes less than hashing it.
            [only] => (*only.name == *name).then_some(0),
            _ => self.by_name.get(name).copied(),
        };
        found.ok_or_else(|| unknown(name))
    }

    pub(crate) fn at(&self, index: usize) -> &Issuer {
        &self.all[index]
    }
}

#[cold]
fn missing_iss() -> Rejection {
    Rejection::MissingClaim { name: "iss".into() }
}

#[cold]
fn unknown(name: &str) -> Rejection {
    Rejection::UnknownIssuer { issuer: excerpt(name).into() }
}
