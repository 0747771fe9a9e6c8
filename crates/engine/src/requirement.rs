//! The requirements of a route for its caller.

use std::fmt;

use tollgate_jwt::is_scope_token;

use crate::clock::system_time;
use crate::issuer::{ClaimPath, Expected, InvalidClaimPath};
use crate::principal::{Principal, PrincipalKind};
use crate::rejection::Rejection;

/// A requirement for a caller, beyond a valid credential: scopes, a kind of credential, an issuer, values of claims, or
/// all or any of several requirements.
///
/// Make a requirement once, and check each [`Principal`] with [`Principal::require`]. A requirement that nobody could
/// meet, or that everybody would meet, is met by nobody: an empty [`all`](Requirement::all) or
/// [`any`](Requirement::any), or a text that is not a scope-token. [`Requirement::check`] finds such a fault when the
/// program starts.
///
/// ```
/// use tollgate::{PrincipalKind, Requirement};
///
/// let requirement = Requirement::any([
///     Requirement::scope("admin"),
///     Requirement::all([
///         Requirement::scope("read:sites"),
///         Requirement::kind(PrincipalKind::Jwt),
///         Requirement::issuer("https://auth.example.com/"),
///         Requirement::claim("/resource/tier", ["gold", "silver"]),
///     ]),
/// ]);
/// requirement.check()?;
/// assert!(Requirement::all([]).check().is_err());
/// # Ok::<(), tollgate::InvalidRequirement>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Requirement(Node);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Node {
    Scope(Box<str>),
    Kind(PrincipalKind),
    Issuer(Box<str>),
    Claim {
        path: Result<ClaimPath, InvalidClaimPath>,
        expected: Expected,
    },
    /// A login at most so many seconds ago.
    Login(u32),
    Acr(Box<[Box<str>]>),
    All(Vec<Requirement>),
    Any(Vec<Requirement>),
}

impl Requirement {
    /// The credential has `scope`, which is one scope-token (RFC 6749 section 3.3).
    #[must_use]
    pub fn scope(scope: &str) -> Self {
        Requirement(Node::Scope(scope.into()))
    }

    /// The caller's credential is of this kind.
    #[must_use]
    pub fn kind(kind: PrincipalKind) -> Self {
        Requirement(Node::Kind(kind))
    }

    /// The token is from the issuer `name`. A record of the table has no issuer.
    #[must_use]
    pub fn issuer(name: &str) -> Self {
        Requirement(Node::Issuer(name.into()))
    }

    /// The claim at `path`, a name or a JSON Pointer that begins with `/`, has an expected value, or is an array with
    /// one. A record of the table has no claims.
    ///
    /// The claims are decoded each time, which is slower than a check of scopes. A claim that every token of an issuer
    /// needs is better [expected](crate::Issuer::expect_claim), and one whose values are names is better [read as
    /// scopes](crate::Issuer::prefixed_scope_claim).
    #[must_use]
    pub fn claim(path: &str, expected: impl Into<Expected>) -> Self {
        Requirement(Node::Claim { path: path.parse(), expected: expected.into() })
    }

    /// The user logged in at most `seconds` ago (`auth_time`). Otherwise the caller is told how recent a login has to
    /// be (RFC 9470). A record of the table has no login.
    #[must_use]
    pub fn login_within(seconds: u32) -> Self {
        Requirement(Node::Login(seconds))
    }

    /// The user logged in in one of these ways (`acr`), such as `urn:example:mfa`. Otherwise the caller is told the
    /// accepted ways (RFC 9470).
    #[must_use]
    pub fn acr<A: AsRef<str>>(values: impl IntoIterator<Item = A>) -> Self {
        Requirement(Node::Acr(values.into_iter().map(|value| value.as_ref().into()).collect()))
    }

    /// All of `requirements`, at least one, are met.
    #[must_use]
    pub fn all(requirements: impl IntoIterator<Item = Requirement>) -> Self {
        Requirement(Node::All(requirements.into_iter().collect()))
    }

    /// At least one of `requirements` is met.
    #[must_use]
    pub fn any(requirements: impl IntoIterator<Item = Requirement>) -> Self {
        Requirement(Node::Any(requirements.into_iter().collect()))
    }

    /// Finds a fault of the program: a part that nobody could meet.
    ///
    /// # Errors
    /// [`InvalidRequirement`] for the first such part.
    pub fn check(&self) -> Result<(), InvalidRequirement> {
        match &self.0 {
            Node::Scope(scope) if !is_scope_token(scope) => Err(InvalidRequirement::NotAScope { text: scope.clone() }),
            Node::Claim { path: Err(error), .. } => Err(InvalidRequirement::ClaimPath(error.clone())),
            Node::Claim { expected, .. } if expected.is_empty() => Err(InvalidRequirement::Empty),
            Node::Acr(values) if values.is_empty() => Err(InvalidRequirement::Empty),
            Node::Acr(values) => match values.iter().find(|value| !is_scope_token(value)) {
                Some(text) => Err(InvalidRequirement::NotAnAcr { text: text.clone() }),
                None => Ok(()),
            },
            Node::All(parts) | Node::Any(parts) if parts.is_empty() => Err(InvalidRequirement::Empty),
            Node::All(parts) | Node::Any(parts) => parts.iter().try_for_each(Requirement::check),
            _ => Ok(()),
        }
    }

    fn is_met_by(&self, principal: &Principal, now: Now<'_>) -> bool {
        match &self.0 {
            // Granted scopes are scope-tokens, so no other text is among them.
            Node::Scope(scope) => principal.scopes().contains(scope),
            Node::Kind(kind) => principal.kind() == *kind,
            Node::Issuer(name) => principal.issuer() == Some(name),
            Node::Claim { path: Ok(path), expected } => principal.has_claim(path, expected),
            Node::Claim { path: Err(_), .. } => false,
            Node::Login(seconds) => match principal.auth_time() {
                Ok(Some(at)) => at >= now().saturating_sub(i64::from(*seconds)),
                _ => false,
            },
            Node::Acr(values) => match principal.acr() {
                Ok(Some(acr)) => is_scope_token(&acr) && values.iter().any(|value| **value == *acr),
                _ => false,
            },
            Node::All(parts) => !parts.is_empty() && parts.iter().all(|part| part.is_met_by(principal, now)),
            Node::Any(parts) => parts.iter().any(|part| part.is_met_by(principal, now)),
        }
    }

    /// Adds to `remedy` what the caller lacks; `false` if neither scopes nor another login would help.
    fn find_remedy<'r>(&'r self, principal: &Principal, now: Now<'_>, remedy: &mut Remedy<'r>) -> bool {
        let before = remedy.size();
        let would_help = match &self.0 {
            Node::Scope(scope) => {
                remedy.scopes.push(scope);
                is_scope_token(scope)
            }
            // A record of the table cannot get a login.
            Node::Login(_) | Node::Acr(_) if self.is_met_by(principal, now) => true,
            Node::Login(_) | Node::Acr(_) if principal.key_record().is_some() => false,
            Node::Login(seconds) => {
                remedy.ages.push(*seconds);
                true
            }
            Node::Acr(values) => {
                remedy.acrs.extend(values.iter().map(|value| &**value));
                self.check().is_ok()
            }
            Node::All(parts) => !parts.is_empty() && parts.iter().all(|part| part.find_remedy(principal, now, remedy)),
            Node::Any(parts) => match parts.iter().find(|part| part.is_met_by(principal, now)) {
                Some(met) => met.find_remedy(principal, now, remedy),
                // Every part that could be met: which of them a client can get is unknown here.
                None => parts.iter().filter(|part| part.find_remedy(principal, now, remedy)).count() > 0,
            },
            _ => self.is_met_by(principal, now),
        };
        if !would_help {
            remedy.truncate(before);
        }
        would_help
    }

    #[cold]
    fn rejection(&self, principal: &Principal, now: Now<'_>) -> Rejection {
        let mut remedy = Remedy::default();
        if self.find_remedy(principal, now, &mut remedy) {
            // Another login may grant other scopes, so it comes first.
            return if remedy.ages.is_empty() && remedy.acrs.is_empty() {
                Rejection::InsufficientScope { required: joined(remedy.scopes) }
            } else {
                let max_age = remedy.ages.into_iter().min();
                Rejection::InsufficientAuthentication { acr_values: joined(remedy.acrs), max_age }
            };
        }
        match self.check() {
            Err(error) => Rejection::InvalidRequirement { error },
            Ok(()) => Rejection::RequirementNotMet { requirement: crate::excerpt::excerpt_of(self) },
        }
    }
}

/// Reads the time, in seconds since the Unix epoch. Few requirements need it.
type Now<'n> = &'n dyn Fn() -> i64;

/// What a caller lacks to meet a requirement.
#[derive(Default)]
struct Remedy<'r> {
    scopes: Vec<&'r str>,
    acrs: Vec<&'r str>,
    ages: Vec<u32>,
}

impl Remedy<'_> {
    fn size(&self) -> [usize; 3] {
        [self.scopes.len(), self.acrs.len(), self.ages.len()]
    }

    fn truncate(&mut self, [scopes, acrs, ages]: [usize; 3]) {
        self.scopes.truncate(scopes);
        self.acrs.truncate(acrs);
        self.ages.truncate(ages);
    }
}

/// Each word once, in the order of first appearance.
fn joined(words: Vec<&str>) -> Box<str> {
    let mut seen: Vec<&str> = Vec::with_capacity(words.len());
    for word in words {
        if !seen.contains(&word) {
            seen.push(word);
        }
    }
    seen.join(" ").into()
}

impl Principal {
    /// Passes if the caller meets `requirement`. The age of a [login](Requirement::login_within) is measured by the
    /// system's clock.
    ///
    /// # Errors
    /// [`Rejection::InsufficientScope`] with the scopes that would help, if scopes would, to be answered with 403;
    /// [`Rejection::InsufficientAuthentication`] if another login would help, to be answered with 401; otherwise
    /// [`Rejection::RequirementNotMet`], to be answered with 403. [`Rejection::InvalidRequirement`], to be answered
    /// with 500, if the fault is the program's.
    pub fn require(&self, requirement: &Requirement) -> Result<(), Rejection> {
        self.require_by(requirement, &system_time)
    }

    /// [`Principal::require`] at a given time: `now`, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// As [`Principal::require`].
    pub fn require_at(&self, requirement: &Requirement, now: i64) -> Result<(), Rejection> {
        self.require_by(requirement, &|| now)
    }

    fn require_by(&self, requirement: &Requirement, now: Now<'_>) -> Result<(), Rejection> {
        if requirement.is_met_by(self, now) { Ok(()) } else { Err(requirement.rejection(self, now)) }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut join = |parts: &[Requirement], word: &str| {
            f.write_str("(")?;
            for (index, part) in parts.iter().enumerate() {
                f.write_str(if index > 0 { word } else { "" })?;
                part.fmt(f)?;
            }
            f.write_str(")")
        };
        match &self.0 {
            Node::All(parts) => join(parts, " and "),
            Node::Any(parts) => join(parts, " or "),
            Node::Scope(scope) => write!(f, "the scope {scope:?}"),
            Node::Kind(kind) => write!(f, "the kind {kind}"),
            Node::Issuer(name) => write!(f, "the issuer {name:?}"),
            Node::Claim { path: Ok(path), expected } => write!(f, "the claim {path} of {expected}"),
            Node::Claim { path: Err(error), .. } => error.fmt(f),
            Node::Login(seconds) => write!(f, "a login within {seconds} s"),
            Node::Acr(values) => write!(f, "an acr of {values:?}"),
        }
    }
}

/// Why nobody can meet a [`Requirement`]: a fault of the program.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum InvalidRequirement {
    /// All or any of nothing, or a claim or `acr` without expected values.
    Empty,
    /// A text is not one scope-token (RFC 6749 section 3.3), such as two of them in one.
    NotAScope {
        /// The text.
        text: Box<str>,
    },
    /// A text is not a value of `acr` that can be in a list (RFC 9470 section 3).
    NotAnAcr {
        /// The text.
        text: Box<str>,
    },
    /// A text is not the path of a claim.
    ClaimPath(InvalidClaimPath),
}

impl fmt::Display for InvalidRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidRequirement::Empty => f.write_str("a requirement is empty"),
            InvalidRequirement::NotAScope { text } => {
                write!(f, "{:?} is not one scope-token", tollgate_jwt::excerpt(text))
            }
            InvalidRequirement::NotAnAcr { text } => {
                write!(f, "{:?} is no value of acr without spaces and quotes", tollgate_jwt::excerpt(text))
            }
            InvalidRequirement::ClaimPath(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for InvalidRequirement {}
