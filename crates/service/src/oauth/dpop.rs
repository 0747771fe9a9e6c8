//! DPoP at the endpoints that clients call (RFC 9449 section 5): the key that a token is to be bound to.

use super::error::OAuthError;
use crate::app::App;
use crate::ids::now;
use crate::limits::{MAX_SPENT_PROOFS_PER_OWNER, PROOF_BUSY_SECONDS, SPENT_PROOF_MARGIN_SECONDS};
use crate::sender::Sender;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use tollgate::jwt::base64url;
use tollgate::{Algorithm, Request, VerifiedProof};
use tollgate_storage::accounts::SpentJti;
use tollgate_storage::{Refusal, StorageError};

/// What proofs may be signed with, here and at the API.
pub(crate) const ALGORITHMS: [Algorithm; 4] = [Algorithm::ES256, Algorithm::EdDSA, Algorithm::PS256, Algorithm::RS256];

pub(super) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The client that sends a proof, which has authenticated before, as far as it can.
pub(super) struct Prover<'a> {
    pub(super) client_id: &'a str,
    pub(super) is_public: bool,
    pub(super) sender: &'a Sender,
}

/// A key of which a client has shown possession.
#[derive(Default)]
pub(super) struct ProvenKey {
    /// Its thumbprint; `None` without a proof.
    pub(super) thumbprint: Option<[u8; 32]>,
    /// The next nonce, if that of the proof nears its end.
    next_nonce: Option<HeaderValue>,
}

impl ProvenKey {
    /// Gives the client the next nonce along with the answer (section 8.2).
    pub(super) fn with_nonce(self, mut answer: Response) -> Response {
        answer.headers_mut().extend(self.next_nonce.map(|nonce| (DPOP_NONCE, nonce)));
        answer
    }
}

/// The key whose proof is sent with a POST to `path`. The proof is spent in all processes of the store.
pub(super) async fn prove(
    app: &App,
    headers: &HeaderMap,
    path: &str,
    prover: &Prover<'_>,
) -> Result<ProvenKey, OAuthError> {
    let mut proofs = headers.get_all("dpop").iter().peekable();
    if proofs.peek().is_none() {
        return Ok(ProvenKey::default());
    }
    let mut request = Request::new().method("POST").uri_of(prover.sender.origin(app), path);
    for proof in proofs {
        request = request.proof(proof.as_bytes());
    }
    let proof = app.proofs.verify_proof(&request).map_err(|rejection| {
        tracing::info!(code = rejection.code(), detail = %rejection, "DPoP proof rejected");
        match (rejection.challenge().error(), rejection.dpop_nonce()) {
            (Some("use_dpop_nonce"), Some(nonce)) => OAuthError::UseDpopNonce(nonce.into()),
            _ => rejection.retry_after().map_or(NOT_ACCEPTED, OAuthError::TemporarilyUnavailable),
        }
    })?;
    spend(app, &proof, prover).await?;
    let next_nonce = app.proofs.renewed_dpop_nonce(&request).and_then(|nonce| HeaderValue::try_from(&*nonce).ok());
    Ok(ProvenKey { thumbprint: Some(*proof.thumbprint()), next_nonce })
}

/// Section 11.1. The engine of this process has spent the proof; here the others do.
async fn spend(app: &App, proof: &VerifiedProof, prover: &Prover<'_>) -> Result<(), OAuthError> {
    let owner = if prover.is_public {
        // Anybody can send the id of a public client, so that its proofs do not share what may be recorded. Each network makes so many.
        let asked = app.proof_throttle.proof(prover.sender.address.counted());
        asked.map_err(|wait| OAuthError::TemporarilyUnavailable(u32::try_from(wait.seconds).unwrap_or(u32::MAX)))?;
        format!("key {}", base64url::encode(proof.thumbprint()))
    } else {
        // No client's id has a space in it.
        format!("proofs of {}", prover.client_id)
    };
    let expires_at = proof.expires_at().saturating_add(SPENT_PROOF_MARGIN_SECONDS);
    let jti = SpentJti { owner, digest: *proof.id(), expires_at };
    match app.accounts.store.spend_jti(&jti, now(), MAX_SPENT_PROOFS_PER_OWNER).await {
        Ok(true) => Ok(()),
        Ok(false) => {
            tracing::info!(client_id = ?prover.client_id, "DPoP proof rejected: it was used at another process");
            Err(NOT_ACCEPTED)
        }
        Err(StorageError::Refused(Refusal::TooMany { .. })) => {
            Err(OAuthError::TemporarilyUnavailable(PROOF_BUSY_SECONDS))
        }
        Err(error) => Err(error.into()),
    }
}

const NOT_ACCEPTED: OAuthError = OAuthError::InvalidDpopProof("the DPoP proof is not accepted");
