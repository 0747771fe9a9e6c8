use crate::confirmation::{confirmation_from, confirmation_text};
use std::fmt;
use subtle::ConstantTimeEq;
use tollgate::{ConfirmationMethod, NotAConfirmationMethod};
use zeroize::Zeroizing;

/// Refresh tokens that come one from another (RFC 9700 section 4.14.2): all that a client gets for one grant of a user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefreshFamily {
    /// The id of the first access token of the grant, which a code names ([`AuthorizationCode::token_id`](super::AuthorizationCode)).
    pub id: String,
    /// The client that the tokens are bound to.
    pub client_id: String,
    /// The user.
    pub user_id: String,
    /// The login session of the grant: the `sid` of its access tokens.
    pub session_id: String,
    /// The scope granted, names separated by single spaces. An access token may have less.
    pub scope: String,
    /// Whether the family outlives the expiry of its login session (`offline_access`, OpenID Connect Core 1.0 section 11). It never
    /// outlives a logout.
    pub is_offline: bool,
    /// What the tokens are bound to: a key (RFC 9449 section 5), a certificate (RFC 8705 section 4), or both.
    pub confirmation: Vec<ConfirmationMethod>,
    /// What successors are derived with.
    pub successor_key: SuccessorKey,
    /// The number of the token that is good, from 1; those with a lower number have been used.
    pub number: i64,
    /// When the user last gave the password before the grant: the `auth_time` of tokens (OpenID Connect Core 1.0 section 12.2).
    pub authenticated_at: i64,
    /// When the grant was made.
    pub created_at: i64,
    /// When the token that is good was first issued.
    pub rotated_at: i64,
    /// The token that is good is not accepted from then on.
    pub expires_at: i64,
    /// No token is accepted from then on.
    pub ends_at: i64,
    /// Whether it ended before its time.
    pub is_ended: bool,
}

/// A random key of a family. The successor of a token is the HMAC of the token under this key, so that a retry gets the same successor
/// though the store keeps digests only. Neither the key alone nor a used token alone gives a successor.
#[derive(Clone)]
pub struct SuccessorKey(Zeroizing<[u8; 32]>);

impl SuccessorKey {
    /// Of these random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SuccessorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SuccessorKey(..)")
    }
}

impl PartialEq for SuccessorKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&*other.0).into()
    }
}

impl Eq for SuccessorKey {}

/// An access token of a grant, by which it can be revoked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GrantedToken {
    /// Its `jti`, or the id of its record.
    pub id: String,
    /// When it has expired at the latest.
    pub expires_at: i64,
}

/// A refresh token as a client presents it (RFC 6749 section 6), with what it is to be exchanged for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PresentedRefreshToken {
    /// SHA-256 of the refresh token.
    pub digest: [u8; 32],
    /// The client, which has authenticated or is public.
    pub client_id: String,
    /// Of what the client has shown possession.
    pub confirmation: Vec<ConfirmationMethod>,
    /// Whether the scope that the client asks for is within the family's.
    pub is_scope_granted: bool,
    /// For how many seconds after its use a token is answered with the same successor again: 0 for a client that has shown by nothing but
    /// the token who it is.
    pub retry_within: i64,
    /// SHA-256 of the successor.
    pub successor: [u8; 32],
    /// The successor is not accepted from then on.
    pub successor_expires_at: i64,
    /// The access token that is issued along with the successor.
    pub token: GrantedToken,
    /// The most access tokens of a family that have not expired, and the most used refresh tokens that are known.
    pub max: u32,
}

/// What came of presenting a refresh token. Only [`Refresh::Rotated`] uses the token up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refresh {
    /// The token is used up, and its successor is good. [`ends_at`](RefreshFamily::ends_at) is no later than the end of the login
    /// session, unless the family is offline.
    Rotated(RefreshFamily),
    /// A retry: the successor has been issued, is not used, and is issued again.
    Again(RefreshFamily),
    /// The token was used before, by its client or by a thief (RFC 9700 section 4.14.2): the family has ended, and its access tokens are
    /// to be revoked.
    Reused(RefreshFamily),
    /// The token or its login session has expired.
    Expired,
    /// The family has ended.
    Ended,
    /// The token is bound to another key or certificate.
    OtherKey,
    /// The client asks for more scope than was granted.
    TooWide,
    /// As many access tokens of the family as are allowed have not expired.
    TooMany,
    /// No such token, or another client's: a client learns nothing of the tokens of others.
    Unknown,
}

/// As the row of a family has it.
impl RefreshFamily {
    /// The methods of [`confirmation`](Self::confirmation), separated by single spaces.
    #[must_use]
    pub fn confirmation_text(&self) -> String {
        confirmation_text(self.confirmation.iter().copied())
    }

    /// The methods of such a text.
    ///
    /// # Errors
    /// [`NotAConfirmationMethod`] if one is not known here: what tokens are bound to must not be ignored.
    pub fn confirmation_from(text: &str) -> Result<Vec<ConfirmationMethod>, NotAConfirmationMethod> {
        confirmation_from(text)
    }
}

impl RefreshFamily {
    /// What comes of presenting the token of that `number` at `now`, in seconds since the Unix epoch. `session_ends_at`: when the
    /// login session expires, if the store has it. On [`Refresh::Rotated`], [`Refresh::Again`] and [`Refresh::Reused`] the store has to
    /// write that down in the same transaction.
    #[must_use]
    pub fn refresh(
        mut self,
        number: i64,
        session_ends_at: Option<i64>,
        presented: &PresentedRefreshToken,
        now: i64,
    ) -> Refresh {
        if self.client_id != presented.client_id {
            return Refresh::Unknown;
        }
        if !self.confirmation.iter().all(|method| presented.confirmation.contains(method)) {
            return Refresh::OtherKey;
        }
        let is_used = number < self.number;
        let is_just_used = number + 1 == self.number && now < self.rotated_at.saturating_add(presented.retry_within);
        // Before the expiry and the scope: a token that is replayed late, or for too much, still says that the first use may have been a
        // thief's.
        if is_used && !is_just_used {
            return Refresh::Reused(self);
        }
        if self.is_ended {
            return Refresh::Ended;
        }
        if !self.is_offline {
            self.ends_at = self.ends_at.min(session_ends_at.unwrap_or(i64::MIN));
        }
        if now >= self.expires_at.min(self.ends_at) {
            return Refresh::Expired;
        }
        if !presented.is_scope_granted {
            return Refresh::TooWide;
        }
        if is_used { Refresh::Again(self) } else { Refresh::Rotated(self) }
    }
}
