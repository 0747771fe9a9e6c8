use std::fmt;

use crate::dpop::ProofAlgorithms;
use crate::rejection::Rejection;

/// The value of a WWW-Authenticate header (RFC 9110 section 11.6.1): what RFC 6750 section 3 says and no more.
///
/// It is one line of printable ASCII, whatever the rejection holds: one that a program made by hand splits no header.
///
/// ```
/// use tollgate::Rejection;
///
/// assert_eq!(Rejection::MissingCredential.challenge().to_string(), "Bearer");
/// assert_eq!(Rejection::BadSignature.challenge().to_string(), r#"Bearer error="invalid_token""#);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Challenge<'r> {
    scheme: &'static str,
    realm: Option<&'r str>,
    error: Option<&'static str>,
    scope: Option<&'r str>,
    algorithms: Option<ProofAlgorithms>,
}

impl<'r> Challenge<'r> {
    pub(crate) fn new(rejection: &'r Rejection) -> Self {
        if let Rejection::Dpop { cause, challenge } = rejection {
            let own = Self::new(cause);
            return Challenge { scheme: DPOP, algorithms: Some(challenge.algorithms), ..own };
        }
        let (scheme, error, scope) = match rejection {
            Rejection::Proof(error) => (DPOP, Some(error.challenge_code()), None),
            // RFC 6750 section 3.1: no error code where the client sent nothing, or used a method that is not supported. Nor
            // has it one for a credential that is good from another address.
            Rejection::MissingCredential
            | Rejection::UnsupportedScheme
            | Rejection::MethodNotAccepted
            | Rejection::AddressRequired
            | Rejection::AddressNotAllowed { .. } => (BEARER, None, None),
            Rejection::MalformedBasic | Rejection::UnknownClient | Rejection::Client { .. } => (BASIC, None, None),
            // The fault is the program's: there is nothing that the client could do better.
            Rejection::InvalidScopeRequirement { .. }
            | Rejection::InvalidRequirement { .. }
            | Rejection::ValidatorPanicked
            | Rejection::ObserverPanicked => (BEARER, None, None),
            // Nor does it know whether there is anything wrong with the credential.
            Rejection::Unavailable { .. } => (BEARER, None, None),
            Rejection::Refused(refusal) if refusal.status() == 503 => (BEARER, None, None),
            // "The request requires higher privileges than provided by the access token": of which kind is not the client's.
            Rejection::RequirementNotMet { .. } => (BEARER, Some("insufficient_scope"), None),
            Rejection::Refused(refusal) if refusal.status() == 403 => (BEARER, Some("insufficient_scope"), None),
            Rejection::MultipleCredentials
            | Rejection::MultipleCertificates
            | Rejection::MalformedCertificate { .. } => (BEARER, Some("invalid_request"), None),
            Rejection::InsufficientScope { required } => (BEARER, Some("insufficient_scope"), Some(&**required)),
            _ => (BEARER, Some("invalid_token"), None),
        };
        // RFC 7617 section 2: Basic requires a realm.
        let realm = if scheme == BASIC { Some("tollgate") } else { None };
        Challenge { scheme, realm, error, scope, algorithms: None }
    }

    /// Names the part of the server that is protected (RFC 9110 section 11.5). What is no printable ASCII is shown as `?`.
    ///
    /// ```
    /// use tollgate::Rejection;
    ///
    /// let challenge = Rejection::BadSignature.challenge().with_realm("sites").to_string();
    /// assert_eq!(challenge, r#"Bearer realm="sites", error="invalid_token""#);
    /// ```
    #[must_use]
    pub fn with_realm(self, realm: &'r str) -> Self {
        Challenge { realm: Some(realm), ..self }
    }

    /// The authentication scheme: `Bearer`, `DPoP` or `Basic`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// The error code of RFC 6750 section 3.1, or of RFC 9449 section 7.1.
    #[must_use]
    pub fn error(&self) -> Option<&'static str> {
        self.error
    }
}

impl fmt::Display for Challenge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme)?;
        let mut separator = " ";
        if let Some(realm) = self.realm {
            write!(f, "{separator}realm=\"{}\"", Quoted(realm))?;
            separator = ", ";
        }
        if self.scheme == BASIC {
            // RFC 7617 section 2.1: how the client is to encode the secret.
            write!(f, r#"{separator}charset="UTF-8""#)?;
        }
        if let Some(error) = self.error {
            write!(f, "{separator}error=\"{error}\"")?;
        }
        if let Some(scope) = self.scope {
            write!(f, ", scope=\"{}\"", ScopeList(scope))?;
        }
        if let Some(algorithms) = self.algorithms {
            // Both behind `error`, which a challenge of DPoP has unless it is to a method that is not accepted.
            write!(f, "{}algs=\"{algorithms}\"", if self.error.is_some() { ", " } else { separator })?;
        }
        Ok(())
    }
}

const BEARER: &str = "Bearer";
const DPOP: &str = "DPoP";
const BASIC: &str = "Basic";

/// The value of `scope`: RFC 6750 section 3 allows the characters of scope-tokens and spaces. Others, which only a
/// rejection made by hand can hold, are shown as `?`.
struct ScopeList<'a>(&'a str);

impl fmt::Display for ScopeList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            ' '..='!' | '#'..='[' | ']'..='~' => write!(f, "{character}"),
            _ => f.write_str("?"),
        })
    }
}

/// What stands between the quotes of a quoted-string (RFC 9110 section 5.6.4).
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '"' | '\\' => write!(f, "\\{character}"),
            ' '..='~' => write!(f, "{character}"),
            _ => f.write_str("?"),
        })
    }
}
