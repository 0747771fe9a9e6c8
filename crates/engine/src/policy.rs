//! The facts that a token has to state, checked before its signature: cheapest rejection first.

use tollgate_jwt::{Claims, Header, json};
use tollgate_keys::Algorithm;

use crate::limits::DEFAULT_LEEWAY;
use crate::rejection::Rejection;

/// What tokens an issuer's `typ` announces (RFC 8725 section 3.11).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum TypProfile {
    /// `typ` is `JWT` or absent (RFC 7519 section 5.1).
    #[default]
    Jwt,
    /// `typ` is `at+jwt`, and the claims that RFC 9068 section 2.2 requires are there.
    AccessToken,
    /// Either of the two, each by its own rules.
    JwtOrAccessToken,
}

/// The claims that RFC 9068 section 2.2 requires of an access token, beside `iss`, `exp` and `aud`.
const ACCESS_TOKEN_CLAIMS: [&str; 4] = ["sub", "client_id", "iat", "jti"];

/// What one issuer's tokens have to say.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) algorithms: Option<Vec<Algorithm>>,
    pub(crate) profile: TypProfile,
    pub(crate) audiences: Vec<Box<str>>,
    pub(crate) accept_any_audience: bool,
    pub(crate) accept_missing_exp: bool,
    pub(crate) required_claims: Vec<Box<str>>,
    /// Seconds.
    pub(crate) leeway: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            algorithms: None,
            profile: TypProfile::default(),
            audiences: Vec::new(),
            accept_any_audience: false,
            accept_missing_exp: false,
            required_claims: Vec::new(),
            leeway: DEFAULT_LEEWAY,
        }
    }
}

impl Policy {
    /// Checks everything but `iss` and the signature.
    pub(crate) fn check(
        &self,
        algorithm: Algorithm,
        header: &Header<'_>,
        claims: &Claims<'_>,
        now: i64,
    ) -> Result<(), Rejection> {
        self.check_algorithm(algorithm)?;
        let is_access_token = self.check_typ(header)?;
        self.check_audience(claims)?;
        if claims.cnf().is_some() {
            return Err(Rejection::SenderConstrained);
        }
        self.check_time(claims.exp(), claims.nbf(), now)?;
        let profile = if is_access_token { &ACCESS_TOKEN_CLAIMS[..] } else { &[] };
        let required = profile.iter().copied().chain(self.required_claims.iter().map(|name| &**name));
        for name in required {
            if matches!(claims.get(name), None | Some(json::Value::Null)) {
                return Err(missing(name));
            }
        }
        Ok(())
    }

    fn check_algorithm(&self, algorithm: Algorithm) -> Result<(), Rejection> {
        match &self.algorithms {
            Some(allowed) if !allowed.contains(&algorithm) => Err(Rejection::AlgorithmNotAllowed),
            _ => Ok(()),
        }
    }

    /// Whether the token is an access token in the sense of RFC 9068.
    fn check_typ(&self, header: &Header<'_>) -> Result<bool, Rejection> {
        let subtype = header.media_subtype();
        let is_access_token = subtype.is_some_and(|subtype| subtype.eq_ignore_ascii_case("at+jwt"));
        let is_jwt = subtype.is_none_or(|subtype| subtype.eq_ignore_ascii_case("jwt"));
        let is_allowed = match self.profile {
            TypProfile::Jwt => is_jwt,
            TypProfile::AccessToken => is_access_token,
            TypProfile::JwtOrAccessToken => is_jwt || is_access_token,
        };
        if is_allowed { Ok(is_access_token) } else { Err(Rejection::TypeNotAllowed) }
    }

    fn check_audience(&self, claims: &Claims<'_>) -> Result<(), Rejection> {
        if self.accept_any_audience {
            return Ok(());
        }
        let audience = claims.aud();
        if audience.is_absent() {
            return Err(missing("aud"));
        }
        // By equality alone: no pattern, no normalisation (RFC 7519 section 4.1.3).
        if audience.iter().any(|entry| self.audiences.iter().any(|expected| **expected == *entry)) {
            Ok(())
        } else {
            Err(Rejection::WrongAudience)
        }
    }

    /// Checks what changes with time. `exp` and `nbf` in seconds since the Unix epoch.
    pub(crate) fn check_time(&self, exp: Option<i64>, nbf: Option<i64>, now: i64) -> Result<(), Rejection> {
        match exp {
            None if !self.accept_missing_exp => return Err(missing("exp")),
            Some(exp) => check_not_expired(exp, self.leeway, now)?,
            None => {}
        }
        match nbf {
            Some(nbf) => check_begun(nbf, self.leeway, now),
            None => Ok(()),
        }
    }
}

/// RFC 7519 section 4.1.4: "on or after which" it must not be accepted; `leeway` seconds are forgiven.
pub(crate) fn check_not_expired(expired_at: i64, leeway: u32, now: i64) -> Result<(), Rejection> {
    // An `exp` of the epoch or before is never meant: some issuers write 0 for "none".
    if expired_at > 0 && now < expired_at.saturating_add(i64::from(leeway)) {
        Ok(())
    } else {
        Err(Rejection::Expired { expired_at, now })
    }
}

/// RFC 7519 section 4.1.5: "before which" it must not be accepted; `leeway` seconds are forgiven.
pub(crate) fn check_begun(not_before: i64, leeway: u32, now: i64) -> Result<(), Rejection> {
    if now >= not_before.saturating_sub(i64::from(leeway)) {
        Ok(())
    } else {
        Err(Rejection::NotYetValid { not_before, now })
    }
}

#[cold]
fn missing(name: &str) -> Rejection {
    Rejection::MissingClaim { name: name.into() }
}
