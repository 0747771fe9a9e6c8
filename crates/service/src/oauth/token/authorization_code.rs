use super::{UserGrant, issue_first};
use crate::app::App;
use crate::confirmation::Confirmation;
use crate::form::Form;
use crate::ids::{digest, now};
use crate::limits::CODE_VERIFIER_CHARS;
use crate::oauth::client_auth::AuthenticatedClient;
use crate::oauth::error::OAuthError;
use crate::revocations;
use crate::tokens::Grant;
use axum::response::Response;
use std::sync::Arc;
use tollgate::jwt::base64url;
use tollgate_storage::GrantType;
use tollgate_storage::accounts::{AuthorizationCode, LoginSession, PresentedCode, Redemption};

/// RFC 6749 section 4.1.3 with RFC 7636 section 4.5: a code, once, for tokens of the user who let the client have it.
pub(super) async fn token(
    app: &Arc<App>,
    client: AuthenticatedClient,
    form: &Form<'_>,
    confirmation: Confirmation,
) -> Result<Response, OAuthError> {
    client.require(GrantType::AuthorizationCode)?;
    let required = |name, missing| form.value(name).ok_or(OAuthError::InvalidRequest(missing));
    let presented = PresentedCode {
        digest: digest(required("code", "code is missing")?),
        client_id: client.id.clone(),
        // As in the authorization request, absent too.
        redirect_uri: form.value("redirect_uri").unwrap_or_default().to_owned(),
        code_challenge: challenge(required("code_verifier", "code_verifier is missing")?)?,
        dpop_jkt: confirmation.jkt(),
    };
    app.blocking(move |app| {
        let (code, session) = redeem(app, &presented)?;
        let AuthorizationCode { token_id, scope, nonce, .. } = &code;
        let grant = UserGrant { token_id, scope, session: &session, nonce: nonce.as_deref(), confirmation };
        issue_first(app, &client, grant)?.ok_or(OAuthError::InvalidGrant(UNKNOWN))
    })
    .await
}

/// Uses the code up; it, and the login that it comes of. A second use ends whatever came of the first.
fn redeem(app: &App, presented: &PresentedCode) -> Result<(AuthorizationCode, LoginSession), OAuthError> {
    let (keys, store, now) = (&app.accounts.keys, &app.accounts.store, now());
    Err(OAuthError::InvalidGrant(match keys.wait(store.redeem_code(presented, now))? {
        Redemption::First(code) => {
            let sessions = keys.wait(store.login_sessions_of(&code.user_id, now))?;
            let session = sessions.into_iter().find(|session| session.id == code.session_id);
            let session = session.ok_or(OAuthError::InvalidGrant(UNKNOWN))?;
            let (subject, session_id) = (code.user_id.as_str(), Some(code.session_id.as_str()));
            let grant = Grant { session_id, ..Grant::of(&code.client_id, subject) };
            if !revocations::concern(keys, &app.origin, &grant, code.created_at)? {
                return Ok((code, session));
            }
            UNKNOWN
        }
        Redemption::Again(code) => {
            tracing::warn!(client_id = ?code.client_id, "an authorization code was used twice: its grant has ended");
            app.end_grant(&code.token_id, &code.user_id)?;
            "the code was used before; what was made from it is revoked"
        }
        Redemption::Expired => "the code has expired",
        Redemption::OtherRedirectUri => "redirect_uri differs from that of the authorization request",
        Redemption::OtherVerifier => "code_verifier does not belong to the code_challenge",
        Redemption::OtherKey => "the DPoP proof is missing, or not by the key that the code is for",
        Redemption::Unknown => UNKNOWN,
    }))
}

/// The S256 challenge of a code verifier (RFC 7636 section 4.6).
fn challenge(verifier: &str) -> Result<String, OAuthError> {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if CODE_VERIFIER_CHARS.contains(&verifier.len()) && verifier.bytes().all(is_unreserved) {
        Ok(base64url::encode(digest(verifier)))
    } else {
        Err(OAuthError::InvalidGrant("code_verifier is not 43 to 128 characters of A-Z a-z 0-9 - . _ ~"))
    }
}

const UNKNOWN: &str = "unknown code";
