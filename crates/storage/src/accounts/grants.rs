use subtle::ConstantTimeEq;

/// An authorization code, as issued (RFC 6749 section 4.1.2, RFC 7636).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuthorizationCode {
    /// SHA-256 of the code.
    pub digest: [u8; 32],
    /// The client it was issued to.
    pub client_id: String,
    /// The user who logged in.
    pub user_id: String,
    /// The login session in which it was issued: the `sid` of the token made from it.
    pub session_id: String,
    /// Where it was sent.
    pub redirect_uri: String,
    /// The PKCE challenge, method S256.
    pub code_challenge: String,
    /// The scope granted, names separated by single spaces.
    pub scope: String,
    /// The `nonce` of the authentication request (OpenID Connect Core 1.0 section 3.1.2.1), for the ID token.
    pub nonce: Option<String>,
    /// The thumbprint of the key whose proof has to be presented with the code (`dpop_jkt`, RFC 9449 section 10).
    pub dpop_jkt: Option<String>,
    /// When it was issued.
    pub created_at: i64,
    /// Not accepted from then on.
    pub expires_at: i64,
    /// The id of the token that will be made from it: its `jti`, or that of its record.
    pub token_id: String,
}

/// An authorization code as a client presents it (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PresentedCode {
    /// SHA-256 of the code.
    pub digest: [u8; 32],
    /// The client, which has authenticated.
    pub client_id: String,
    /// What the client sends as `redirect_uri`.
    pub redirect_uri: String,
    /// The S256 challenge of what the client sends as `code_verifier`.
    pub code_challenge: String,
    /// The thumbprint of the key whose proof the client sends (RFC 9449 section 5).
    pub dpop_jkt: Option<String>,
}

/// What came of presenting an authorization code. Only [`Redemption::First`] uses it up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Redemption {
    /// The first presentation by the code's own client. The code is used up now.
    First(AuthorizationCode),
    /// The client has presented the code before: the token made from it is to be revoked (RFC 6749 section 4.1.2).
    Again(AuthorizationCode),
    /// The code has expired.
    Expired,
    /// The authorization request named another redirect URI.
    OtherRedirectUri,
    /// The authorization request carried another code challenge.
    OtherVerifier,
    /// The code is bound to a key, and the client has sent no proof by it.
    OtherKey,
    /// No such code, or another client's: a client learns nothing of the codes of others.
    Unknown,
}

impl AuthorizationCode {
    /// What comes of presenting this code at `now`, in seconds since the Unix epoch, which was used before or not. On
    /// [`Redemption::First`] the store has to write down, in the same transaction, that it is used.
    #[must_use]
    pub fn redeem(self, is_used: bool, presented: &PresentedCode, now: i64) -> Redemption {
        if self.client_id != presented.client_id {
            return Redemption::Unknown;
        }
        if self.redirect_uri != presented.redirect_uri {
            return Redemption::OtherRedirectUri;
        }
        if !bool::from(self.code_challenge.as_bytes().ct_eq(presented.code_challenge.as_bytes())) {
            return Redemption::OtherVerifier;
        }
        if self.dpop_jkt.is_some() && self.dpop_jkt != presented.dpop_jkt {
            return Redemption::OtherKey;
        }
        // Before the expiry: a code that is replayed late still says that the first use may have been a thief's.
        if is_used {
            return Redemption::Again(self);
        }
        if now >= self.expires_at { Redemption::Expired } else { Redemption::First(self) }
    }
}
