use std::fmt;

use crate::dpop::ProofAlgorithms;
use crate::rejection::Rejection;

/// The value of a WWW-Authenticate header (RFC 9110 section 11.6.1). It tells no more than RFC 6750 section 3 says.
///
/// The value is one line of printable ASCII whatever the rejection holds, so a rejection made by a program splits no
/// header.
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
    login: Option<(&'r str, Option<u32>)>,
    resource_metadata: Option<&'r str>,
    algorithms: Option<ProofAlgorithms>,
    rejection: &'r Rejection,
}

impl<'r> Challenge<'r> {
    pub(crate) fn new(rejection: &'r Rejection) -> Self {
        if let Rejection::Dpop { cause, challenge } = rejection {
            let own = Self::new(cause);
            return Challenge { scheme: DPOP, algorithms: Some(challenge.algorithms), rejection, ..own };
        }
        let (scheme, error, scope) = match rejection {
            Rejection::Proof(error) => (DPOP, Some(error.challenge_code()), None),
            // RFC 6750 section 3.1: no error code if the client sent nothing, or used an unsupported method. Nor if the
            // credential is valid from another address.
            Rejection::MissingCredential
            | Rejection::UnsupportedScheme
            | Rejection::MethodNotAccepted
            | Rejection::CrossSiteRequest
            | Rejection::AddressRequired
            | Rejection::AddressNotAllowed { .. } => (BEARER, None, None),
            Rejection::MalformedBasic | Rejection::UnknownClient | Rejection::Client { .. } => (BASIC, None, None),
            // The fault is the program's: the client cannot correct anything.
            Rejection::InvalidScopeRequirement { .. }
            | Rejection::InvalidRequirement { .. }
            | Rejection::ValidatorPanicked
            | Rejection::ObserverPanicked => (BEARER, None, None),
            // It is not known whether the credential is valid.
            Rejection::Unavailable { .. } => (BEARER, None, None),
            Rejection::Refused(refusal) if refusal.status() == 503 => (BEARER, None, None),
            // "The request requires higher privileges than provided by the access token"; the client is not told which.
            Rejection::RequirementNotMet { .. } | Rejection::UnexpectedClaims { .. } => {
                (BEARER, Some("insufficient_scope"), None)
            }
            Rejection::InsufficientAuthentication { .. } => (BEARER, Some("insufficient_user_authentication"), None),
            Rejection::Refused(refusal) if refusal.status() == 403 => (BEARER, Some("insufficient_scope"), None),
            Rejection::MultipleCredentials
            | Rejection::MultipleCertificates
            | Rejection::MalformedCertificate { .. } => (BEARER, Some("invalid_request"), None),
            Rejection::InsufficientScope { required } => (BEARER, Some("insufficient_scope"), Some(&**required)),
            _ => (BEARER, Some("invalid_token"), None),
        };
        // RFC 7617 section 2: Basic requires a realm.
        let realm = if scheme == BASIC { Some("tollgate") } else { None };
        let login = match rejection {
            Rejection::InsufficientAuthentication { acr_values, max_age } => Some((&**acr_values, *max_age)),
            _ => None,
        };
        Challenge { scheme, realm, error, scope, login, resource_metadata: None, algorithms: None, rejection }
    }

    /// Names the protected part of the server (RFC 9110 section 11.5). Characters other than printable ASCII are shown
    /// as `?`.
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

    /// Adds the `https` URL of the resource's metadata, from which clients learn whose tokens it accepts (RFC 9728
    /// section 5.1). `Basic` has no such parameter.
    ///
    /// ```
    /// use tollgate::Rejection;
    ///
    /// let metadata = "https://api.example.com/.well-known/oauth-protected-resource";
    /// let challenge = Rejection::MissingCredential.challenge().with_resource_metadata(metadata).to_string();
    /// assert_eq!(challenge, format!(r#"Bearer resource_metadata="{metadata}""#));
    /// ```
    #[must_use]
    pub fn with_resource_metadata(self, url: &'r str) -> Self {
        Challenge { resource_metadata: Some(url).filter(|_| self.scheme != BASIC), ..self }
    }

    /// The header fields of the response to the rejection, with names in lower case: `www-authenticate`, unless the
    /// status is 500 or 503, `dpop-nonce` and `retry-after`. Values are printable ASCII.
    ///
    /// ```
    /// use tollgate::Rejection;
    ///
    /// let fields: Vec<_> = Rejection::BadSignature.challenge().with_realm("sites").fields().collect();
    /// assert_eq!(fields, [("www-authenticate", r#"Bearer realm="sites", error="invalid_token""#.to_owned())]);
    /// ```
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, String)> + use<> {
        // With status 500 or 503, another credential would not help.
        let challenge = (self.rejection.status() < 500).then(|| ("www-authenticate", self.to_string()));
        // RFC 9449 section 9.1. A nonce is base64url, unless a program made the rejection.
        let nonce = self.rejection.dpop_nonce().map(|nonce| ("dpop-nonce", Quoted(nonce).to_string()));
        let retry_after = self.rejection.retry_after().map(|seconds| ("retry-after", seconds.to_string()));
        [challenge, nonce, retry_after].into_iter().flatten()
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
            // RFC 7617 section 2.1: how the client encodes the secret.
            write!(f, r#"{separator}charset="UTF-8""#)?;
        }
        if let Some(error) = self.error {
            write!(f, "{separator}error=\"{error}\"")?;
        }
        if let Some(scope) = self.scope {
            write!(f, ", scope=\"{}\"", ScopeList(scope))?;
        }
        if let Some((acr_values, max_age)) = self.login {
            if !acr_values.is_empty() {
                write!(f, ", acr_values=\"{}\"", ScopeList(acr_values))?;
            }
            max_age.map_or(Ok(()), |seconds| write!(f, ", max_age=\"{seconds}\""))?;
        }
        // `error`, if present, has used the first separator.
        let mut separator = if self.error.is_some() { ", " } else { separator };
        if let Some(algorithms) = self.algorithms {
            write!(f, "{separator}algs=\"{algorithms}\"")?;
            separator = ", ";
        }
        if let Some(url) = self.resource_metadata {
            write!(f, "{separator}resource_metadata=\"{}\"", Quoted(url))?;
        }
        Ok(())
    }
}

const BEARER: &str = "Bearer";
const DPOP: &str = "DPoP";
const BASIC: &str = "Basic";

/// The value of `scope`: RFC 6750 section 3 allows the characters of scope-tokens and spaces. Others, which only a
/// rejection made by a program can hold, are shown as `?`.
struct ScopeList<'a>(&'a str);

impl fmt::Display for ScopeList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            ' '..='!' | '#'..='[' | ']'..='~' => write!(f, "{character}"),
            _ => f.write_str("?"),
        })
    }
}

/// The content of a quoted-string (RFC 9110 section 5.6.4).
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
