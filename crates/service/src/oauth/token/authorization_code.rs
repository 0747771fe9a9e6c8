use super::{OfCode, failed, issue};
use crate::app::App;
use crate::form::Form;
use crate::ids::{digest, now};
use crate::limits::CODE_VERIFIER_CHARS;
use crate::oauth::client_auth::AuthenticatedClient;
use crate::oauth::error::OAuthError;
use crate::problem::Problem;
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
    client: &AuthenticatedClient,
    form: &Form<'_>,
    jkt: Option<String>,
) -> Result<Response, OAuthError> {
    client.require(GrantType::AuthorizationCode)?;
    let (code, session) = redeem(app, &client.id, form, jkt.clone()).await?;
    let of_code = OfCode { token_id: code.token_id, nonce: code.nonce, session };
    issue(app, client.id.clone(), code.user_id, code.scope, Some(of_code), jkt).await
}

/// Uses the code up; it, and the login that it comes of. A second use revokes the token made from the first.
async fn redeem(
    app: &Arc<App>,
    client_id: &str,
    form: &Form<'_>,
    dpop_jkt: Option<String>,
) -> Result<(AuthorizationCode, LoginSession), OAuthError> {
    let required = |name, missing| form.value(name).ok_or(OAuthError::InvalidRequest(missing));
    let presented = PresentedCode {
        digest: digest(required("code", "code is missing")?),
        client_id: client_id.to_owned(),
        // As in the authorization request, absent too.
        redirect_uri: form.value("redirect_uri").unwrap_or_default().to_owned(),
        code_challenge: challenge(required("code_verifier", "code_verifier is missing")?)?,
        dpop_jkt,
    };
    let (redemption, session) = app
        .blocking(move |app| {
            let now = now();
            let (keys, store) = (&app.accounts.keys, &app.accounts.store);
            let redemption = keys.wait(store.redeem_code(&presented, now))?;
            if let Redemption::First(code) = &redemption {
                let sessions = keys.wait(store.login_sessions_of(&code.user_id, now))?;
                let session = sessions.into_iter().find(|session| session.id == code.session_id);
                let (subject, session_id) = (code.user_id.as_str(), Some(code.session_id.as_str()));
                let grant = Grant { session_id, ..Grant::of(&code.client_id, subject) };
                if session.is_none() || revocations::concern(keys, &app.origin, &grant, code.created_at)? {
                    return Ok((Redemption::Unknown, None));
                }
                return Ok((redemption, session));
            }
            if let Redemption::Again(code) = &redemption {
                let until = now.saturating_add(app.tokens.access_token_ttl());
                revocations::revoke_token(&app.accounts.keys, &app.origin, &code.token_id, until)?;
                tracing::warn!(client_id = ?code.client_id, "an authorization code was used twice: its token is revoked");
            }
            Ok::<_, Problem>((redemption, None))
        })
        .await
        .map_err(failed)?;
    Err(OAuthError::InvalidGrant(match redemption {
        Redemption::First(code) => return session.map(|session| (code, session)).ok_or(OAuthError::ServerError),
        Redemption::Again(_) => "the code was used before; the token made from it is revoked",
        Redemption::Expired => "the code has expired",
        Redemption::OtherRedirectUri => "redirect_uri differs from that of the authorization request",
        Redemption::OtherVerifier => "code_verifier does not belong to the code_challenge",
        Redemption::OtherKey => "the DPoP proof is missing, or not by the key that the code is for",
        Redemption::Unknown => "unknown code",
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
