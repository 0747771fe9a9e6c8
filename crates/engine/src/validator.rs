//! Checks of the user's own, after the signature.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::claims::{self, ClaimsError};
use crate::excerpt::excerpt_of;
use crate::rejection::Rejection;
use crate::scopes::Scopes;
use crate::token::Token;

/// The claims of a token whose signature was verified and that has passed its issuer's policy: the argument of a
/// validator.
///
/// The token is not accepted yet, so this is not a [`Principal`](crate::Principal), and cannot be kept.
pub struct VerifiedClaims<'t> {
    token: &'t Token,
    now: i64,
}

impl<'t> VerifiedClaims<'t> {
    /// The issuer of the token (`iss`).
    #[must_use]
    pub fn issuer(&self) -> Option<&'t str> {
        self.token.issuer()
    }

    /// The subject of the token.
    #[must_use]
    pub fn subject(&self) -> Option<&'t str> {
        self.token.subject()
    }

    /// The audience of the token.
    pub fn audience(&self) -> impl Iterator<Item = &'t str> + use<'t> {
        self.token.audience()
    }

    /// The client that the token was issued to.
    #[must_use]
    pub fn client_id(&self) -> Option<&'t str> {
        self.token.client_id()
    }

    /// The scopes of the token.
    #[must_use]
    pub fn scopes(&self) -> Scopes<'t> {
        self.token.scopes()
    }

    /// The identifier of the token (`jti`).
    #[must_use]
    pub fn token_id(&self) -> Option<&'t str> {
        self.token.jti()
    }

    /// `exp`, in seconds since the Unix epoch.
    #[must_use]
    pub fn expires_at(&self) -> Option<i64> {
        self.token.times().expires_at()
    }

    /// `iat`, in seconds since the Unix epoch.
    #[must_use]
    pub fn issued_at(&self) -> Option<i64> {
        self.token.times().issued_at()
    }

    /// The time of the verify, in seconds since the Unix epoch: the later one, while a jump ahead of the clock is not
    /// confirmed.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.now
    }

    /// The claim `name`; `None` if it is absent. It is decoded at each call.
    ///
    /// # Errors
    /// [`ClaimsError`] if the claim is present and not a `T`.
    pub fn claim<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ClaimsError> {
        claims::one(self.token.payload(), name)
    }

    /// All claims as a `T`, decoded at each call.
    ///
    /// # Errors
    /// [`ClaimsError`] if the claims are not a `T`.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, ClaimsError> {
        claims::all(self.token.payload())
    }
}

impl fmt::Debug for VerifiedClaims<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedClaims")
            .field("issuer", &self.issuer())
            .field("subject", &self.subject())
            .field("client_id", &self.client_id())
            .finish_non_exhaustive()
    }
}

/// A code of a validator's own, in kebab-case like tollgate's codes, such as `tenant-suspended`.
///
/// ```
/// use tollgate::RefusalCode;
///
/// // A constant is checked when the program is compiled.
/// const SUSPENDED: RefusalCode = RefusalCode::new("tenant-suspended");
/// let refusal = SUSPENDED.refuse("tenant 7 has not paid");
/// assert_eq!(refusal.code(), "tenant-suspended");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RefusalCode(&'static str);

impl RefusalCode {
    /// The code `code`: words of `a` to `z` and `0` to `9`, joined by `-`, the first of which begins with a letter.
    ///
    /// # Panics
    /// If `code` does not have this form.
    #[must_use]
    pub const fn new(code: &'static str) -> Self {
        let bytes = code.as_bytes();
        assert!(!bytes.is_empty() && bytes[0].is_ascii_lowercase(), "a code begins with a letter");
        let mut index = 0;
        while index < bytes.len() {
            let is_hyphen = bytes[index] == b'-';
            assert!(
                is_hyphen || bytes[index].is_ascii_lowercase() || bytes[index].is_ascii_digit(),
                "a code is kebab-case"
            );
            let ends_a_word = index + 1 == bytes.len() || bytes[index + 1] == b'-';
            assert!(!(is_hyphen && ends_a_word), "a code has a word after each hyphen");
            index += 1;
        }
        RefusalCode(code)
    }

    /// The token is not valid here: 401. `detail` is for the server's own log; an excerpt of it is kept.
    #[must_use]
    pub fn refuse(self, detail: impl AsRef<str>) -> Refusal {
        self.with_status(401, detail.as_ref())
    }

    /// The token is valid, but does not suffice: 403.
    #[must_use]
    pub fn forbid(self, detail: impl AsRef<str>) -> Refusal {
        self.with_status(403, detail.as_ref())
    }

    /// The token cannot be judged now, because something that the decision needs is missing: 503, to be retried after
    /// [`RETRY_AFTER_SECONDS`](crate::limits::RETRY_AFTER_SECONDS).
    #[must_use]
    pub fn unavailable(self, detail: impl AsRef<str>) -> Refusal {
        self.with_status(503, detail.as_ref())
    }

    fn with_status(self, status: u16, detail: &str) -> Refusal {
        Refusal { code: self.0, status, detail: excerpt_of(detail) }
    }
}

/// Why a validator refuses a token. [`RefusalCode`] makes one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    code: &'static str,
    status: u16,
    detail: Box<str>,
}

impl Refusal {
    /// The validator's code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The HTTP status of the response: 401, 403 or 503.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// An excerpt of the validator's explanation.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

/// The validators of one issuer.
#[derive(Clone, Default)]
pub(crate) struct Validators {
    once: Vec<Validator>,
    on_each_hit: Vec<Validator>,
}

type Validator = Arc<dyn Fn(&VerifiedClaims<'_>) -> Result<(), Refusal> + Send + Sync>;

impl Validators {
    pub(crate) fn add(
        &mut self,
        validator: impl Fn(&VerifiedClaims<'_>) -> Result<(), Refusal> + Send + Sync + 'static,
    ) {
        self.once.push(Arc::new(validator));
    }

    pub(crate) fn add_on_each_hit(
        &mut self,
        validator: impl Fn(&VerifiedClaims<'_>) -> Result<(), Refusal> + Send + Sync + 'static,
    ) {
        self.on_each_hit.push(Arc::new(validator));
    }

    /// For a token that was not in the cache.
    pub(crate) fn check_new(&self, token: &Token, now: i64) -> Result<(), Rejection> {
        check(&self.once, token, now)?;
        check(&self.on_each_hit, token, now)
    }

    /// For a token that was found in the cache.
    pub(crate) fn check_hit(&self, token: &Token, now: i64) -> Result<(), Rejection> {
        check(&self.on_each_hit, token, now)
    }
}

#[inline]
fn check(validators: &[Validator], token: &Token, now: i64) -> Result<(), Rejection> {
    if validators.is_empty() { Ok(()) } else { run(validators, &VerifiedClaims { token, now }) }
}

#[inline(never)]
fn run(validators: &[Validator], claims: &VerifiedClaims<'_>) -> Result<(), Rejection> {
    validators.iter().try_for_each(|validator| {
        // A validator sees no state of the engine that a panic could leave half-changed.
        match catch_unwind(AssertUnwindSafe(|| validator(claims))) {
            Ok(result) => result.map_err(Rejection::Refused),
            Err(_) => Err(Rejection::ValidatorPanicked),
        }
    })
}

impl fmt::Debug for Validators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = (self.once.len(), self.on_each_hit.len());
        f.debug_tuple("Validators").field(&counts.0).field(&counts.1).finish()
    }
}
