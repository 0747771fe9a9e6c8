//! Explains a verification step by step, to find the cause of a rejection.
//!
//! Each step calls a check of a verify without the cache, in the same order, and adds the compared values. The verdict
//! is not decided here: it is the verify's, and the steps end at it.

mod jwt;
mod known;
mod text;

use std::fmt::{self, Display};

use crate::clock::Now;
use crate::credential::{Credential, CredentialKind};
use crate::engine::Engine;
use crate::excerpt::Brief;
use crate::limits::MAX_STEP_CHARACTERS;
use crate::principal::{Principal, PrincipalKind};
use crate::rejection::Rejection;
use crate::request::{Presented, Request};
use crate::unavailable::Unavailable;

pub(crate) use text::{at, list, quoted};

/// The outcome of an [`ExplainedStep`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StepOutcome {
    /// The check has passed.
    Passed,
    /// The credential is rejected by this check, the last step.
    Failed,
    /// Nothing was checked, or the result does not decide.
    Noted,
}

impl StepOutcome {
    /// `passed`, `failed` or `noted`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            StepOutcome::Passed => "passed",
            StepOutcome::Failed => "failed",
            StepOutcome::Noted => "noted",
        }
    }
}

/// One step of a verification: see [`Engine::explain`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExplainedStep {
    name: &'static str,
    outcome: StepOutcome,
    detail: Box<str>,
}

impl ExplainedStep {
    /// The name of the check, in kebab-case: `issuer`, `aud`, `exp`, `signature` and the like.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The outcome of the check.
    #[must_use]
    pub fn outcome(&self) -> StepOutcome {
        self.outcome
    }

    /// The compared values: at most [`MAX_STEP_CHARACTERS`] characters, with unprintable ones escaped. They may name
    /// people, as the claims of a token do, but never contain a signature, an API key or a secret.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl Display for ExplainedStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.outcome.as_str(), self.name, self.detail)
    }
}

impl Engine {
    /// Explains step by step how a verify of `request` at `now`, in seconds since the Unix epoch, came to `verdict`.
    ///
    /// The steps are those of a verify without a cache hit, up to the one that fails. They change nothing: no proof of
    /// possession is spent, no issuer is asked, nothing is cached and no validator is run; if one of these decides, the
    /// last step takes it from the verdict. This costs about as much as a verify, and allocates: for a command or a
    /// page of diagnostics, not for each request.
    ///
    /// ```
    /// use tollgate::{ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord, Request, StepOutcome};
    ///
    /// let format = KeyFormat::new("tg", "live")?;
    /// let (key, table) = (ApiKey::generate(&format)?, ApiKeyTable::new(format));
    /// table.insert(&key, KeyRecord::api_key("key_1", "user_7").expires_at(1_000));
    /// let engine = Engine::builder().api_keys(table).build()?;
    ///
    /// let (request, now) = (Request::new().api_key(key.as_str()), 4_600);
    /// let verdict = engine.verify_request_at(&request, now);
    /// let steps = engine.explain(&request, verdict.as_ref(), now);
    /// let last = steps.last().expect("there is one");
    /// assert_eq!((last.name(), last.outcome()), ("exp", StepOutcome::Failed));
    /// assert_eq!(last.detail(), "expires at 1000 (1970-01-01T00:16:40Z), 1 h ago");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn explain(
        &self,
        request: &Request<'_>,
        verdict: Result<&Principal, &Rejection>,
        now: i64,
    ) -> Vec<ExplainedStep> {
        let mut walk = Walk { steps: Vec::new(), verdict };
        match (self.walk(&mut walk, request, now.into()), verdict) {
            (Ok(()), Err(told)) => walk.fail(step_of(told), told),
            (Err(found), Err(told)) if found.code() == told.code() => {}
            (Err(_), told) => {
                // Another thread has changed the engine's state since the verdict, or the verdict is about more than
                // one credential.
                walk.doubt_last();
                match told {
                    Err(told) => walk.fail(step_of(told), told),
                    Ok(_) => walk.note("verdict", "the credential was accepted before this was found"),
                }
            }
            (Ok(()), Ok(_)) => {}
        }
        walk.steps
    }

    fn walk(&self, walk: &mut Walk<'_>, request: &Request<'_>, now: Now) -> Result<(), Rejection> {
        let credential = Credential::of(request.credential, self.max_header_bytes);
        let credential = walk.check("credential", credential, |credential| match credential {
            Ok(credential) => sent(credential, request.credential, self.max_header_bytes),
            Err(rejection) => rejection.to_string(),
        })?;
        let accepted = self.accepted.and(request.accepted);
        let (credential, kinds) = walk.check("accepted", self.credential(request), |_| {
            let kinds = PrincipalKind::ALL.into_iter().filter(|kind| accepted.contains(*kind));
            let bare = if accepted.has_bare() { "with a scheme or bare" } else { "with a scheme alone" };
            let dpop = if credential.is_dpop && self.dpop.is_none() { "; DPoP is not accepted" } else { "" };
            format!("accepted here: {}, {bare}{dpop}", list(kinds.map(PrincipalKind::as_str)))
        })?;
        let sender = self.sender(request, credential.is_dpop, now);
        match credential.kind {
            CredentialKind::Jws => self.walk_jws(walk, credential.text, &sender),
            CredentialKind::ApiKey => self.walk_key(walk, credential.text, kinds, &sender),
            CredentialKind::OpaqueToken => self.walk_opaque(walk, credential.text, kinds, &sender),
            CredentialKind::Basic => self.walk_basic(walk, credential.text, &sender),
            CredentialKind::BasicUser => self.walk_basic_user(walk, credential.text, kinds, &sender),
            CredentialKind::Client => self.walk_client(walk, &[(request.client_id(), credential.text)], &sender),
        }
    }
}

/// How the credential was sent, and its kind.
fn sent(credential: &Credential<'_>, presented: Presented<'_>, max: usize) -> String {
    let (place, length) = match presented {
        Presented::ApiKey(value) => ("in the field for API keys", value.len()),
        Presented::Token(value) => ("apart from the Authorization header", value.len()),
        Presented::BasicUser(value) => ("as the user of Basic", value.len()),
        Presented::Client { id, secret } => ("from a form", id.len() + secret.len()),
        Presented::Authorization(value) if credential.is_bare => ("without a scheme", value.len()),
        Presented::Authorization(value) if credential.is_dpop => ("with DPoP", value.len()),
        Presented::Authorization(value) if matches!(credential.kind, CredentialKind::Basic) => {
            ("with Basic", value.len())
        }
        Presented::Authorization(value) => ("with Bearer", value.len()),
        Presented::Nothing | Presented::Several => ("not once", 0),
    };
    let kind = match credential.kind {
        CredentialKind::Jws => "a JWT by its form",
        CredentialKind::OpaqueToken => "no JWT by its form: an API key or an opaque token",
        CredentialKind::ApiKey => "no JWT by its form: an API key",
        CredentialKind::BasicUser => "an API key",
        CredentialKind::Basic | CredentialKind::Client => "a client's id and secret",
    };
    format!("{place}, {kind}; {length} bytes, at most {max} are read")
}

/// The steps so far, and the verdict that they lead to.
pub(crate) struct Walk<'v> {
    steps: Vec<ExplainedStep>,
    verdict: Result<&'v Principal, &'v Rejection>,
}

impl Walk<'_> {
    /// Records a check with its result. `said` describes the compared values.
    pub(crate) fn check<T>(
        &mut self,
        name: &'static str,
        checked: Result<T, Rejection>,
        said: impl FnOnce(Result<&T, &Rejection>) -> String,
    ) -> Result<T, Rejection> {
        let outcome = if checked.is_ok() { StepOutcome::Passed } else { StepOutcome::Failed };
        self.push(name, outcome, said(checked.as_ref()));
        checked
    }

    /// Records a check that cannot fail here.
    pub(crate) fn pass(&mut self, name: &'static str, detail: impl Display) {
        self.push(name, StepOutcome::Passed, detail);
    }

    pub(crate) fn note(&mut self, name: &'static str, detail: impl Display) {
        self.push(name, StepOutcome::Noted, detail);
    }

    fn fail(&mut self, name: &'static str, detail: impl Display) {
        self.push(name, StepOutcome::Failed, detail);
    }

    fn push(&mut self, name: &'static str, outcome: StepOutcome, detail: impl Display) {
        let detail = Brief(detail, MAX_STEP_CHARACTERS).to_string().into();
        self.steps.push(ExplainedStep { name, outcome, detail });
    }

    /// Notes the last step only, since its result did not decide.
    fn doubt_last(&mut self) {
        if let Some(last) = self.steps.last_mut() {
            last.outcome = StepOutcome::Noted;
        }
    }

    /// Whether the verify passed every check named `name`: it accepted, or rejected for another reason.
    pub(crate) fn has_passed(&self, name: &'static str) -> bool {
        self.verdict.err().is_none_or(|rejection| step_of(rejection) != name)
    }
}

/// The check that a rejection comes from, if the steps do not show it.
fn step_of(rejection: &Rejection) -> &'static str {
    match rejection.cause() {
        Rejection::MissingCredential
        | Rejection::HeaderTooLong { .. }
        | Rejection::MalformedCredential
        | Rejection::MalformedBasic
        | Rejection::UnsupportedScheme
        | Rejection::MultipleCredentials => "credential",
        Rejection::Refused(_) | Rejection::ValidatorPanicked => "validators",
        Rejection::ObserverPanicked => "observer",
        Rejection::InvalidStatus { .. } | Rejection::Unavailable { cause: Unavailable::NoStatusList { .. }, .. } => {
            "status-list"
        }
        Rejection::Unavailable { cause: Unavailable::StaleRevocations { .. }, .. } => "freshness",
        Rejection::Unavailable { cause: Unavailable::ReplayStore, .. } => "sender",
        Rejection::InactiveToken { .. } | Rejection::Unavailable { .. } => "introspection",
        Rejection::CertificateRequired
        | Rejection::WrongCertificate
        | Rejection::MultipleCertificates
        | Rejection::MalformedCertificate { .. }
        | Rejection::SenderConstrained { .. }
        | Rejection::Proof(_) => "sender",
        Rejection::EmptyConfirmation | Rejection::InvalidConfirmation { .. } => "cnf",
        Rejection::WrongAudience { .. } => "aud",
        Rejection::Expired { .. } => "exp",
        Rejection::NotYetValid { .. } => "nbf",
        Rejection::Revoked => "revocations",
        Rejection::MissingClaim { .. } | Rejection::InvalidClaim { .. } | Rejection::WrongClaim { .. } => "claims",
        Rejection::InsufficientScope { .. } | Rejection::RequirementNotMet { .. } => "requirements",
        _ => "verdict",
    }
}
