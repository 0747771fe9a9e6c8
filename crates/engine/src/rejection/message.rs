//! The text of a rejection, for the server's own log.

use std::fmt;

use tollgate_jwt::{UnverifiedText, excerpt};

use super::Rejection;
use crate::excerpt::Brief;

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every text is quoted, escaped and cut to an excerpt, whoever made this rejection.
        match self {
            Rejection::MissingCredential => f.write_str("there is no credential"),
            Rejection::HeaderTooLong { length, max } => {
                write!(f, "the header is {length} bytes long; at most {max} are taken")
            }
            Rejection::MalformedCredential => f.write_str("the header has the form of no credential"),
            Rejection::MalformedBasic => f.write_str("the Basic credentials are not base64 of id:secret"),
            Rejection::UnsupportedScheme => {
                f.write_str("the authentication scheme is none that is accepted: Bearer, DPoP, Basic")
            }
            Rejection::MultipleCredentials => f.write_str("the request carries more than one credential"),
            Rejection::CredentialNotAccepted | Rejection::MethodNotAccepted => {
                f.write_str("this kind of credential is not accepted here")
            }
            Rejection::Token(error) => error.fmt(f),
            Rejection::AlgorithmNotAllowed => f.write_str("alg is not allowed for this issuer"),
            Rejection::TypeNotAllowed { sent, expected, issuer } => {
                let (expected, issuer) = (Brief(expected, 60), Brief(issuer, 60));
                match sent {
                    Some(sent) => write!(f, "typ is {}; tokens of {issuer} have {expected}", Brief(sent, 60)),
                    None => write!(f, "there is no typ; tokens of {issuer} have {expected}"),
                }
            }
            Rejection::MissingClaim { name } => write!(f, "the required claim {:?} is absent", excerpt(name)),
            Rejection::UnknownIssuer { issuer } => write!(f, "the issuer {issuer} is not configured"),
            Rejection::WrongAudience { sent, expected, issuer } => {
                let (sent, expected, issuer) = (Brief(sent, 70), Brief(AnyOf(expected), 70), Brief(issuer, 60));
                write!(f, "the audience is {sent}; of {issuer} is expected {expected}")
            }
            Rejection::InvalidClaim { claim, expected, issuer } => {
                let (claim, expected, issuer) = (Brief(claim, 60), Brief(expected, 80), Brief(issuer, 60));
                write!(f, "the claim {claim} is not {expected}, as it has to be in tokens of {issuer}")
            }
            Rejection::TooManyEntries { claim, entries, max, issuer } => {
                let (claim, issuer) = (Brief(claim, 60), Brief(issuer, 60));
                write!(
                    f,
                    "the claim {claim} has {entries} entries; of {issuer} at most {max} are allowed (max_list_entries)"
                )
            }
            Rejection::WrongClaim { claim, sent, expected, issuer } => {
                let (claim, sent) = (Brief(claim, 50), Brief(sent, 60));
                let (expected, issuer) = (Brief(expected, 60), Brief(issuer, 50));
                write!(f, "the claim {claim} is {sent}; of {issuer} is expected {expected}")
            }
            Rejection::Refused(refusal) => write!(f, "{}", Brief(refusal.detail(), 200)),
            Rejection::ValidatorPanicked => f.write_str("a validator of the token's issuer panicked"),
            Rejection::ObserverPanicked => f.write_str("the engine's observer panicked"),
            Rejection::SenderConstrained { member } => {
                write!(f, "the token is bound to its sender by the member {member} of cnf, which is not checked here")
            }
            Rejection::EmptyConfirmation => f.write_str("cnf is empty: it does not say what the token is bound to"),
            Rejection::InvalidConfirmation { member } => {
                write!(f, "the member {member:?} of cnf is not the base64url of a SHA-256")
            }
            Rejection::CertificateRequired => {
                f.write_str("the token is bound to a client certificate, and the request has none")
            }
            Rejection::WrongCertificate => {
                f.write_str("the client's certificate is not the one that the token is bound to")
            }
            Rejection::MultipleCertificates => f.write_str("the request names more than one client certificate"),
            Rejection::MalformedCertificate { field } => {
                write!(f, "the field {} does not name a client certificate as it should", field.as_str())
            }
            Rejection::Expired { expired_at, now } => write!(f, "expired at {expired_at}; it is {now}"),
            Rejection::NotYetValid { not_before, now } => write!(f, "not valid before {not_before}; it is {now}"),
            Rejection::UnknownKey { kid: Some(kid) } => write_missing(f, Some(kid)),
            Rejection::UnknownKey { kid: None } => f.write_str("the issuer has no key for a token without kid"),
            Rejection::KeyNotAdmitted { kid, issuer, key_use, key_issuer } => {
                f.write_str("the key ")?;
                kid.as_ref().map_or(Ok(()), |kid| write!(f, "{} ", Brief(kid, 50)))?;
                write!(f, "is not for tokens of {}", Brief(issuer, 80))?;
                match (key_issuer, key_use) {
                    (Some(name), _) => write!(f, ", but of {}", Brief(format_args!("{name:?}"), 80)),
                    (None, Some(key_use)) => write!(f, ": its use is {}", Brief(format_args!("{key_use:?}"), 50)),
                    (None, None) => f.write_str(": it has no use"),
                }
            }
            Rejection::AmbiguousKey { kid, has_thumbprint, candidates, max } => {
                if *has_thumbprint {
                    f.write_str("the issuer has no key with the thumbprint that the header names")?;
                } else {
                    write_missing(f, kid.as_ref())?;
                }
                write!(f, ", and {candidates} keys would have to be tried; at most {max} are")
            }
            Rejection::AlgorithmMismatch { header, key } => {
                write!(f, "the header's alg is {header}, and the key is for {key}")
            }
            Rejection::MalformedSignature => f.write_str("the signature does not have the form of one"),
            Rejection::BadSignature => f.write_str("the signature does not verify"),
            Rejection::NoKeyVerifies { kid, tried } => {
                write_missing(f, kid.as_ref())?;
                match tried {
                    1 => f.write_str(", and the one key tried does not verify it"),
                    tried => write!(f, ", and none of the {tried} keys tried verifies it"),
                }
            }
            Rejection::Revoked => f.write_str("revoked"),
            Rejection::Disabled => f.write_str("disabled"),
            Rejection::AddressRequired => {
                f.write_str("the key may be used from certain addresses only, and the client's is not known")
            }
            Rejection::AddressNotAllowed { address } => write!(f, "the key may not be used from {address}"),
            Rejection::MalformedApiKey => f.write_str("not a well-formed API key"),
            Rejection::UnknownApiKey => f.write_str("no such API key"),
            Rejection::UnknownClient => f.write_str("no such client, or another client's secret"),
            Rejection::Client { cause } => write!(f, "the client's secret: {cause}"),
            Rejection::InvalidStatus { status: Some(status), issuer } => {
                write!(f, "its status in the list of {} is {status}", Brief(issuer, 120))
            }
            Rejection::InvalidStatus { status: None, issuer } => {
                write!(f, "the status list of {} has no entry for it", Brief(issuer, 120))
            }
            Rejection::InactiveToken { issuer } => {
                write!(f, "{} says that the token is not active", Brief(issuer, 120))
            }
            Rejection::Unavailable { cause, .. } => cause.fmt(f),
            Rejection::Proof(error) => error.fmt(f),
            Rejection::Dpop { cause, .. } => cause.fmt(f),
            Rejection::InsufficientScope { required } => write!(f, "the scope {:?} is required", excerpt(required)),
            Rejection::RequirementNotMet { requirement } => {
                write!(f, "the caller does not meet what is required: {}", Brief(requirement, 200))
            }
            Rejection::InsufficientAuthentication { acr_values, max_age } => {
                f.write_str("the user has to log in again")?;
                max_age.map_or(Ok(()), |seconds| write!(f, ", at most {seconds} s before"))?;
                let is_any = acr_values.is_empty();
                if is_any { Ok(()) } else { write!(f, ", with an acr of {:?}", excerpt(acr_values)) }
            }
            Rejection::UnexpectedClaims { error } => error.fmt(f),
            Rejection::CrossSiteRequest => f.write_str("the cookie may have been sent by a page of another site"),
            Rejection::InvalidRequirement { error } => write!(f, "nobody can meet what the program requires: {error}"),
            Rejection::InvalidScopeRequirement { required } => {
                write!(f, "the program requires {:?}, which is not one or more scope-tokens", excerpt(required))
            }
        }
    }
}

/// Says why no key is chosen.
fn write_missing(f: &mut fmt::Formatter<'_>, kid: Option<&UnverifiedText>) -> fmt::Result {
    match kid {
        Some(kid) => write!(f, "the issuer has no key with the kid {kid}"),
        None => f.write_str("the token has no kid"),
    }
}

/// Alternative names.
struct AnyOf<'a>(&'a [Box<str>]);

impl fmt::Display for AnyOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            write!(f, "{}{name:?}", if index > 0 { " or " } else { "" })?;
        }
        Ok(())
    }
}
