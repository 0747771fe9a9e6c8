use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::target::Revocation;
use crate::claims::ClaimsError;
use crate::principal::Principal;

/// The event that makes a token a logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4).
const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

impl Revocation {
    /// The revocation that a logout token asks for: of the session in its `sid`, or without `sid`, of all tokens that
    /// its subject was issued before it or in the same second (OpenID Connect Back-Channel Logout 1.0 sections 2.4 to
    /// 2.7).
    ///
    /// `principal` is the engine's verdict on the token: its signature, issuer, audience and times have been checked.
    /// Verify logout tokens by a policy of their own whose [`TypProfile`](crate::TypProfile) accepts only `logout+jwt`,
    /// so that none can be used as an access token.
    ///
    /// # Errors
    /// [`LogoutTokenError`] if it is not a logout token, or names neither session nor subject. The identity provider is
    /// then to be answered with 400 (section 2.8).
    ///
    /// ```no_run
    /// # fn logout(engine: &tollgate::Engine, revocations: &tollgate::Revocations, logout_token: &str) -> Result<(), Box<dyn std::error::Error>> {
    /// let principal = engine.verify(logout_token)?;
    /// revocations.revoke(&tollgate::Revocation::from_logout_token(&principal)?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_logout_token(principal: &Principal) -> Result<Self, LogoutTokenError> {
        let issuer = principal.issuer().ok_or(LogoutTokenError::NoToken)?;
        let events: Option<HashMap<String, Event>> = principal.claim("events").map_err(LogoutTokenError::Claims)?;
        if !events.is_some_and(|events| events.get(LOGOUT).is_some_and(|event| event.is_object)) {
            return Err(LogoutTokenError::NoLogoutEvent);
        }
        if principal.claim::<IgnoredAny>("nonce").map_err(LogoutTokenError::Claims)?.is_some() {
            return Err(LogoutTokenError::Nonce);
        }
        let issued_at = principal.issued_at().ok_or(LogoutTokenError::NoIssuedAt)?;
        match (principal.session_id(), principal.subject()) {
            (Some(session), _) => Ok(Revocation::session(issuer, session)),
            (None, Some(subject)) => {
                Ok(Revocation::subject(issuer, subject).issued_before(issued_at.saturating_add(1)))
            }
            (None, None) => Err(LogoutTokenError::NamesNobody),
        }
    }
}

/// A member of `events`. The logout event has to be an object.
struct Event {
    is_object: bool,
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EventVisitor)
    }
}

struct EventVisitor;

impl EventVisitor {
    const ANOTHER_VALUE: Event = Event { is_object: false };
}

impl<'de> Visitor<'de> for EventVisitor {
    type Value = Event;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Event, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Event { is_object: true })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Event, A::Error> {
        while entries.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::ANOTHER_VALUE)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Event, E> {
        Ok(Self::ANOTHER_VALUE)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Event, E> {
        Ok(Self::ANOTHER_VALUE)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Event, E> {
        Ok(Self::ANOTHER_VALUE)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Event, E> {
        Ok(Self::ANOTHER_VALUE)
    }

    fn visit_str<E>(self, _: &str) -> Result<Event, E> {
        Ok(Self::ANOTHER_VALUE)
    }

    fn visit_unit<E>(self) -> Result<Event, E> {
        Ok(Self::ANOTHER_VALUE)
    }
}

/// Why a verified token is not a logout token (OpenID Connect Back-Channel Logout 1.0 section 2.6).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum LogoutTokenError {
    /// The principal is from a record of the table, such as an API key.
    NoToken,
    /// `events` has no back-channel logout event that is an object.
    NoLogoutEvent,
    /// It has a `nonce`, like an ID token. A logout token must not have one.
    Nonce,
    /// It has no `iat`.
    NoIssuedAt,
    /// It has neither `sid` nor `sub`.
    NamesNobody,
    /// `events` has another shape.
    Claims(ClaimsError),
}

impl fmt::Display for LogoutTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogoutTokenError::NoToken => f.write_str("the credential is no token, so that it cannot be a logout token"),
            LogoutTokenError::NoLogoutEvent => write!(f, "no logout token: events has no object {LOGOUT:?}"),
            LogoutTokenError::Nonce => f.write_str("no logout token: it has a nonce, as an ID token has"),
            LogoutTokenError::NoIssuedAt => f.write_str("the logout token has no iat"),
            LogoutTokenError::NamesNobody => f.write_str("the logout token has neither sid nor sub"),
            LogoutTokenError::Claims(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LogoutTokenError {}
