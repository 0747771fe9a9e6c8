//! Who is passing, in fields that a proxy puts into the request.

use std::fmt;
use std::str::FromStr;

use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tollgate::Principal;

use crate::error::GatewayError;
use crate::limits::MAX_IDENTITY_BYTES;

/// What of a principal an identity field says.
///
/// ```
/// use tollgate_gateway::Identity;
///
/// assert_eq!("subject".parse(), Ok(Identity::Subject));
/// assert_eq!("/realm_access/roles".parse(), Ok(Identity::Claim("/realm_access/roles".into())));
/// assert!("realm_access".parse::<Identity>().is_err());
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Identity {
    /// [`Principal::subject`].
    Subject,
    /// [`Principal::issuer`].
    Issuer,
    /// [`Principal::client_id`].
    ClientId,
    /// [`Principal::scopes`], with a space between them.
    Scopes,
    /// [`Principal::kind`].
    Kind,
    /// [`Principal::credential_id`].
    CredentialId,
    /// The claim at this JSON Pointer (RFC 6901): a string, number or boolean, or an array of such with commas between them.
    Claim(Box<str>),
}

/// A text that names nothing of a principal.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "expected subject, issuer, client_id, scopes, kind, credential_id, or a claim as a JSON Pointer such as /email"
)]
pub struct InvalidIdentity;

impl FromStr for Identity {
    type Err = InvalidIdentity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "subject" => Identity::Subject,
            "issuer" => Identity::Issuer,
            "client_id" => Identity::ClientId,
            "scopes" => Identity::Scopes,
            "kind" => Identity::Kind,
            "credential_id" => Identity::CredentialId,
            _ if text.starts_with('/') => Identity::Claim(text.into()),
            _ => return Err(InvalidIdentity),
        })
    }
}

/// The identity fields of a gateway. Each is in every answer that lets a request pass, also where it is empty: a proxy
/// that puts them into the request then overwrites what the client sent of them.
#[derive(Clone, Debug)]
pub(crate) struct IdentityFields(Vec<(HeaderName, Identity)>);

impl Default for IdentityFields {
    fn default() -> Self {
        IdentityFields(vec![
            (HeaderName::from_static("x-auth-request-user"), Identity::Subject),
            (HeaderName::from_static("x-auth-request-issuer"), Identity::Issuer),
            (HeaderName::from_static("x-auth-request-client"), Identity::ClientId),
            (HeaderName::from_static("x-auth-request-scopes"), Identity::Scopes),
            (HeaderName::from_static("x-auth-request-kind"), Identity::Kind),
        ])
    }
}

impl IdentityFields {
    pub(crate) fn none() -> Self {
        IdentityFields(Vec::new())
    }

    pub(crate) fn add(&mut self, name: &str, identity: Identity) -> Result<(), GatewayError> {
        const TAKEN: [HeaderName; 7] =
            [AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, TRANSFER_ENCODING];
        let field = HeaderName::try_from(name).ok().filter(|field| !TAKEN.contains(field));
        let field = field.ok_or_else(|| GatewayError::InvalidField { name: name.into() })?;
        if self.0.iter().any(|(other, _)| *other == field) {
            return Err(GatewayError::FieldTwice { name: name.into() });
        }
        self.0.push((field, identity));
        Ok(())
    }

    /// Adds all of them to `headers`: of `principal`, or empty.
    pub(crate) fn write(&self, principal: Option<&Principal>, headers: &mut HeaderMap) -> Result<(), NotAFieldValue> {
        let reads_claims = self.0.iter().any(|(_, identity)| matches!(identity, Identity::Claim(_)));
        let claims: Value = match principal {
            // What is no token has no claims.
            Some(principal) if reads_claims => principal.claims().unwrap_or(Value::Null),
            _ => Value::Null,
        };
        for (name, identity) in &self.0 {
            let value = principal.map_or(Some(String::new()), |principal| identity.of(principal, &claims));
            let value = value.filter(|value| value.len() <= MAX_IDENTITY_BYTES && is_field_value(value));
            let value = value.and_then(|value| HeaderValue::try_from(value).ok());
            headers.insert(name.clone(), value.ok_or_else(|| NotAFieldValue(name.clone()))?);
        }
        Ok(())
    }
}

/// What a field should say of a principal cannot be said in it, or could be read as something else.
#[derive(Debug)]
pub(crate) struct NotAFieldValue(HeaderName);

impl fmt::Display for NotAFieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "what {} should say is no field value: printable ASCII, at most {MAX_IDENTITY_BYTES} bytes, and no comma in an array's entry",
            self.0
        )
    }
}

impl Identity {
    /// Empty where the principal has none; `None` where it cannot be said.
    fn of(&self, principal: &Principal, claims: &Value) -> Option<String> {
        let text = match self {
            Identity::Subject => principal.subject(),
            Identity::Issuer => principal.issuer(),
            Identity::ClientId => principal.client_id(),
            Identity::CredentialId => principal.credential_id(),
            Identity::Kind => Some(principal.kind().as_str()),
            Identity::Scopes => return Some(principal.scopes().to_string()),
            Identity::Claim(pointer) => return said(claims.pointer(pointer).unwrap_or(&Value::Null)),
        };
        Some(text.unwrap_or_default().to_owned())
    }
}

fn said(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(entries) => {
            let entries = entries.iter().map(|entry| match entry {
                Value::Array(_) | Value::Null => None,
                // With one in it, one entry would be read as two.
                entry => said(entry).filter(|text| !text.is_empty() && !text.contains(',')),
            });
            entries.collect::<Option<Vec<_>>>().map(|entries| entries.join(","))
        }
        Value::Object(_) => None,
    }
}

/// Whether every server reads the same text: nothing that is trimmed, and nothing of which the encoding is not known.
fn is_field_value(text: &str) -> bool {
    text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) && text.trim() == text
}
