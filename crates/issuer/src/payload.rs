//! A token's claims, in the order in which they are written.

use std::borrow::Cow;

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;
use tollgate_jwt::limits::{MAX_JSON_MEMBERS, MAX_JSON_NESTING, MAX_LIST_ENTRIES};

use crate::{error::IssuerError, text};

/// The claims that have a method of their own (RFC 7519 section 4.1, RFC 8693 sections 4.2 and 4.3).
const TYPED: [&str; 9] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope"];

#[derive(Clone, Debug)]
pub(crate) struct Payload<'a> {
    issuer: &'a str,
    pub(crate) subject: Option<Cow<'a, str>>,
    pub(crate) audience: Vec<Cow<'a, str>>,
    pub(crate) issued_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) not_before: Option<i64>,
    pub(crate) jti: Option<Cow<'a, str>>,
    pub(crate) client_id: Option<Cow<'a, str>>,
    pub(crate) scope: Option<Cow<'a, str>>,
    pub(crate) further: Vec<(Cow<'a, str>, Value)>,
}

impl<'a> Payload<'a> {
    pub(crate) fn new(issuer: &'a str) -> Self {
        Self {
            issuer,
            subject: None,
            audience: Vec::new(),
            issued_at: 0,
            expires_at: 0,
            not_before: None,
            jti: None,
            client_id: None,
            scope: None,
            further: Vec::new(),
        }
    }

    /// Checks that verifiers accept the texts of the typed claims.
    pub(crate) fn check_texts(&self) -> Result<(), IssuerError> {
        let single = [("sub", &self.subject), ("jti", &self.jti), ("client_id", &self.client_id)];
        for (name, value) in single {
            if let Some(value) = value {
                text::check(name, value)?;
            }
        }
        for audience in &self.audience {
            text::check("aud", audience)?;
        }
        if self.audience.len() > MAX_LIST_ENTRIES {
            return Err(IssuerError::InvalidClaim { name: "aud" });
        }
        match &self.scope {
            Some(scope) if !text::is_scope(scope) => Err(IssuerError::InvalidClaim { name: "scope" }),
            _ => Ok(()),
        }
    }

    /// Checks the other claims. A name given twice would be a duplicate member (RFC 7519 section 4).
    pub(crate) fn check_further(&self) -> Result<(), IssuerError> {
        for (index, (name, value)) in self.further.iter().enumerate() {
            if TYPED.contains(&name.as_ref()) {
                return Err(IssuerError::RegisteredClaim { name: name.to_string() });
            }
            if self.further[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(IssuerError::DuplicateClaim { name: name.to_string() });
            }
            // The claims are members of one object, which is the first level.
            if TYPED.len() + index >= MAX_JSON_MEMBERS || !is_readable(value, MAX_JSON_NESTING - 1) {
                return Err(IssuerError::UnreadableClaim { name: name.to_string() });
            }
        }
        Ok(())
    }

    /// RFC 9068 section 2.2; `iss`, `exp`, `iat` and `jti` are always present.
    pub(crate) fn check_access_token(&self) -> Result<(), IssuerError> {
        let missing = |name| Err(IssuerError::MissingClaim { name });
        if self.subject.is_none() {
            return missing("sub");
        }
        if self.audience.is_empty() {
            return missing("aud");
        }
        if self.client_id.is_none() {
            return missing("client_id");
        }
        Ok(())
    }

    pub(crate) fn to_json(&self) -> Result<Vec<u8>, IssuerError> {
        serde_json::to_vec(self).map_err(|_| IssuerError::SigningFailed)
    }
}

impl Serialize for Payload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("iss", self.issuer)?;
        if let Some(subject) = &self.subject {
            map.serialize_entry("sub", subject)?;
        }
        match self.audience.as_slice() {
            [] => {}
            [one] => map.serialize_entry("aud", one)?,
            several => map.serialize_entry("aud", several)?,
        }
        map.serialize_entry("exp", &self.expires_at)?;
        if let Some(not_before) = &self.not_before {
            map.serialize_entry("nbf", not_before)?;
        }
        map.serialize_entry("iat", &self.issued_at)?;
        if let Some(jti) = &self.jti {
            map.serialize_entry("jti", jti)?;
        }
        if let Some(client_id) = &self.client_id {
            map.serialize_entry("client_id", client_id)?;
        }
        if let Some(scope) = &self.scope {
            map.serialize_entry("scope", scope)?;
        }
        for (name, value) in &self.further {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Whether tollgate-jwt accepts `value` with at most `levels` levels of arrays and objects.
fn is_readable(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| is_readable(item, levels - 1)),
        Value::Object(members) => {
            let fits = levels > 0 && members.len() <= MAX_JSON_MEMBERS;
            fits && members.values().all(|member| is_readable(member, levels - 1))
        }
        _ => true,
    }
}
