//! The key or certificate that a token is bound to (`cnf`, RFC 7800), and whether a request's sender has it.

use std::fmt;
use std::str::FromStr;

use subtle::ConstantTimeEq;
use tollgate_jwt::base64url;
use tollgate_jwt::json::{Object, Value};
use tollgate_keys::sha256;

use crate::clock::Now;
use crate::dpop::{DpopChecks, ProofError};
use crate::rejection::Rejection;
use crate::request::{Certificate, Proofs, Request};
use crate::thread::Thread;

/// A way in which a credential's sender shows that the credential is its own: a member of `cnf` (RFC 7800 section 3).
///
/// It is written as the member's name, `=` and the base64url of the thumbprint: `jkt=0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ConfirmationMethod {
    /// `jkt`: the SHA-256 thumbprint of the client's key, of which it sends a DPoP proof (RFC 9449 section 6.1).
    KeyThumbprint([u8; 32]),
    /// `x5t#S256`: the SHA-256 of the certificate with which the client authenticates in TLS (RFC 8705 section 3.1).
    CertificateThumbprint([u8; 32]),
}

impl ConfirmationMethod {
    /// The name of the member.
    #[must_use]
    pub fn member(&self) -> &'static str {
        match self {
            Self::KeyThumbprint(_) => KEY,
            Self::CertificateThumbprint(_) => CERTIFICATE,
        }
    }

    /// The thumbprint.
    #[must_use]
    pub fn thumbprint(&self) -> &[u8; 32] {
        match self {
            Self::KeyThumbprint(thumbprint) | Self::CertificateThumbprint(thumbprint) => thumbprint,
        }
    }
}

impl fmt::Display for ConfirmationMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.member(), base64url::encode(self.thumbprint()))
    }
}

/// The text is no [`ConfirmationMethod`] that is known here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotAConfirmationMethod;

impl fmt::Display for NotAConfirmationMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {KEY}= or {CERTIFICATE}= and the base64url of 32 bytes")
    }
}

impl std::error::Error for NotAConfirmationMethod {}

impl FromStr for ConfirmationMethod {
    type Err = NotAConfirmationMethod;

    fn from_str(text: &str) -> Result<Self, NotAConfirmationMethod> {
        let (member, value) = text.split_once('=').ok_or(NotAConfirmationMethod)?;
        let thumbprint = decode(value).ok_or(NotAConfirmationMethod)?;
        match member {
            KEY => Ok(Self::KeyThumbprint(thumbprint)),
            CERTIFICATE => Ok(Self::CertificateThumbprint(thumbprint)),
            _ => Err(NotAConfirmationMethod),
        }
    }
}

/// The `cnf` of a token, of an introspection answer or of a record. A thumbprint `T` has 32 bytes, or is their canonical
/// base64url.
///
/// The default has no members: there was no `cnf`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Confirmation<T> {
    /// `x5t#S256`: the SHA-256 of the client's certificate (RFC 8705 section 3.1).
    pub(crate) certificate: Option<T>,
    /// `jkt`: the thumbprint of the client's key (RFC 9449 section 6.1).
    pub(crate) key: Option<T>,
}

/// A request, with the state that its sender is checked against.
pub(crate) struct Sender<'e> {
    pub(crate) request: &'e Request<'e>,
    /// Whether the scheme is `DPoP`.
    pub(crate) is_dpop: bool,
    /// `None` if the engine accepts no proofs.
    pub(crate) dpop: Option<&'e DpopChecks>,
    pub(crate) now: Now,
    /// Whether the token is only [examined](crate::Engine::examine): its sender is not checked.
    pub(crate) is_examiner: bool,
}

const CERTIFICATE: &str = "x5t#S256";
const KEY: &str = "jkt";

impl<T> Confirmation<T> {
    /// Whether the request has what will be checked, before any costly check.
    pub(crate) fn check_presented(&self, sender: &Sender<'_>) -> Result<(), Rejection> {
        if sender.is_examiner {
            return Ok(());
        }
        if self.certificate.is_some() && matches!(sender.request.certificate, Certificate::Absent) {
            return Err(Rejection::CertificateRequired);
        }
        match self.key {
            None if sender.is_dpop => Err(ProofError::TokenNotBound.into()),
            None => Ok(()),
            Some(_) if sender.dpop.is_none() => Err(Rejection::SenderConstrained { member: KEY.into() }),
            Some(_) if matches!(sender.request.proofs, Proofs::None) => Err(ProofError::Required.into()),
            // RFC 9449 section 7.1: never as a bearer token.
            Some(_) if !sender.is_dpop => Err(ProofError::SchemeRequired.into()),
            Some(_) => Ok(()),
        }
    }
}

impl<'s> Confirmation<&'s str> {
    /// Reads a `cnf`. A member that is not checked here must not be ignored: it is a rejection, and so is an empty
    /// `cnf`.
    pub(crate) fn read(cnf: Object<'_, 's>) -> Result<Self, Rejection> {
        let mut confirmation = Confirmation::default();
        for (name, value) in cnf.iter() {
            match name {
                CERTIFICATE => confirmation.certificate = Some(thumbprint(CERTIFICATE, value)?),
                KEY => confirmation.key = Some(thumbprint(KEY, value)?),
                _ => return Err(Rejection::SenderConstrained { member: name.into() }),
            }
        }
        if cnf.is_empty() { Err(Rejection::EmptyConfirmation) } else { Ok(confirmation) }
    }

    /// The thumbprints themselves.
    pub(crate) fn decoded(&self) -> Result<Confirmation<[u8; 32]>, Rejection> {
        let decoded = |member, text: Option<&str>| {
            text.map(|text| decode(text).ok_or(Rejection::InvalidConfirmation { member })).transpose()
        };
        Ok(Confirmation { certificate: decoded(CERTIFICATE, self.certificate)?, key: decoded(KEY, self.key)? })
    }
}

impl Confirmation<[u8; 32]> {
    /// Whether the request's sender has the key and certificate that the token is bound to. This spends the proof, so
    /// it is the last check of all.
    pub(crate) fn check(&self, token: &[u8], sender: &Sender<'_>, thread: &mut Thread) -> Result<(), Rejection> {
        self.check_presented(sender)?;
        if sender.is_examiner {
            return Ok(());
        }
        if let Some(expected) = &self.certificate {
            check_certificate(expected, sender.request.certificate)?;
        }
        match (&self.key, sender.dpop) {
            (None, _) => Ok(()),
            (Some(jkt), Some(dpop)) => dpop.check(sender.request, token, jkt, sender.now, thread),
            (Some(_), None) => Err(Rejection::SenderConstrained { member: KEY.into() }),
        }
    }

    /// Adds a member, in place of one of the same name.
    pub(crate) fn add(&mut self, method: ConfirmationMethod) {
        match method {
            ConfirmationMethod::KeyThumbprint(thumbprint) => self.key = Some(thumbprint),
            ConfirmationMethod::CertificateThumbprint(thumbprint) => self.certificate = Some(thumbprint),
        }
    }

    pub(crate) fn methods(self) -> impl Iterator<Item = ConfirmationMethod> {
        let certificate = self.certificate.map(ConfirmationMethod::CertificateThumbprint);
        self.key.map(ConfirmationMethod::KeyThumbprint).into_iter().chain(certificate)
    }
}

/// RFC 8705 section 3: the hash of the certificate that was presented equals the one in the token.
fn check_certificate(expected: &[u8; 32], presented: Certificate<'_>) -> Result<(), Rejection> {
    let digest = match presented {
        Certificate::Absent => return Err(Rejection::CertificateRequired),
        Certificate::Der(der) => sha256(der),
        Certificate::Digest(digest) => digest,
    };
    if expected.ct_eq(&digest).into() { Ok(()) } else { Err(Rejection::WrongCertificate) }
}

fn thumbprint<'s>(member: &'static str, value: Value<'_, 's>) -> Result<&'s str, Rejection> {
    value.as_str().filter(|text| decode(text).is_some()).ok_or(Rejection::InvalidConfirmation { member })
}

/// Decodes the canonical base64url of 32 bytes.
fn decode(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    base64url::decode_exactly(text, &mut bytes).ok().map(|()| bytes)
}
