//! The caller's identity, in fields that a proxy adds to the request.

use std::str::FromStr;

use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tollgate::Principal;

use crate::error::GatewayError;
use crate::internal_token::{InternalToken, UnsayableToken};
use crate::limits::MAX_IDENTITY_BYTES;

/// The part of a principal in an identity field.
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
    /// The claim at this JSON Pointer (RFC 6901): a string, number or boolean, or an array of these, separated by commas.
    Claim(Box<str>),
}

/// A text that names no part of a principal.
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

/// The identity fields of a gateway. Each is in every answer that lets a request pass, even if it is empty: a proxy that
/// copies them into the request then overwrites those of the client.
#[derive(Clone, Debug)]
pub(crate) struct IdentityFields {
    fields: Vec<(HeaderName, Identity)>,
    token: Option<InternalToken>,
}

impl Default for IdentityFields {
    fn default() -> Self {
        let fields = vec![
            (HeaderName::from_static("x-auth-request-user"), Identity::Subject),
            (HeaderName::from_static("x-auth-request-issuer"), Identity::Issuer),
            (HeaderName::from_static("x-auth-request-client"), Identity::ClientId),
            (HeaderName::from_static("x-auth-request-scopes"), Identity::Scopes),
            (HeaderName::from_static("x-auth-request-kind"), Identity::Kind),
        ];
        IdentityFields { fields, token: None }
    }
}

/// Checks the name of an identity field.
pub(crate) fn check_field(name: &str) -> Result<HeaderName, GatewayError> {
    const TAKEN: [HeaderName; 7] =
        [AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, TRANSFER_ENCODING];
    let field = HeaderName::try_from(name).ok().filter(|field| !TAKEN.contains(field));
    field.ok_or_else(|| GatewayError::InvalidField { name: name.into() })
}

impl IdentityFields {
    /// Without the default fields.
    pub(crate) fn clear(&mut self) {
        self.fields.clear();
    }

    pub(crate) fn add(&mut self, name: &str, identity: Identity) -> Result<(), GatewayError> {
        let field = check_field(name)?;
        if self.fields.iter().any(|(other, _)| *other == field) {
            return Err(GatewayError::FieldTwice { name: name.into() });
        }
        self.fields.push((field, identity));
        Ok(())
    }

    pub(crate) fn set_token(&mut self, token: InternalToken) {
        self.token = Some(token);
    }

    pub(crate) fn token(&self) -> Option<&InternalToken> {
        self.token.as_ref()
    }

    /// Whether all names differ.
    pub(crate) fn check(&self) -> Result<(), GatewayError> {
        let name = self.token.as_ref().map(InternalToken::field_name);
        match self.fields.iter().find(|(field, _)| Some(field) == name) {
            Some((field, _)) => Err(GatewayError::FieldTwice { name: field.to_string() }),
            None => Ok(()),
        }
    }

    /// Adds all fields to `headers`, with the values of `principal`, or empty.
    pub(crate) fn write(&self, principal: Option<&Principal>, headers: &mut HeaderMap) -> Result<(), Unsayable> {
        let of_fields = self.fields.iter().any(|(_, identity)| matches!(identity, Identity::Claim(_)));
        let reads_claims = of_fields || self.token.as_ref().is_some_and(InternalToken::reads_claims);
        let claims: Value = match principal {
            // Other credentials than tokens have no claims.
            Some(principal) if reads_claims => principal.claims().unwrap_or(Value::Null),
            _ => Value::Null,
        };
        for (name, identity) in &self.fields {
            let value = principal.map_or(Some(String::new()), |principal| identity.of(principal, &claims));
            let value = value.filter(|value| value.len() <= MAX_IDENTITY_BYTES && is_field_value(value));
            let value = value.and_then(|value| HeaderValue::try_from(value).ok());
            headers.insert(name.clone(), value.ok_or_else(|| Unsayable::Field(name.clone()))?);
        }
        if let Some(token) = &self.token {
            let value = principal.map(|principal| token.mint(principal, &claims)).transpose()?;
            headers.insert(token.field_name().clone(), value.unwrap_or(HeaderValue::from_static("")));
        }
        Ok(())
    }
}

/// A part of a principal cannot be expressed in a field, or would be ambiguous.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsayable {
    #[error(
        "what {0} should say is no field value: printable ASCII, at most {MAX_IDENTITY_BYTES} bytes, and no comma in an array's entry"
    )]
    Field(HeaderName),
    #[error(transparent)]
    Token(#[from] UnsayableToken),
}

impl Identity {
    /// Empty if the principal has none; `None` if it cannot be expressed.
    fn of(&self, principal: &Principal, claims: &Value) -> Option<String> {
        match self {
            Identity::Claim(pointer) => said(claims.pointer(pointer).unwrap_or(&Value::Null)),
            _ => Some(self.text(principal).unwrap_or_default()),
        }
    }

    /// `None` if the principal has none.
    pub(crate) fn value(&self, principal: &Principal, claims: &Value) -> Option<Value> {
        match self {
            Identity::Claim(pointer) => claims.pointer(pointer).cloned(),
            _ => self.text(principal).map(Value::String),
        }
    }

    /// For the parts that are not claims.
    fn text(&self, principal: &Principal) -> Option<String> {
        let text = match self {
            Identity::Subject => principal.subject(),
            Identity::Issuer => principal.issuer(),
            Identity::ClientId => principal.client_id(),
            Identity::CredentialId => principal.credential_id(),
            Identity::Kind => Some(principal.kind().as_str()),
            Identity::Scopes => return Some(principal.scopes().to_string()),
            Identity::Claim(_) => None,
        };
        text.map(str::to_owned)
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
                // An entry with a comma would be read as two.
                entry => said(entry).filter(|text| !text.is_empty() && !text.contains(',')),
            });
            entries.collect::<Option<Vec<_>>>().map(|entries| entries.join(","))
        }
        Value::Object(_) => None,
    }
}

/// Whether every server reads the same text: no white space that is trimmed, no characters of unknown encoding.
fn is_field_value(text: &str) -> bool {
    text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) && text.trim() == text
}
