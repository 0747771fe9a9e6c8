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
/// The variant and its data are for the server's own logs. Only [`status`](Rejection::status) and
/// [`challenge`](Rejection::challenge) may leave the process (RFC 6750 section 3.1).
///
/// Both formatters show text from the credential as an escaped [excerpt](UnverifiedText): a message has at most 256
/// characters, whatever was sent.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Rejection {
    /// There is no credential.
    MissingCredential,
    /// The header is longer than the limit; nothing of it was read. Both figures in bytes.
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
    /// An authentication scheme other than `Bearer`, `Basic` and, if the engine accepts proofs, `DPoP`.
    UnsupportedScheme,
    /// More than one credential in one request (RFC 6750 section 2).
    MultipleCredentials,
    /// A token with `Bearer` of a kind that the engine or the route does not accept
    /// ([`AcceptedCredentials`](crate::AcceptedCredentials)), or that nothing is configured to verify.
    CredentialNotAccepted,
    /// Like [`CredentialNotAccepted`](Rejection::CredentialNotAccepted), for a credential that was not sent with
    /// `Bearer`: `Basic` credentials, a bare value, or one in the API keys' own header. The challenge then has no error
    /// code.
    MethodNotAccepted,
    /// The token cannot be parsed, or its header requires an unsupported extension.
    Token(ParseError),
    /// `alg` is unknown, or not among those configured for the issuer.
    AlgorithmNotAllowed,
    /// `typ` is not accepted for the issuer's tokens (RFC 8725 section 3.11).
    TypeNotAllowed {
        /// An excerpt of `typ` as it was sent.
        sent: Option<Box<str>>,
        /// The accepted `typ`.
        expected: TypProfile,
        /// The issuer.
        issuer: Arc<str>,
    },
    /// A required claim is absent.
    MissingClaim {
        /// The claim's name, from the configuration.
        name: Box<str>,
    },
    /// `iss` is not a configured issuer.
    UnknownIssuer {
        /// The value of `iss`.
        issuer: UnverifiedText,
    },
    /// The audience of the token has no expected entry.
    WrongAudience {
        /// An excerpt of the audience as it was sent, as JSON.
        sent: Box<str>,
        /// The expected audiences.
        expected: Arc<[Box<str>]>,
        /// The issuer.
        issuer: Arc<str>,
    },
    /// A claim that the issuer's configuration names has a value of the wrong type or form. For the types of registered
    /// claims see [`Token`](Rejection::Token).
    InvalidClaim {
        /// The claim.
        claim: ClaimPath,
        /// The expected type or form.
        expected: &'static str,
        /// The issuer.
        issuer: Arc<str>,
    },
    /// A claim that the issuer's configuration names is an array with more entries than the limit, `max_list_entries`.
    TooManyEntries {
        /// The claim.
        claim: ClaimPath,
        /// The number of its entries.
        entries: usize,
        /// The limit.
        max: usize,
        /// The issuer.
        issuer: Arc<str>,
    },
    /// A claim does not have an expected value.
    WrongClaim {
        /// The claim.
        claim: ClaimPath,
        /// An excerpt of its value, as JSON.
        sent: Box<str>,
        /// The expected values.
        expected: Arc<Expected>,
        /// The issuer.
        issuer: Arc<str>,
    },
    /// A validator of the issuer refused the token.
    Refused(Refusal),
    /// A validator of the issuer panicked: a fault of the program.
    ValidatorPanicked,
    /// The [observer](crate::EngineBuilder::observer) panicked, so a valid credential was not accepted: a fault of the
    /// program.
    ObserverPanicked,
    /// The token is bound to its sender (`cnf`, RFC 7800) in a way that is not checked here. Accepted as a bearer
    /// token, it could be used by a thief.
    SenderConstrained {
        /// The member of `cnf`.
        member: UnverifiedText,
    },
    /// The token's `cnf` is empty, so it does not say what the token is bound to.
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
    /// The field in which a proxy passes on the client's certificate is present more than once, so one of them may be
    /// the client's own.
    MultipleCertificates,
    /// The field in which a proxy passes on the client's certificate does not have the configured form
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
    /// The issuer has no key with that `kid`.
    UnknownKey {
        /// The value of `kid`.
        kid: Option<UnverifiedText>,
    },
    /// According to its JWK, the key with that `kid` is not for tokens of this issuer: it has another `issuer`, or a
    /// `use` that the issuer is not [configured](crate::Issuer::key_use) with.
    KeyNotAdmitted {
        /// The value of `kid`.
        kid: Option<UnverifiedText>,
        /// The value of `iss`.
        issuer: UnverifiedText,
        /// An excerpt of the JWK's `use`.
        key_use: Option<Box<str>>,
        /// An excerpt of the JWK's `issuer`.
        key_issuer: Option<Box<str>>,
    },
    /// There is no `kid`, or no key has it, and more keys could have made the signature than are tried.
    AmbiguousKey {
        /// The value of `kid`.
        kid: Option<UnverifiedText>,
        /// Whether the header has no `kid`, but an `x5t` or `x5t#S256` that no key has.
        has_thumbprint: bool,
        /// The number of such keys.
        candidates: usize,
        /// The most keys that are tried.
        max: usize,
    },
    /// The key with that `kid` is for another algorithm (RFC 8725 section 3.1).
    AlgorithmMismatch {
        /// The header's `alg`.
        header: Algorithm,
        /// The key's algorithm.
        key: Algorithm,
    },
    /// The signature is not canonical base64url, or does not have the length of the algorithm's signatures.
    MalformedSignature,
    /// The signature does not verify under the key that the header names.
    BadSignature,
    /// The header names no key of the issuer, and the signature verifies under none of the keys that were tried: those
    /// without `kid`, or all if the header has no `kid`. The issuer may have published the key since its keys were
    /// fetched.
    NoKeyVerifies {
        /// The value of `kid`.
        kid: Option<UnverifiedText>,
        /// The number of keys that were tried.
        tried: usize,
    },
    /// The credential was revoked, or its subject, session, client or issuer was.
    Revoked,
    /// The API key, client secret or opaque token is disabled.
    Disabled,
    /// The key may be used from certain addresses only, and the client's is unknown: the server did not give one, or a
    /// proxy named none ([`TrustedProxies`](crate::TrustedProxies)).
    AddressRequired,
    /// The key may not be used from the client's address.
    AddressNotAllowed {
        /// The address.
        address: IpAddr,
    },
    /// Not an API key of the table's format: its length, alphabet or checksum is wrong.
    MalformedApiKey,
    /// The table has no such API key or opaque token.
    UnknownApiKey,
    /// The table has no such client secret, or it belongs to another client.
    UnknownClient,
    /// A client's id and secret match, but may not be used: disabled, revoked, expired and the like. Separate from the
    /// same causes for a key or a token, because the [challenge](Rejection::challenge) is `Basic`.
    Client {
        /// The reason.
        cause: Box<Rejection>,
    },
    /// The issuer's status list says that the token is not valid, or has no entry for it.
    InvalidStatus {
        /// The status: 1 if it is revoked, 2 if it is suspended. `None`: the list has no such entry.
        status: Option<u8>,
        /// The configured name of the issuer.
        issuer: Arc<str>,
    },
    /// The issuer was asked about the token and says that it is not active (RFC 7662 section 2.2).
    InactiveToken {
        /// The configured name of the issuer.
        issuer: Arc<str>,
    },
    /// The sender has not proved possession of the key that the token is bound to (DPoP, RFC 9449).
    Proof(ProofError),
    /// A token that was sent with the scheme `DPoP`, or has to be, was not accepted. Separate from the same causes for
    /// a bearer token, because the [challenge](Rejection::challenge) is `DPoP`.
    Dpop {
        /// The reason.
        cause: Box<Rejection>,
        /// The parameters of the challenge.
        challenge: DpopChallenge,
    },
    /// The credential cannot be judged now: something is missing that the client cannot provide.
    Unavailable {
        /// What is missing.
        cause: Unavailable,
        /// The seconds after which to retry.
        retry_after: u32,
    },
    /// The credential lacks a required scope.
    InsufficientScope {
        /// The required scope-tokens, joined by spaces (RFC 6750 section 3).
        required: Box<str>,
    },
    /// The caller does not meet a [`Requirement`](crate::Requirement), and no scope would help.
    RequirementNotMet {
        /// An excerpt of the requirement.
        requirement: Box<str>,
    },
    /// The user has not logged in recently enough, or not in a required way (RFC 9470): another token is needed, after
    /// another login.
    InsufficientAuthentication {
        /// The accepted ways to log in (`acr`), joined by spaces. Empty: any.
        acr_values: Box<str>,
        /// For how many seconds a login is recent enough.
        max_age: Option<u32>,
    },
    /// The claims of the token do not have the shape that the program expects
    /// ([`Principal::claims`](crate::Principal::claims)).
    UnexpectedClaims {
        /// The claim, and what is wrong with it.
        error: Box<ClaimsError>,
    },
    /// The credential is in a cookie, and a page of another site may have caused the request
    /// ([`CsrfRule`](crate::CsrfRule)).
    CrossSiteRequest,
    /// The program has a [`Requirement`](crate::Requirement) that nobody can meet: a fault of the program.
    InvalidRequirement {
        /// What is wrong with it.
        error: InvalidRequirement,
    },
    /// The program requires no scope at all, or a text that is not one scope-token (RFC 6749 section 3.3), such as two
    /// of them in one. A fault of the program: no credential could pass the second, and every credential would pass the
    /// first.
    InvalidScopeRequirement {
        /// The required texts, joined by spaces.
        required: Box<str>,
    },
}

/// The data that a client needs for its proofs (RFC 9449 sections 7.1 and 9).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DpopChallenge {
    /// The algorithms that proofs may be signed with.
    pub algorithms: ProofAlgorithms,
    /// The nonce that proofs need, for the header `DPoP-Nonce`.
    pub nonce: Option<Box<str>>,
}

/// A key that a token may be signed by and that its issuer's key set lacks: see [`Rejection::missing_key`].
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

    /// Why the credential itself was not accepted: the cause of a [`Client`](Rejection::Client) or
    /// [`Dpop`](Rejection::Dpop), otherwise this rejection.
    #[must_use]
    pub fn cause(&self) -> &Rejection {
        match self {
            Rejection::Client { cause } | Rejection::Dpop { cause, .. } => cause.cause(),
            own => own,
        }
    }

    /// The HTTP status of the response: 401; 403 if the credential is valid but does not suffice; 400 if there is more
    /// than one (RFC 6750 section 3.1); 500 if the program is at fault; 503 if the credential cannot be judged now; or
    /// the status that a validator chose.
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

    /// The value of the Retry-After header (RFC 9110 section 10.2.3), in seconds: only with status 503.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        match self.cause() {
            Rejection::Unavailable { retry_after, .. } => Some(*retry_after),
            other => (other.status() == 503).then_some(RETRY_AFTER_SECONDS),
        }
    }

    /// The missing key, for a JWT that may be signed by a key that the issuer has published since its keys were
    /// fetched. For callers that can fetch it.
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

    /// The missing status list of a token that is otherwise valid, and its issuer. For callers that can have it
    /// fetched.
    #[must_use]
    pub fn missing_status_list(&self) -> Option<(&Arc<str>, &MissingStatusList)> {
        match self {
            Rejection::Unavailable { cause: Unavailable::NoStatusList { issuer, list }, .. } => Some((issuer, list)),
            _ => None,
        }
    }

    /// The issuer that was not asked about an opaque token, or about a JWT that it has to confirm, if that is the only
    /// reason of this rejection. For callers that can ask it: [`Engine::unknown_token`](crate::Engine::unknown_token).
    #[must_use]
    pub fn unasked_issuer(&self) -> Option<&str> {
        match self {
            Rejection::Unavailable { cause: Unavailable::NotAsked { issuer }, .. } => Some(issuer),
            _ => None,
        }
    }

    /// The value of the response's `DPoP-Nonce` header (RFC 9449 section 9.1).
    #[must_use]
    pub fn dpop_nonce(&self) -> Option<&str> {
        match self {
            Rejection::Dpop { challenge, .. } => challenge.nonce.as_deref(),
            _ => None,
        }
    }

    /// The value of the response's WWW-Authenticate header, in the scheme that the client used: `Basic` for a client's
    /// id and secret, `DPoP` for a token that is bound to a key, otherwise `Bearer`. Nothing in it comes from the
    /// credential. Responses with status 500 or 503 have none.
    ///
    /// [`Challenge::fields`] has all header fields of the response.
    #[must_use]
    pub fn challenge(&self) -> Challenge<'_> {
        Challenge::new(self)
    }
}

/// Lets a handler read claims with `?`.
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
    /// The rejection for a key set's error about a token with this header.
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
    /// The rejection of a client's id and secret that match. Only 401 asks for other credentials.
    #[cold]
    pub(crate) fn of_client(self) -> Self {
        if self.status() == 401 { Rejection::Client { cause: Box::new(self) } } else { self }
    }

    /// The rejection if the key of `keys` that a header names is not for tokens with this `iss`.
    #[cold]
    pub(crate) fn key_not_admitted(keys: &KeySet, algorithm: Algorithm, kid: Option<&str>, iss: &str) -> Self {
        let key = keys.iter().find(|key| key.algorithm() == algorithm && key.kid() == kid);
        // One of several purposes is enough for a message.
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
