mod message;

use std::net::IpAddr;
use std::sync::Arc;

use tollgate_jwt::{Header, ParseError, StringList, UnverifiedText, excerpt};
use tollgate_keys::{Algorithm, KeyPurpose, KeySet, VerifyError};

use crate::certificate_field::CertificateField;
use crate::challenge::Challenge;
use crate::claims::ClaimsError;
use crate::dpop::{ProofAlgorithms, ProofError};
use crate::excerpt::{excerpt_list, excerpt_of};
use crate::issuer::{ClaimPath, Expected, TypProfile};
use crate::limits::RETRY_AFTER_SECONDS;
use crate::requirement::InvalidRequirement;
use crate::status_lists::MissingStatusList;
use crate::unavailable::Unavailable;
use crate::validator::Refusal;

/// Why a credential was not accepted.
///
/// The variant and its data are for the server's own logs; [`status`](Rejection::status) and
/// [`challenge`](Rejection::challenge) are what may leave the process (RFC 6750 section 3.1).
///
/// Both formatters show text that came from the credential as an [excerpt](UnverifiedText), escaped: a message has at most
/// 256 characters, whatever was sent.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Rejection {
    /// There is no credential.
    MissingCredential,
    /// The header is longer than the limit; nothing of it was looked at. Both figures in bytes.
    HeaderTooLong {
        /// The header's length.
        length: usize,
        /// The limit.
        max: usize,
    },
    /// The header does not have the form of any credential.
    MalformedCredential,
    /// `Basic` credentials that are not canonical base64 of `id:secret` (RFC 7617 section 2).
    MalformedBasic,
    /// An authentication scheme other than `Bearer`, `Basic` and, where the engine takes proofs, `DPoP`.
    UnsupportedScheme,
    /// More than one credential in one request (RFC 6750 section 2).
    MultipleCredentials,
    /// A token with `Bearer` of a kind that the engine or the route does not accept
    /// ([`AcceptedCredentials`](crate::AcceptedCredentials)), or that the engine was given nothing to check against.
    CredentialNotAccepted,
    /// As [`CredentialNotAccepted`](Rejection::CredentialNotAccepted), for what was not sent with `Bearer`: `Basic`
    /// credentials, a bare value, or one in the API keys' own header. The challenge then has no error code.
    MethodNotAccepted,
    /// The token's syntax, or what its header asks for.
    Token(ParseError),
    /// `alg` is unknown, or not among those configured for the issuer.
    AlgorithmNotAllowed,
    /// `typ` is not one that the issuer's tokens have (RFC 8725 section 3.11).
    TypeNotAllowed {
        /// `typ` as it was sent, an excerpt of it.
        sent: Option<Box<str>>,
        /// What it may be.
        expected: TypProfile,
        /// The issuer.
        issuer: Arc<str>,
    },
    /// A required claim is absent.
    MissingClaim {
        /// The claim's name, from the configuration.
        name: Box<str>,
    },
    /// `iss` names no issuer that is configured.
    UnknownIssuer {
        /// What it says.
        issuer: UnverifiedText,
    },
    /// The audience of the token holds none that is expected.
    WrongAudience {
        /// The audience as it was sent, as JSON, an excerpt of it.
        sent: Box<str>,
        /// The audiences that are expected.
        expected: Arc<[Box<str>]>,
        /// The issuer.
        issuer: Arc<str>,
    },
    /// A claim that the issuer's configuration names has a value of the wrong type or form. Of the registered claims the
    /// types are [`Token`](Rejection::Token)'s.
    InvalidClaim {
        /// The claim.
        claim: ClaimPath,
        /// What it has to be.
        expected: &'static str,
        /// The issuer.
        issuer: Arc<str>,
    },
    /// A claim that the issuer's configuration names is an array of more entries than the limit, `max_list_entries`.
    TooManyEntries {
        /// The claim.
        claim: ClaimPath,
        /// How many it has.
        entries: usize,
        /// The limit.
        max: usize,
        /// The issuer.
        issuer: Arc<str>,
    },
    /// A claim does not have a value that is expected.
    WrongClaim {
        /// The claim.
        claim: ClaimPath,
        /// Its value as JSON, an excerpt of it.
        sent: Box<str>,
        /// What it may be.
        expected: Arc<Expected>,
        /// The issuer.
        issuer: Arc<str>,
    },
    /// A validator of the issuer's did not let the token pass.
    Refused(Refusal),
    /// A validator of the issuer's panicked: a fault of the program.
    ValidatorPanicked,
    /// The [observer](crate::EngineBuilder::observer) panicked, so that an accepted credential did not pass: a fault of the program.
    ObserverPanicked,
    /// The token is bound to its sender (`cnf`, RFC 7800) in a way that is not checked here: taken as a bearer token it would
    /// be good for whoever stole it.
    SenderConstrained {
        /// The member of `cnf`.
        member: UnverifiedText,
    },
    /// The token's `cnf` has no member, so that it does not say what the token is bound to.
    EmptyConfirmation,
    /// A member of the token's `cnf` is not the canonical base64url of a SHA-256.
    InvalidConfirmation {
        /// The member.
        member: &'static str,
    },
    /// The token is bound to a client certificate (`x5t#S256`, RFC 8705 section 3), and the request has none.
    CertificateRequired,
    /// The client's certificate is not the one that the token is bound to (RFC 8705 section 3).
    WrongCertificate,
    /// The field in which a proxy names the client's certificate is there more than once, so that one of them may be the
    /// client's own.
    MultipleCertificates,
    /// The field in which a proxy names the client's certificate has another form than the one that is configured
    /// ([`CertificateField`]).
    MalformedCertificate {
        /// The field.
        field: CertificateField,
    },
    /// Past `exp` and the leeway, or past a key's expiry. Both in seconds since the Unix epoch.
    Expired {
        /// When it expired.
        expired_at: i64,
        /// The time of the check.
        now: i64,
    },
    /// Before `nbf` less the leeway, or before a key's start. Both in seconds since the Unix epoch.
    NotYetValid {
        /// When it becomes valid.
        not_before: i64,
        /// The time of the check.
        now: i64,
    },
    /// The issuer has no key of that `kid`.
    UnknownKey {
        /// What the header says.
        kid: Option<UnverifiedText>,
    },
    /// The key of that `kid` is, as its JWK says, for other tokens than those of this issuer: it has an `issuer` that is another
    /// one, or its `use` is none that the issuer is [configured](crate::Issuer::key_use) with.
    KeyNotAdmitted {
        /// What the header says.
        kid: Option<UnverifiedText>,
        /// What `iss` says.
        issuer: UnverifiedText,
        /// The `use` of the JWK, an excerpt of it.
        key_use: Option<Box<str>>,
        /// The `issuer` of the JWK, an excerpt of it.
        key_issuer: Option<Box<str>>,
    },
    /// No `kid`, or one that no key has, and more keys that could have made the signature than are tried.
    AmbiguousKey {
        /// What the header says.
        kid: Option<UnverifiedText>,
        /// Whether the header has no `kid`, and an `x5t` or `x5t#S256` that no key has.
        has_thumbprint: bool,
        /// How many there are.
        candidates: usize,
        /// How many are tried.
        max: usize,
    },
    /// The key of that `kid` is for another algorithm (RFC 8725 section 3.1).
    AlgorithmMismatch {
        /// What the header says.
        header: Algorithm,
        /// What the key is for.
        key: Algorithm,
    },
    /// The signature is not canonical base64url, or not as long as the algorithm's signatures are.
    MalformedSignature,
    /// The signature is not that of the key that the header names over the token.
    BadSignature,
    /// The header names no key of the issuer, and the signature is of none of those that were tried: the keys without `kid`, or
    /// all where the header has no `kid`. The issuer may have published the key since its keys were fetched.
    NoKeyVerifies {
        /// What the header says.
        kid: Option<UnverifiedText>,
        /// How many keys were tried.
        tried: usize,
    },
    /// The credential, or who it speaks for, was revoked.
    Revoked,
    /// The API key, client secret or opaque token is switched off.
    Disabled,
    /// The key may be used from certain addresses only, and the client's is not known: the server did not give one,
    /// or a proxy named none ([`TrustedProxies`](crate::TrustedProxies)).
    AddressRequired,
    /// The client's address is none of those that the key may be used from.
    AddressNotAllowed {
        /// The address.
        address: IpAddr,
    },
    /// Not an API key of the table's format: its length, alphabet or checksum is wrong.
    MalformedApiKey,
    /// The table holds no such API key or opaque token.
    UnknownApiKey,
    /// The table holds no such client secret, or it is that of another client.
    UnknownClient,
    /// A client's id and secret belong together, and may not be used: disabled, revoked, expired and the like. Apart from
    /// the same causes for a key or a token, because the [challenge](Rejection::challenge) is `Basic`.
    Client {
        /// Why not.
        cause: Box<Rejection>,
    },
    /// The issuer's status list says that the token is not valid, or has no entry for it.
    InvalidStatus {
        /// The status: 1 where it is revoked, 2 where it is suspended. `None`: the list has no such entry.
        status: Option<u8>,
        /// The issuer, as it is configured.
        issuer: Arc<str>,
    },
    /// The issuer of an opaque token says that it is not active (RFC 7662 section 2.2).
    InactiveToken {
        /// The issuer, as it is configured.
        issuer: Arc<str>,
    },
    /// The sender has not proved to have the key that the token is bound to (DPoP, RFC 9449).
    Proof(ProofError),
    /// A token was sent with the scheme `DPoP`, or has to be, and was not accepted. Apart from the same causes for a bearer token,
    /// because the [challenge](Rejection::challenge) is `DPoP`.
    Dpop {
        /// Why not.
        cause: Box<Rejection>,
        /// What the client is told.
        challenge: DpopChallenge,
    },
    /// It cannot be decided now: something that the decision needs is missing, and is not the client's to give.
    Unavailable {
        /// What is missing.
        cause: Unavailable,
        /// After how many seconds to ask again.
        retry_after: u32,
    },
    /// The credential does not carry a scope that is required.
    InsufficientScope {
        /// What is required, scope-tokens joined by spaces (RFC 6750 section 3).
        required: Box<str>,
    },
    /// The caller does not meet a [`Requirement`](crate::Requirement), and no scope would help.
    RequirementNotMet {
        /// The requirement, an excerpt of it.
        requirement: Box<str>,
    },
    /// The user has not logged in recently enough, or not in a way that is required (RFC 9470): another token is needed, after
    /// another login.
    InsufficientAuthentication {
        /// The ways to log in that would do (`acr`), joined by spaces. Empty: any.
        acr_values: Box<str>,
        /// For how many seconds a login is recent enough.
        max_age: Option<u32>,
    },
    /// The claims of the token are not what the program makes of them ([`Principal::claims`](crate::Principal::claims)).
    UnexpectedClaims {
        /// Which claim, and what is wrong with it.
        error: Box<ClaimsError>,
    },
    /// The credential is in a cookie, and a page of another site may have had it sent ([`CsrfRule`](crate::CsrfRule)).
    CrossSiteRequest,
    /// The program has a [`Requirement`](crate::Requirement) that nobody can meet: a fault of the program.
    InvalidRequirement {
        /// What is wrong with it.
        error: InvalidRequirement,
    },
    /// The program requires no scope at all, or a text that is no scope-token (RFC 6749 section 3.3), such as two of them
    /// in one. A fault of the program: no credential could pass the second, and every credential would pass the first.
    InvalidScopeRequirement {
        /// What the program requires, joined by spaces.
        required: Box<str>,
    },
}

/// What a client has to know for its proofs (RFC 9449 sections 7.1 and 9).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DpopChallenge {
    /// The algorithms that proofs may be signed with.
    pub algorithms: ProofAlgorithms,
    /// The nonce that proofs have to have, for the header `DPoP-Nonce`.
    pub nonce: Option<Box<str>>,
}

/// A key that a token may be under and its issuer's key set lacks: [`Rejection::missing_key`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct MissingKey<'r> {
    /// The `kid` of the token's header.
    pub kid: Option<&'r UnverifiedText>,
}

impl Rejection {
    /// A stable kebab-case code, for logs and metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Rejection::MissingCredential => "missing-credential",
            Rejection::HeaderTooLong { .. } => "header-too-long",
            Rejection::MalformedCredential | Rejection::MalformedBasic => "malformed-credential",
            Rejection::UnsupportedScheme => "unsupported-scheme",
            Rejection::MultipleCredentials => "multiple-credentials",
            Rejection::CredentialNotAccepted | Rejection::MethodNotAccepted => "credential-not-accepted",
            Rejection::Token(error) => error.code(),
            Rejection::AlgorithmNotAllowed => "algorithm-not-allowed",
            Rejection::TypeNotAllowed { .. } => "type-not-allowed",
            Rejection::MissingClaim { .. } => "missing-claim",
            Rejection::UnknownIssuer { .. } => "unknown-issuer",
            Rejection::WrongAudience { .. } => "wrong-audience",
            Rejection::InvalidClaim { .. } => "invalid-claim",
            Rejection::TooManyEntries { .. } => "too-many-entries",
            Rejection::WrongClaim { .. } => "wrong-claim",
            Rejection::Refused(refusal) => refusal.code(),
            Rejection::ValidatorPanicked => "validator-panicked",
            Rejection::ObserverPanicked => "observer-panicked",
            Rejection::SenderConstrained { .. } => "sender-constrained",
            Rejection::EmptyConfirmation => "empty-confirmation",
            Rejection::InvalidConfirmation { .. } => "invalid-confirmation",
            Rejection::CertificateRequired => "certificate-required",
            Rejection::WrongCertificate => "wrong-certificate",
            Rejection::MultipleCertificates => "multiple-certificates",
            Rejection::MalformedCertificate { .. } => "malformed-certificate",
            Rejection::Expired { .. } => "expired",
            Rejection::NotYetValid { .. } => "not-yet-valid",
            Rejection::UnknownKey { .. } => "unknown-key",
            Rejection::KeyNotAdmitted { .. } => "key-not-admitted",
            Rejection::AmbiguousKey { .. } => "ambiguous-key",
            Rejection::AlgorithmMismatch { .. } => "algorithm-mismatch",
            Rejection::MalformedSignature => "malformed-signature",
            Rejection::BadSignature | Rejection::NoKeyVerifies { .. } => "bad-signature",
            Rejection::Revoked => "revoked",
            Rejection::Disabled => "disabled",
            Rejection::AddressRequired => "address-required",
            Rejection::AddressNotAllowed { .. } => "address-not-allowed",
            Rejection::MalformedApiKey => "malformed-api-key",
            Rejection::UnknownApiKey => "unknown-api-key",
            Rejection::UnknownClient => "unknown-client",
            Rejection::Client { cause } => cause.code(),
            Rejection::InvalidStatus { .. } => "invalid-status",
            Rejection::InactiveToken { .. } => "inactive-token",
            Rejection::Unavailable { cause, .. } => cause.code(),
            Rejection::Proof(error) => error.code(),
            Rejection::Dpop { cause, .. } => cause.code(),
            Rejection::InsufficientScope { .. } => "insufficient-scope",
            Rejection::RequirementNotMet { .. } => "requirement-not-met",
            Rejection::InsufficientAuthentication { .. } => "insufficient-user-authentication",
            Rejection::UnexpectedClaims { .. } => "unexpected-claims",
            Rejection::CrossSiteRequest => "cross-site-request",
            Rejection::InvalidRequirement { .. } => "invalid-requirement",
            Rejection::InvalidScopeRequirement { .. } => "invalid-scope-requirement",
        }
    }

    /// Why the credential itself was not accepted: of a [`Client`](Rejection::Client) or [`Dpop`](Rejection::Dpop) its cause, otherwise this rejection.
    #[must_use]
    pub fn cause(&self) -> &Rejection {
        match self {
            Rejection::Client { cause } | Rejection::Dpop { cause, .. } => cause.cause(),
            own => own,
        }
    }

    /// The HTTP status to answer with: 401; 403 where the credential is good but does not suffice; 400 where there
    /// is more than one (RFC 6750 section 3.1); 500 where the program is at fault; 503 where it cannot be decided now; what a
    /// validator says.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Rejection::InsufficientScope { .. }
            | Rejection::RequirementNotMet { .. }
            | Rejection::UnexpectedClaims { .. }
            | Rejection::CrossSiteRequest
            | Rejection::AddressRequired
            | Rejection::AddressNotAllowed { .. } => 403,
            Rejection::MultipleCredentials
            | Rejection::MultipleCertificates
            | Rejection::MalformedCertificate { .. } => 400,
            Rejection::InvalidScopeRequirement { .. }
            | Rejection::InvalidRequirement { .. }
            | Rejection::ValidatorPanicked
            | Rejection::ObserverPanicked => 500,
            Rejection::Unavailable { .. } => 503,
            Rejection::Refused(refusal) => refusal.status(),
            Rejection::Client { cause } | Rejection::Dpop { cause, .. } => cause.status(),
            _ => 401,
        }
    }

    /// The value of the Retry-After header (RFC 9110 section 10.2.3), in seconds: with a status of 503 alone.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        match self.cause() {
            Rejection::Unavailable { retry_after, .. } => Some(*retry_after),
            other => (other.status() == 503).then_some(RETRY_AFTER_SECONDS),
        }
    }

    /// The key that is missing, for a JWT that may be under one that the issuer has published since its keys were fetched. For
    /// callers that can fetch it.
    #[must_use]
    pub fn missing_key(&self) -> Option<MissingKey<'_>> {
        match self.cause() {
            Rejection::UnknownKey { kid } | Rejection::NoKeyVerifies { kid, .. } => {
                Some(MissingKey { kid: kid.as_ref() })
            }
            Rejection::AmbiguousKey { kid, has_thumbprint, .. } if kid.is_some() || *has_thumbprint => {
                Some(MissingKey { kid: kid.as_ref() })
            }
            _ => None,
        }
    }

    /// The status list that is missing for a token that is otherwise good, and its issuer. For callers that can have it fetched.
    #[must_use]
    pub fn missing_status_list(&self) -> Option<(&Arc<str>, &MissingStatusList)> {
        match self {
            Rejection::Unavailable { cause: Unavailable::NoStatusList { issuer, list }, .. } => Some((issuer, list)),
            _ => None,
        }
    }

    /// The issuer that was not asked about an opaque token, or a JWT that it is to confirm, which is the whole reason of this rejection. For callers that can
    /// ask it: [`Engine::unknown_token`](crate::Engine::unknown_token).
    #[must_use]
    pub fn unasked_issuer(&self) -> Option<&str> {
        match self {
            Rejection::Unavailable { cause: Unavailable::NotAsked { issuer }, .. } => Some(issuer),
            _ => None,
        }
    }

    /// The value of the `DPoP-Nonce` header to answer with (RFC 9449 section 9.1).
    #[must_use]
    pub fn dpop_nonce(&self) -> Option<&str> {
        match self {
            Rejection::Dpop { challenge, .. } => challenge.nonce.as_deref(),
            _ => None,
        }
    }

    /// The value of the WWW-Authenticate header to answer with, in the scheme that the client used: `Basic` for a client's
    /// id and secret, `DPoP` for a token that is bound to a key, otherwise `Bearer`. Nothing in it comes from the credential. A status of 500 or 503 is answered without.
    ///
    /// [`Challenge::fields`] has all header fields of the answer.
    #[must_use]
    pub fn challenge(&self) -> Challenge<'_> {
        Challenge::new(self)
    }
}

/// So that a handler reads claims with `?`.
impl From<ClaimsError> for Rejection {
    #[cold]
    fn from(error: ClaimsError) -> Self {
        Rejection::UnexpectedClaims { error: Box::new(error) }
    }
}

impl From<ParseError> for Rejection {
    #[cold]
    fn from(error: ParseError) -> Self {
        Rejection::Token(error)
    }
}

impl Rejection {
    /// What a key set found wrong with a token of this header.
    #[cold]
    pub(crate) fn unverified(error: VerifyError, header: &Header<'_>) -> Self {
        let kid = || header.kid().map(Into::into);
        match error {
            VerifyError::UnknownAlgorithm => Rejection::AlgorithmNotAllowed,
            VerifyError::UnknownKey => Rejection::UnknownKey { kid: kid() },
            VerifyError::AlgorithmMismatch { header, key } => Rejection::AlgorithmMismatch { header, key },
            VerifyError::AmbiguousKey { candidates, max } => {
                let names = header.certificate();
                let has_thumbprint = names.x5t.is_some() || names.x5t_sha256.is_some();
                Rejection::AmbiguousKey { kid: kid(), has_thumbprint, candidates, max }
            }
            VerifyError::NoKeyVerifies { tried } => Rejection::NoKeyVerifies { kid: kid(), tried },
            VerifyError::MalformedSignature => Rejection::MalformedSignature,
            _ => Rejection::BadSignature,
        }
    }
}

impl Rejection {
    /// The rejection of a client's id and secret, which belong together. Only 401 asks for other credentials.
    #[cold]
    pub(crate) fn of_client(self) -> Self {
        if self.status() == 401 { Rejection::Client { cause: Box::new(self) } } else { self }
    }

    /// The key of `keys` that a header names is not for tokens with this `iss`.
    #[cold]
    pub(crate) fn key_not_admitted(keys: &KeySet, algorithm: Algorithm, kid: Option<&str>, iss: &str) -> Self {
        let key = keys.iter().find(|key| key.algorithm() == algorithm && key.kid() == kid);
        // Of several purposes the first tells enough.
        let purpose = key.and_then(|key| key.purposes().first());
        Rejection::KeyNotAdmitted {
            kid: kid.map(Into::into),
            issuer: iss.into(),
            key_use: purpose.and_then(KeyPurpose::key_use).map(|text| excerpt(text).into()),
            key_issuer: purpose.and_then(KeyPurpose::issuer).map(|text| excerpt(text).into()),
        }
    }

    /// The rejection of a token that was sent with the scheme `DPoP`, or has to be. Only 401 asks for another proof.
    #[cold]
    pub(crate) fn of_dpop(self, challenge: DpopChallenge) -> Self {
        if self.status() == 401 { Rejection::Dpop { cause: Box::new(self), challenge } } else { self }
    }

    #[cold]
    pub(crate) fn unknown_issuer(iss: &str) -> Self {
        Rejection::UnknownIssuer { issuer: iss.into() }
    }

    #[cold]
    pub(crate) fn type_not_allowed(sent: Option<&str>, expected: &TypProfile, issuer: &Arc<str>) -> Self {
        let sent = sent.map(|typ| excerpt_of(format_args!("{typ:?}")));
        Rejection::TypeNotAllowed { sent, expected: expected.clone(), issuer: issuer.clone() }
    }

    #[cold]
    pub(crate) fn wrong_audience(sent: StringList<'_, '_>, expected: &Arc<[Box<str>]>, issuer: &Arc<str>) -> Self {
        Rejection::WrongAudience { sent: excerpt_list(sent), expected: expected.clone(), issuer: issuer.clone() }
    }
}

impl std::error::Error for Rejection {}
