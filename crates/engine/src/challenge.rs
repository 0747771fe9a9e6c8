use std::fmt;

use crate::rejection::Rejection;

/// The value of a WWW-Authenticate header (RFC 9110 section 11.6.1): what RFC 6750 section 3 says and no more.
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
    error: Option<&'static str>,
    scope: Option<&'r str>,
}

impl<'r> Challenge<'r> {
    pub(crate) fn new(rejection: &'r Rejection) -> Self {
        let (scheme, error, scope) = match rejection {
            // RFC 6750 section 3.1: no error code for a request without authentication information.
            Rejection::MissingCredential => ("Bearer", None, None),
            Rejection::MalformedBasic | Rejection::UnknownClient => ("Basic", None, None),
            Rejection::MultipleCredentials => ("Bearer", Some("invalid_request"), None),
            Rejection::InsufficientScope { required } => ("Bearer", Some("insufficient_scope"), Some(&**required)),
            _ => ("Bearer", Some("invalid_token"), None),
        };
        Challenge { scheme, error, scope }
    }

    /// The error code of RFC 6750 section 3.1.
    #[must_use]
    pub fn error(&self) -> Option<&'static str> {
        self.error
    }
}

impl fmt::Display for Challenge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme)?;
        if self.scheme == "Basic" {
            // RFC 7617 section 2: a realm is required, and charset says how the secret is to be encoded.
            f.write_str(r#" realm="tollgate", charset="UTF-8""#)?;
        }
        if let Some(error) = self.error {
            write!(f, " error=\"{error}\"")?;
        }
        if let Some(scope) = self.scope {
            write!(f, ", scope=\"{scope}\"")?;
        }
        Ok(())
    }
}
