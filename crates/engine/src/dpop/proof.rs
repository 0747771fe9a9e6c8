//! Checks one proof as RFC 9449 section 4.3 says, the cheapest checks first.

use std::sync::Arc;

use subtle::ConstantTimeEq;
use tollgate_jwt::{Claims, CompactJws, base64url, json};
use tollgate_keys::sha256;

use super::DpopChecks;
use super::error::ProofError;
use super::proof_keys::ProofKey;
use super::target::is_same_target;
use crate::clock::Now;
use crate::limits::{MAX_PROOF_BYTES, PROOF_AHEAD};
use crate::policy::{check_begun, check_not_expired};
use crate::rejection::Rejection;
use crate::request::{Proofs, Request};
use crate::thread::Thread;

/// The claims of a checked proof that are needed to spend it.
pub(super) struct Proof<'s> {
    pub(super) jti: &'s str,
    pub(super) issued_at: i64,
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

    /// The thumbprint of the key whose proof the request has. The proof is for this request and for no token. This spends
    /// the proof.
    pub(crate) fn check_alone(
        &self,
        request: &Request<'_>,
        now: Now,
        thread: &mut Thread,
    ) -> Result<[u8; 32], Rejection> {
        self.check_for(None, request, now, thread)
    }

    fn check_for(
        &self,
        bound: Option<Bound<'_>>,
        request: &Request<'_>,
        now: Now,
        thread: &mut Thread,
    ) -> Result<[u8; 32], Rejection> {
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
        Ok(*thumbprint)
    }

    /// The current nonce, if the proof of an accepted request has the one before.
    pub(crate) fn renewed_nonce(&self, request: &Request<'_>, now: Now) -> Option<Box<str>> {
        let (nonces, Proofs::One(proof)) = (self.nonces.as_ref()?, request.proofs) else { return None };
        let jws = CompactJws::parse_within(str::from_utf8(proof).ok()?, MAX_PROOF_BYTES).ok()?;
        let (mut buffer, current) = (json::Buffer::default(), nonces.at(now.earliest));
        let claims = jws.decode_claims(&mut buffer).ok()?;
        let is_current = claims.get("nonce").and_then(|nonce| nonce.as_str()) == Some(&*current);
        (!is_current).then(|| current.into())
    }

    fn check_claims<'s>(
        &self,
        claims: &Claims<'s>,
        request: &Request<'_>,
        token: Option<&[u8]>,
        now: Now,
    ) -> Result<Proof<'s>, ProofError> {
        let jti = claims.jti().filter(|jti| !jti.is_empty()).ok_or(ProofError::Member { name: "jti" })?;
        let issued_at = claims.iat().ok_or(ProofError::Member { name: "iat" })?;
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
        if issued_at < now.latest.saturating_sub(self.settings.max_age.into()) {
            return Err(ProofError::TooOld { issued_at, now: now.latest });
        }
        if issued_at > now.earliest.saturating_add(PROOF_AHEAD) {
            return Err(ProofError::NotYetIssued { issued_at, now: now.earliest });
        }
        check_lifetime(claims, now)?;
        if hash.is_some_and(|(hash, token)| hash != base64url::encode(sha256(token))) {
            return Err(ProofError::WrongToken);
        }
        if let Some(nonces) = &self.nonces {
            let nonce = claims.get("nonce").ok_or(ProofError::NonceRequired)?;
            if !nonce.as_str().is_some_and(|nonce| nonces.admit(nonce, now.earliest)) {
                return Err(ProofError::WrongNonce);
            }
        }
        Ok(Proof { jti, issued_at })
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
