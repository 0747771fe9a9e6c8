use std::collections::BTreeSet;

use crate::json::Json;

/// What is to be made of a credential.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It is good, and says this.
    Accept(Box<Facts>),
    /// It is not, for each of these reasons, by tollgate's codes. The documentation has no order among them but that a
    /// signature is checked last of all.
    Reject(BTreeSet<&'static str>),
}

/// All that a principal tells.
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
    /// `jti`, or the id of what the table holds.
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
