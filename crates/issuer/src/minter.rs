//! The minter of one issuer's tokens.

use std::sync::Arc;

use crate::{
    error::IssuerError, limits::DEFAULT_LIFETIME_SECONDS, signing_keys::SigningKeys, text, token::TokenBuilder,
};

/// Mints the tokens of one issuer with its current signing key.
///
/// ```
/// use std::sync::Arc;
/// use tollgate_issuer::{Minter, SigningKey, SigningKeys};
/// use tollgate_keys::Algorithm;
///
/// let keys = Arc::new(SigningKeys::new(SigningKey::generate(Algorithm::ES256)?));
/// let minter = Minter::new("https://auth.example.com/", Arc::clone(&keys))?;
/// let token = minter
///     .token()
///     .subject("user-7")
///     .audience("https://api.example.com")
///     .scope("read:sites")
///     .claim("tenant", "acme".into())
///     .mint()?;
/// assert_eq!(token.split('.').count(), 3);
/// # Ok::<(), tollgate_issuer::IssuerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Minter {
    issuer: String,
    keys: Arc<SigningKeys>,
    lifetime_seconds: i64,
}

impl Minter {
    /// Creates a minter of tokens with this `iss`, which verifiers compare byte by byte.
    ///
    /// # Errors
    /// [`IssuerError::InvalidClaim`] if `issuer` is empty or contains control characters.
    pub fn new(issuer: impl Into<String>, keys: Arc<SigningKeys>) -> Result<Self, IssuerError> {
        let issuer = issuer.into();
        text::check("iss", &issuer)?;
        Ok(Self { issuer, keys, lifetime_seconds: DEFAULT_LIFETIME_SECONDS })
    }

    /// Sets the default lifetime of tokens, in seconds. Without this call it is [`DEFAULT_LIFETIME_SECONDS`].
    ///
    /// # Errors
    /// [`IssuerError::InvalidLifetime`] if `seconds` is not positive; [`IssuerError::LifetimeExceedsOverlap`] if it is
    /// longer than the keys' [`overlap`](SigningKeys::overlap).
    pub fn with_lifetime(mut self, seconds: i64) -> Result<Self, IssuerError> {
        check_lifetime(seconds, self.keys.overlap())?;
        self.lifetime_seconds = seconds;
        Ok(self)
    }

    /// Starts a token.
    pub fn token(&self) -> TokenBuilder<'_> {
        TokenBuilder::new(&self.issuer, &self.keys, self.lifetime_seconds)
    }

    /// The `iss` of the tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The keys that the tokens are signed with.
    #[must_use]
    pub fn keys(&self) -> &Arc<SigningKeys> {
        &self.keys
    }
}

/// A token must not outlive the publication of its key, even if that key is rotated away right after.
pub(crate) fn check_lifetime(seconds: i64, overlap: i64) -> Result<(), IssuerError> {
    if seconds <= 0 {
        return Err(IssuerError::InvalidLifetime { seconds });
    }
    if seconds > overlap {
        return Err(IssuerError::LifetimeExceedsOverlap { seconds, overlap });
    }
    Ok(())
}
