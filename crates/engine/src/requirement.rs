//! What a route requires of its caller.

use std::fmt;

use tollgate_jwt::is_scope_token;

use crate::issuer::{ClaimPath, Expected, InvalidClaimPath};
use crate::principal::{Principal, PrincipalKind};
use crate::rejection::Rejection;

/// What a caller has to be or to have, beyond being known: scopes, a kind of credential, an issuer, values of claims, and all
/// or any of several such.
///
/// A requirement is made once and held against each [`Principal`] with [`Principal::require`]. One that nobody could meet, or
/// that everybody would, is met by nobody: an empty [`all`](Requirement::all) or [`any`](Requirement::any), and a text
/// that is no scope-token. [`Requirement::check`] finds such a fault when the program starts.
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
    Claim { path: Result<ClaimPath, InvalidClaimPath>, expected: Expected },
    All(Vec<Requirement>),
    Any(Vec<Requirement>),
}

impl Requirement {
    /// The credential carries `scope`, which is one scope-token (RFC 6749 section 3.3).
    #[must_use]
    pub fn scope(scope: &str) -> Self {
        Requirement(Node::Scope(scope.into()))
    }

    /// The caller is known by this kind of credential.
    #[must_use]
    pub fn kind(kind: PrincipalKind) -> Self {
        Requirement(Node::Kind(kind))
    }

    /// The token is from the issuer `name`. What the table holds has no issuer.
    #[must_use]
    pub fn issuer(name: &str) -> Self {
        Requirement(Node::Issuer(name.into()))
    }

    /// The claim at `path`, a name or a JSON Pointer that begins with `/`, has a value that is expected, or holds one where it
    /// is an array. What the table holds has no claims.
    ///
    /// The claims are decoded each time, which takes longer than a look at a scope: a claim that every token of an issuer has
    /// to have is better [expected](crate::Issuer::expect_claim), and one whose values are names better
    /// [taken for scopes](crate::Issuer::prefixed_scope_claim).
    #[must_use]
    pub fn claim(path: &str, expected: impl Into<Expected>) -> Self {
        Requirement(Node::Claim { path: path.parse(), expected: expected.into() })
    }

    /// Every one of `requirements`, at least one, is met.
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
            Node::All(parts) | Node::Any(parts) if parts.is_empty() => Err(InvalidRequirement::Empty),
            Node::All(parts) | Node::Any(parts) => parts.iter().try_for_each(Requirement::check),
            _ => Ok(()),
        }
    }

    fn is_met_by(&self, principal: &Principal) -> bool {
        match &self.0 {
            // What is granted is scope-tokens, so that no other text is among them.
            Node::Scope(scope) => principal.scopes().contains(scope),
            Node::Kind(kind) => principal.kind() == *kind,
            Node::Issuer(name) => principal.issuer() == Some(name),
            Node::Claim { path: Ok(path), expected } => principal.has_claim(path, expected),
            Node::Claim { path: Err(_), .. } => false,
            Node::All(parts) => !parts.is_empty() && parts.iter().all(|part| part.is_met_by(principal)),
            Node::Any(parts) => parts.iter().any(|part| part.is_met_by(principal)),
        }
    }

    /// Puts into `scopes` those with which the caller would meet this; `false` where no scope would help.
    fn helpful_scopes<'r>(&'r self, principal: &Principal, scopes: &mut Vec<&'r str>) -> bool {
        let before = scopes.len();
        let would_help = match &self.0 {
            Node::Scope(scope) => {
                scopes.push(scope);
                is_scope_token(scope)
            }
            Node::All(parts) => !parts.is_empty() && parts.iter().all(|part| part.helpful_scopes(principal, scopes)),
            Node::Any(parts) => match parts.iter().find(|part| part.is_met_by(principal)) {
                Some(met) => met.helpful_scopes(principal, scopes),
                // Every one that could be met: which of them a client can get is not known here.
                None => parts.iter().filter(|part| part.helpful_scopes(principal, scopes)).count() > 0,
            },
            _ => self.is_met_by(principal),
        };
        if !would_help {
            scopes.truncate(before);
        }
        would_help
    }

    #[cold]
    fn rejection(&self, principal: &Principal) -> Rejection {
        let mut scopes = Vec::new();
        if self.helpful_scopes(principal, &mut scopes) {
            let mut seen: Vec<&str> = Vec::with_capacity(scopes.len());
            for scope in scopes {
                if !seen.contains(&scope) {
                    seen.push(scope);
                }
            }
            return Rejection::InsufficientScope { required: seen.join(" ").into() };
        }
        match self.check() {
            Err(error) => Rejection::InvalidRequirement { error },
            Ok(()) => Rejection::RequirementNotMet { requirement: crate::excerpt::excerpt_of(self) },
        }
    }
}

impl Principal {
    /// Passes when the caller meets `requirement`.
    ///
    /// # Errors
    /// [`Rejection::InsufficientScope`] with the scopes that would help, where scopes would; otherwise
    /// [`Rejection::RequirementNotMet`]: both to be answered with 403. [`Rejection::InvalidRequirement`], to be answered with
    /// 500, where the fault is the program's.
    pub fn require(&self, requirement: &Requirement) -> Result<(), Rejection> {
        if requirement.is_met_by(self) { Ok(()) } else { Err(requirement.rejection(self)) }
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
        }
    }
}

/// Why a [`Requirement`] cannot be met by anybody: a fault of the program.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum InvalidRequirement {
    /// All or any of nothing, or a claim with one of no values.
    Empty,
    /// A text is no scope-token (RFC 6749 section 3.3), such as two of them in one.
    NotAScope {
        /// The text.
        text: Box<str>,
    },
    /// A text names no claim.
    ClaimPath(InvalidClaimPath),
}

impl fmt::Display for InvalidRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidRequirement::Empty => f.write_str("a requirement is empty"),
            InvalidRequirement::NotAScope { text } => {
                write!(f, "{:?} is not one scope-token", tollgate_jwt::excerpt(text))
            }
            InvalidRequirement::ClaimPath(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for InvalidRequirement {}
