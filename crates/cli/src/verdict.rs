//! A verdict as a line of JSON: the answer of `tollgate verify`, and the last part of that of `tollgate explain`.

use std::fmt;

use serde::Serialize;
use tollgate::{Principal, Rejection};

use crate::reason::Reason;

/// The members of a verdict.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum VerdictLine<'p> {
    Accepted(Accepted<'p>),
    Rejected(Rejected),
}

impl<'p> VerdictLine<'p> {
    pub(crate) fn of(verdict: &'p Result<Principal, Rejection>) -> Self {
        match verdict {
            Ok(principal) => VerdictLine::Accepted(Accepted { ok: true, principal: Known::from(principal) }),
            Err(rejection) => VerdictLine::Rejected(Rejected::new(rejection.into(), rejection)),
        }
    }

    /// The answer to an input without a credential, for `reason`.
    pub(crate) fn malformed(reason: Reason) -> Self {
        VerdictLine::Rejected(Rejected::new(reason, &Rejection::MalformedCredential))
    }
}

#[derive(Serialize)]
pub(crate) struct Accepted<'p> {
    ok: bool,
    pub(crate) principal: Known<'p>,
}

/// The facts of the caller.
#[derive(Serialize)]
pub(crate) struct Known<'p> {
    kind: &'static str,
    issuer: Option<&'p str>,
    subject: Option<&'p str>,
    /// Only tokens of an issuer have an audience.
    audience: Option<Vec<&'p str>>,
    scopes: Vec<&'p str>,
    client_id: Option<&'p str>,
    credential_id: Option<&'p str>,
    key_id: Option<&'p str>,
    expires_at: Option<i64>,
}

impl<'p> From<&'p Principal> for Known<'p> {
    fn from(principal: &'p Principal) -> Self {
        let is_token = principal.issuer().is_some();
        Known {
            kind: principal.kind().as_str(),
            issuer: principal.issuer(),
            subject: principal.subject(),
            audience: is_token.then(|| principal.audience().collect()),
            scopes: principal.scopes().iter().collect(),
            client_id: principal.client_id(),
            credential_id: principal.credential_id(),
            key_id: principal.key_id(),
            expires_at: principal.expires_at(),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Rejected {
    ok: bool,
    pub(crate) status: u16,
    pub(crate) error: &'static str,
    pub(crate) challenge: String,
    /// In seconds, with status 503.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
    pub(crate) detail: String,
}

impl fmt::Display for Known<'_> {
    /// For people: the members that apply.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind)?;
        let members = [
            ("issuer", self.issuer),
            ("subject", self.subject),
            ("client", self.client_id),
            ("credential", self.credential_id),
            ("key", self.key_id),
        ];
        for (name, value) in members {
            value.map_or(Ok(()), |value| write!(f, ", {name} {value:?}"))?;
        }
        write!(f, ", scopes {:?}", self.scopes)?;
        self.expires_at.map_or(Ok(()), |at| write!(f, ", expires at {at}"))
    }
}

impl Rejected {
    fn new(Reason { error, detail }: Reason, rejection: &Rejection) -> Self {
        let (status, retry_after) = (rejection.status(), rejection.retry_after());
        Rejected { ok: false, status, error, challenge: rejection.challenge().to_string(), retry_after, detail }
    }
}
