use std::collections::BTreeSet;

use crate::json::Json;

/// The correct verdict on a credential.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It is valid, with this principal.
    Accept(Box<Facts>),
    /// It is invalid, for each of these reasons, by tollgate's codes. The documentation defines no order among them,
    /// except that a signature is checked last.
    Reject(BTreeSet<&'static str>),
}

/// All fields of a principal.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// `jwt`, `api-key`, `client` or `access-token`.
    pub kind: &'static str,
    /// `iss`.
    pub issuer: Option<String>,
    /// `sub`.
    pub subject: Option<String>,
    /// The entries of `aud`.
    pub audience: Vec<String>,
    /// The scope-tokens.
    pub scopes: Vec<String>,
    /// `client_id` or `azp`.
    pub client_id: Option<String>,
    /// `jti`, or the id of the table's record.
    pub credential_id: Option<String>,
    /// The `kid` of the key.
    pub key_id: Option<String>,
    /// `exp`.
    pub expires_at: Option<i64>,
    /// All claims.
    pub claims: Option<Json>,
}

impl Verdict {
    pub(crate) fn reject(reason: &'static str) -> Self {
        Verdict::Reject(BTreeSet::from([reason]))
    }
}
