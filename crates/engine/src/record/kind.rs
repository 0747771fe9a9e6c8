use crate::{basic, credential};

/// The kind of a key in the table. Each kind is accepted only in certain places of a request.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum KeyKind {
    /// An API key: bare, as `Bearer`, or from its own header.
    ApiKey,
    /// A client's secret: only in `Basic`, with the client's id.
    ClientSecret,
    /// An opaque access token: only as `Bearer`.
    AccessToken,
}

/// Whether a key may be used.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum KeyState {
    /// The key may be used.
    #[default]
    Active,
    /// Disabled, and may be enabled again.
    Disabled,
    /// Revoked for ever.
    Revoked,
}

impl KeyKind {
    /// Whether an Authorization header can present `secret` as this kind, by the rules for reading headers: a client's
    /// secret is any text without control characters; an API key or an access token consists of letters, digits and
    /// ``!#$%&'*+-.^_`|~/=:``, and does not begin as a JWT does. A secret that cannot be presented is not worth
    /// storing.
    ///
    /// ```
    /// use tollgate::KeyKind;
    ///
    /// assert!(KeyKind::ApiKey.fits_header(b"12|Qm3kV8zT1xLr0YpW7sNcE5uHb"));
    /// assert!(!KeyKind::ApiKey.fits_header(b"two words"));
    /// assert!(KeyKind::ClientSecret.fits_header(b"two words"));
    /// ```
    #[must_use]
    pub fn fits_header(self, secret: &[u8]) -> bool {
        match self {
            KeyKind::ClientSecret => basic::is_text(secret),
            KeyKind::ApiKey | KeyKind::AccessToken => credential::is_opaque_token(secret),
        }
    }

    /// A stable kebab-case name: `api-key`, `client-secret`, `access-token`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            KeyKind::ApiKey => "api-key",
            KeyKind::ClientSecret => "client-secret",
            KeyKind::AccessToken => "access-token",
        }
    }

    /// The kind with that [name](Self::as_str).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [KeyKind::ApiKey, KeyKind::ClientSecret, KeyKind::AccessToken].into_iter().find(|kind| kind.as_str() == name)
    }
}

impl KeyState {
    /// A stable kebab-case name: `active`, `disabled`, `revoked`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            KeyState::Active => "active",
            KeyState::Disabled => "disabled",
            KeyState::Revoked => "revoked",
        }
    }

    /// The state with that [name](Self::as_str).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [KeyState::Active, KeyState::Disabled, KeyState::Revoked].into_iter().find(|state| state.as_str() == name)
    }
}
