//! Builds one token, claim by claim.

use std::{
    borrow::Cow,
    time::{SystemTime, UNIX_EPOCH},
};

use base64_simd::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::Value;
use tollgate_jwt::{base64url::encoded_length, limits::MAX_TOKEN_BYTES};

use crate::{
    error::IssuerError,
    header,
    limits::{JTI_BYTES, MAX_TIME_SECONDS},
    minter::check_lifetime,
    payload::Payload,
    signing_key::SigningKey,
    signing_keys::SigningKeys,
    text,
};

/// A builder of a token: from [`Minter::token`](crate::Minter::token) to [`mint`](Self::mint).
///
/// Every token has `iss`, `iat`, `exp` and `jti`. A value that is set twice is replaced, with two exceptions:
/// [`audience`](Self::audience) adds an entry, and [`claim`](Self::claim) refuses a second value. All checks run when
/// the token is minted, so that errors come from one place.
#[derive(Clone, Debug)]
#[must_use = "a token exists once it is minted"]
pub struct TokenBuilder<'a> {
    keys: &'a SigningKeys,
    typ: Cow<'a, str>,
    access_token: bool,
    lifetime_seconds: i64,
    payload: Payload<'a>,
}

impl<'a> TokenBuilder<'a> {
    pub(crate) fn new(issuer: &'a str, keys: &'a SigningKeys, lifetime_seconds: i64) -> Self {
        Self {
            keys,
            typ: Cow::Borrowed(header::JWT),
            access_token: false,
            lifetime_seconds,
            payload: Payload::new(issuer),
        }
    }

    /// Makes the token an access token of RFC 9068: `typ` is `at+jwt`, and `sub`, `aud` and `client_id` are required.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use tollgate_issuer::{Minter, SigningKey, SigningKeys};
    /// # use tollgate_keys::Algorithm;
    /// # let keys = Arc::new(SigningKeys::new(SigningKey::generate(Algorithm::ES256)?));
    /// let minter = Minter::new("https://auth.example.com/", keys)?;
    /// let incomplete = minter.token().access_token().subject("client-1").audience("https://api.example.com");
    /// assert_eq!(incomplete.clone().mint().unwrap_err().code(), "missing-claim");
    /// assert!(incomplete.client_id("client-1").mint().is_ok());
    /// # Ok::<(), tollgate_issuer::IssuerError>(())
    /// ```
    pub fn access_token(mut self) -> Self {
        self.access_token = true;
        self.typ = Cow::Borrowed(header::ACCESS_TOKEN);
        self
    }

    /// Sets the header's `typ` (RFC 7515 section 4.1.9). The default is `JWT`. With `at+jwt`, the claims of
    /// [`access_token`](Self::access_token) are required.
    pub fn typ(mut self, typ: impl Into<Cow<'a, str>>) -> Self {
        self.typ = typ.into();
        self
    }

    /// Sets `sub` (RFC 7519 section 4.1.2).
    pub fn subject(mut self, subject: impl Into<Cow<'a, str>>) -> Self {
        self.payload.subject = Some(subject.into());
        self
    }

    /// Adds an entry to `aud` (RFC 7519 section 4.1.3): a single entry is written as a string, several as an array.
    /// Duplicates are ignored.
    pub fn audience(mut self, audience: impl Into<Cow<'a, str>>) -> Self {
        let audience = audience.into();
        if !self.payload.audience.contains(&audience) {
            self.payload.audience.push(audience);
        }
        self
    }

    /// Sets `client_id` (RFC 8693 section 4.3).
    pub fn client_id(mut self, client_id: impl Into<Cow<'a, str>>) -> Self {
        self.payload.client_id = Some(client_id.into());
        self
    }

    /// Sets `scope` (RFC 8693 section 4.2): scope tokens separated by single spaces. An empty text omits the claim: no
    /// scopes.
    pub fn scope(mut self, scope: impl Into<Cow<'a, str>>) -> Self {
        self.payload.scope = Some(scope.into()).filter(|scope| !scope.is_empty());
        self
    }

    /// Sets `jti` (RFC 7519 section 4.1.7). The default is [`JTI_BYTES`] random bytes in base64url.
    pub fn jti(mut self, jti: impl Into<Cow<'a, str>>) -> Self {
        self.payload.jti = Some(jti.into());
        self
    }

    /// Sets the seconds from `iat` to `exp`. The default is the minter's lifetime.
    pub fn lifetime(mut self, seconds: i64) -> Self {
        self.lifetime_seconds = seconds;
        self
    }

    /// Sets `nbf` (RFC 7519 section 4.1.5), in seconds since the Unix epoch; must be before `exp`. Without it the token
    /// is valid at once.
    pub fn not_before(mut self, time: i64) -> Self {
        self.payload.not_before = Some(time);
        self
    }

    /// Sets any other claim. [`mint`](Self::mint) refuses claims that have a method of their own, and a name given
    /// twice.
    pub fn claim(mut self, name: impl Into<Cow<'a, str>>, value: Value) -> Self {
        self.payload.further.push((name.into(), value));
        self
    }

    /// Mints the token now.
    ///
    /// # Errors
    /// The errors of [`mint_at`](Self::mint_at).
    pub fn mint(self) -> Result<String, IssuerError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.mint_at(i64::try_from(now).unwrap_or(i64::MAX))
    }

    /// Mints the token as of `now`, in seconds since the Unix epoch: `iat` is `now`, `exp` is `now` plus the lifetime.
    ///
    /// The result is the compact serialisation of RFC 7515 section 7.1.
    ///
    /// # Errors
    /// [`IssuerError::InvalidClaim`], [`MissingClaim`](IssuerError::MissingClaim),
    /// [`RegisteredClaim`](IssuerError::RegisteredClaim), [`DuplicateClaim`](IssuerError::DuplicateClaim),
    /// [`UnreadableClaim`](IssuerError::UnreadableClaim), [`InvalidType`](IssuerError::InvalidType),
    /// [`InvalidTime`](IssuerError::InvalidTime), [`InvalidLifetime`](IssuerError::InvalidLifetime) and
    /// [`LifetimeExceedsOverlap`](IssuerError::LifetimeExceedsOverlap) for input that no verifier should see;
    /// [`TokenTooLong`](IssuerError::TokenTooLong); [`SigningFailed`](IssuerError::SigningFailed) if the system's
    /// random number generator fails.
    pub fn mint_at(mut self, now: i64) -> Result<String, IssuerError> {
        self.check()?;
        self.set_times(now)?;
        if self.payload.jti.is_none() {
            self.payload.jti = Some(random_jti()?.into());
        }
        encode(&self.keys.signing_key(), &self.typ, &self.payload)
    }

    fn check(&self) -> Result<(), IssuerError> {
        let is_access_token = text::is_access_token_type(&self.typ);
        if !text::is_type(&self.typ) || (self.access_token && !is_access_token) {
            return Err(IssuerError::InvalidType);
        }
        self.payload.check_texts()?;
        self.payload.check_further()?;
        if is_access_token { self.payload.check_access_token() } else { Ok(()) }
    }

    fn set_times(&mut self, now: i64) -> Result<(), IssuerError> {
        if !(0..=MAX_TIME_SECONDS).contains(&now) {
            return Err(IssuerError::InvalidTime { seconds: now });
        }
        let seconds = self.lifetime_seconds;
        check_lifetime(seconds, self.keys.overlap())?;
        let expires_at = now
            .checked_add(seconds)
            .filter(|time| *time <= MAX_TIME_SECONDS)
            .ok_or(IssuerError::InvalidLifetime { seconds })?;
        if self.payload.not_before.is_some_and(|time| !(0..expires_at).contains(&time)) {
            return Err(IssuerError::InvalidClaim { name: "nbf" });
        }
        self.payload.issued_at = now;
        self.payload.expires_at = expires_at;
        Ok(())
    }
}

fn random_jti() -> Result<String, IssuerError> {
    let mut bytes = [0; JTI_BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(|_| IssuerError::SigningFailed)?;
    Ok(URL_SAFE_NO_PAD.encode_to_string(bytes))
}

fn encode(key: &SigningKey, typ: &str, payload: &Payload<'_>) -> Result<String, IssuerError> {
    let header = key.header_segment(typ);
    let payload = payload.to_json()?;
    let mut token =
        String::with_capacity(header.len() + encoded_length(payload.len()) + encoded_length(key.signature_bytes()) + 2);
    token.push_str(&header);
    token.push('.');
    URL_SAFE_NO_PAD.encode_append(&payload, &mut token);
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_append(&signature, &mut token);
    if token.len() > MAX_TOKEN_BYTES {
        return Err(IssuerError::TokenTooLong { bytes: token.len(), max: MAX_TOKEN_BYTES });
    }
    Ok(token)
}
