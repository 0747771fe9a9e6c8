//! The key or certificate that a token is bound to (`cnf`, RFC 7800), and whether a request's sender has it.

use subtle::ConstantTimeEq;
use tollgate_jwt::base64url;
use tollgate_jwt::json::{Object, Value};
use tollgate_keys::sha256;

use crate::clock::Now;
use crate::dpop::{DpopChecks, ProofError};
use crate::rejection::Rejection;
use crate::request::{Certificate, Proofs, Request};
use crate::thread::Thread;

/// The `cnf` of a token or of an introspection answer. Each text is the canonical base64url of 32 bytes.
///
/// The default has no members: there was no `cnf`.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
pub(crate) struct Confirmation<'s> {
    /// `x5t#S256`: the SHA-256 of the client's certificate (RFC 8705 section 3.1).
    pub(crate) certificate: Option<&'s str>,
    /// `jkt`: the thumbprint of the client's key (RFC 9449 section 6.1).
    pub(crate) key: Option<&'s str>,
}

/// A request, with the state that its sender is checked against.
pub(crate) struct Sender<'e> {
    pub(crate) request: &'e Request<'e>,
    /// Whether the scheme is `DPoP`.
    pub(crate) is_dpop: bool,
    /// `None` if the engine accepts no proofs.
    pub(crate) dpop: Option<&'e DpopChecks>,
    pub(crate) now: Now,
}

const CERTIFICATE: &str = "x5t#S256";
const KEY: &str = "jkt";

impl<'s> Confirmation<'s> {
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

    /// Whether the request has what will be checked, before any costly check.
    pub(crate) fn check_presented(&self, sender: &Sender<'_>) -> Result<(), Rejection> {
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

    /// Whether the request's sender has the key and certificate that the token is bound to. This spends the proof, so
    /// it is the last check of all.
    pub(crate) fn check(&self, token: &[u8], sender: &Sender<'_>, thread: &mut Thread) -> Result<(), Rejection> {
        self.check_presented(sender)?;
        if let Some(expected) = self.certificate {
            check_certificate(expected, sender.request.certificate)?;
        }
        match (self.key.map(decode), sender.dpop) {
            (None, _) => Ok(()),
            (Some(Some(jkt)), Some(dpop)) => dpop.check(sender.request, token, &jkt, sender.now, thread),
            (Some(_), _) => Err(ProofError::WrongKey.into()),
        }
    }
}

/// RFC 8705 section 3: the hash of the certificate that was presented equals the one in the token.
fn check_certificate(expected: &str, presented: Certificate<'_>) -> Result<(), Rejection> {
    let digest = match presented {
        Certificate::Absent => return Err(Rejection::CertificateRequired),
        Certificate::Der(der) => sha256(der),
        Certificate::Digest(digest) => digest,
    };
    if decode(expected).is_some_and(|expected| expected.ct_eq(&digest).into()) {
        Ok(())
    } else {
        Err(Rejection::WrongCertificate)
    }
}

fn thumbprint<'s>(member: &'static str, value: Value<'_, 's>) -> Result<&'s str, Rejection> {
    value.as_str().filter(|text| decode(text).is_some()).ok_or(Rejection::InvalidConfirmation { member })
}

/// Decodes the canonical base64url of 32 bytes.
fn decode(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    base64url::decode_exactly(text, &mut bytes).ok().map(|()| bytes)
}
