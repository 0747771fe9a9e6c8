//! Checks one proof as RFC 9449 section 4.3 says, the cheapest checks first.

use std::sync::Arc;

use subtle::ConstantTimeEq;
use tollgate_jwt::{Claims, CompactJws, base64url, json};
use tollgate_keys::sha256;

use super::error::ProofError;
use super::proof_keys::ProofKey;
use super::target::is_same_target;
use super::{DpopChecks, NonceSecrets};
use crate::clock::Now;
use crate::limits::{MAX_PROOF_BYTES, NONCE_SECONDS, PROOF_AHEAD};
use crate::policy::{check_begun, check_not_expired};
use crate::rejection::Rejection;
use crate::request::{Proofs, Request};
use crate::thread::Thread;

/// What is needed to spend a checked proof. Both times in seconds since the Unix epoch.
pub(super) struct Proof<'s> {
    pub(super) jti: &'s str,
    pub(super) issued_at: i64,
    /// The last second in which it is accepted.
    pub(super) expires_at: i64,
}

/// A verified proof of a request without a token, which is spent in this engine
/// ([`Engine::verify_proof`](crate::Engine::verify_proof)).
///
/// An authorization server of several processes can record [`id`](Self::id) until after
/// [`expires_at`](Self::expires_at), so that the others do not accept the proof once more.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerifiedProof {
    thumbprint: [u8; 32],
    id: [u8; 32],
    expires_at: i64,
}

impl VerifiedProof {
    /// The SHA-256 of the key's JWK (RFC 7638), for `jkt`.
    #[must_use]
    pub fn thumbprint(&self) -> &[u8; 32] {
        &self.thumbprint
    }

    /// The SHA-256 of the thumbprint and `jti`: equal for the same proof only.
    #[must_use]
    pub fn id(&self) -> &[u8; 32] {
        &self.id
    }

    /// The last second in which an engine with the same settings accepts the proof, in seconds since the Unix epoch.
    #[must_use]
    pub fn expires_at(&self) -> i64 {
        self.expires_at
    }
}

/// The token that a proof is for, and the thumbprint of the key that it is bound to.
#[derive(Clone, Copy)]
struct Bound<'t> {
    token: &'t [u8],
    jkt: &'t [u8; 32],
}

impl DpopChecks {
    /// Whether the request's proof is for this request, this token and the key with the thumbprint `jkt`. This spends
    /// the proof, so all other checks come before.
    pub(crate) fn check(
        &self,
        request: &Request<'_>,
        token: &[u8],
        jkt: &[u8; 32],
        now: Now,
        thread: &mut Thread,
    ) -> Result<(), Rejection> {
        self.check_for(Some(Bound { token, jkt }), request, now, thread).map(drop)
    }

    /// The request's proof, which is for this request and for no token. This spends the proof.
    pub(crate) fn check_alone(
        &self,
        request: &Request<'_>,
        now: Now,
        thread: &mut Thread,
    ) -> Result<VerifiedProof, Rejection> {
        self.check_for(None, request, now, thread)
    }

    fn check_for(
        &self,
        bound: Option<Bound<'_>>,
        request: &Request<'_>,
        now: Now,
        thread: &mut Thread,
    ) -> Result<VerifiedProof, Rejection> {
        let text = match request.proofs {
            Proofs::None => return Err(ProofError::Required.into()),
            Proofs::Several => return Err(ProofError::Several.into()),
            Proofs::One(text) => text,
        };
        if text.len() > MAX_PROOF_BYTES {
            return Err(ProofError::TooLong { length: text.len(), max: MAX_PROOF_BYTES }.into());
        }
        let text = str::from_utf8(text).map_err(|_| ProofError::Malformed(tollgate_jwt::ParseError::NotCompact))?;
        let jws = CompactJws::parse_within(text, MAX_PROOF_BYTES).map_err(ProofError::from)?;
        let known = self.memory().keys.find(jws.header());
        let key = match &known {
            Some(key) => key.clone(),
            None => Arc::new(ProofKey::read(&jws, self.settings.algorithms)?),
        };
        let thumbprint = key.key.thumbprint();
        if bound.is_some_and(|bound| !bool::from(thumbprint.ct_eq(bound.jkt))) {
            return Err(ProofError::WrongKey.into());
        }
        let claims = jws.decode_claims(&mut thread.claims).map_err(ProofError::from)?;
        let proof = self.check_claims(&claims, request, bound.map(|bound| bound.token), now)?;
        let verifies = thread.signature.with(|signature| {
            jws.decode_signature(signature).is_ok() && key.key.verify(jws.signing_input(), signature).is_ok()
        });
        if !verifies {
            return Err(ProofError::BadSignature.into());
        }
        self.spend(&proof, thumbprint, now)?;
        if known.is_none() {
            self.memory().keys.keep(&key);
        }
        let id = sha256(&[&thumbprint[..], proof.jti.as_bytes()].concat());
        Ok(VerifiedProof { thumbprint: *thumbprint, id, expires_at: proof.expires_at })
    }

    /// The next nonce, if that of the proof of an accepted request nears its end.
    pub(crate) fn renewed_nonce(&self, request: &Request<'_>, now: Now) -> Option<Box<str>> {
        let (nonces, Proofs::One(proof)) = (self.nonces.as_ref()?, request.proofs) else { return None };
        let jws = CompactJws::parse_within(str::from_utf8(proof).ok()?, MAX_PROOF_BYTES).ok()?;
        let mut buffer = json::Buffer::default();
        let claims = jws.decode_claims(&mut buffer).ok()?;
        let nonce = claims.get("nonce").and_then(|nonce| nonce.as_str())?;
        let made_at = nonces.made_at(nonce, now.earliest, now.latest);
        let is_fresh = made_at.is_some_and(|made_at| !NonceSecrets::is_to_be_renewed(made_at, now.latest));
        (!is_fresh).then(|| nonces.at(now.earliest).into())
    }

    fn check_claims<'s>(
        &self,
        claims: &Claims<'s>,
        request: &Request<'_>,
        token: Option<&[u8]>,
        now: Now,
    ) -> Result<Proof<'s>, ProofError> {
        let jti = claims.jti().filter(|jti| !jti.is_empty()).ok_or(ProofError::Member { name: "jti" })?;
        let iat = claims.iat().ok_or(ProofError::Member { name: "iat" })?;
        let text = |name| claims.get(name).and_then(|value| value.as_str()).ok_or(ProofError::Member { name });
        let (method, target) = (text("htm")?, text("htu")?);
        let hash = token.map(|token| Ok::<_, ProofError>((text("ath")?, token))).transpose()?;
        if Some(method) != request.method {
            let unknown = request.method.is_none();
            return Err(if unknown {
                ProofError::MethodUnknown
            } else {
                ProofError::WrongMethod { sent: method.into() }
            });
        }
        let uri = request.uri.text().ok_or(ProofError::UriUnknown)?;
        if !is_same_target(target, &uri) {
            return Err(ProofError::WrongUri { sent: target.into() });
        }
        let (issued_at, expires_at) = self.check_time(claims, iat, now)?;
        check_lifetime(claims, now)?;
        if hash.is_some_and(|(hash, token)| hash != base64url::encode(sha256(token))) {
            return Err(ProofError::WrongToken);
        }
        Ok(Proof { jti, issued_at, expires_at })
    }

    /// When the proof was issued, and until when it is accepted. Section 4.3, step 11: "as determined by either the iat claim
    /// or a server managed timestamp via the nonce claim".
    fn check_time(&self, claims: &Claims<'_>, iat: i64, now: Now) -> Result<(i64, i64), ProofError> {
        if let Some(nonces) = &self.nonces {
            let nonce = claims.get("nonce").ok_or(ProofError::NonceRequired)?;
            let made_at = nonce.as_str().and_then(|nonce| nonces.made_at(nonce, now.earliest, now.latest));
            let made_at = made_at.ok_or(ProofError::WrongNonce)?;
            return Ok((made_at, made_at.saturating_add(NONCE_SECONDS - 1)));
        }
        let max_age = self.settings.max_age.into();
        if iat < now.latest.saturating_sub(max_age) {
            return Err(ProofError::TooOld { issued_at: iat, now: now.latest });
        }
        if iat > now.earliest.saturating_add(PROOF_AHEAD) {
            return Err(ProofError::NotYetIssued { issued_at: iat, now: now.earliest });
        }
        Ok((iat, iat.saturating_add(max_age)))
    }
}

/// `exp` and `nbf`, which are optional in a proof, have their usual meaning (RFC 7519 section 4.1).
fn check_lifetime(claims: &Claims<'_>, now: Now) -> Result<(), ProofError> {
    let ahead = PROOF_AHEAD.unsigned_abs() as u32;
    if let Some(exp) = claims.exp() {
        check_not_expired(exp, ahead, now.latest)
            .map_err(|_| ProofError::TooOld { issued_at: exp, now: now.latest })?;
    }
    if let Some(nbf) = claims.nbf() {
        check_begun(nbf, ahead, now.earliest)
            .map_err(|_| ProofError::NotYetIssued { issued_at: nbf, now: now.earliest })?;
    }
    Ok(())
}
