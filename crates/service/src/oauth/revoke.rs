use super::client_auth::AuthenticatedClient;
use super::client_form::ClientForm;
use super::error::OAuthError;
use super::presented_token::access_token;
use crate::app::App;
use crate::audit;
use axum::extract::State;
use axum::http::StatusCode;
use std::sync::Arc;
use zeroize::Zeroizing;

/// `POST /oauth/v2/revoke` (RFC 7009). A refresh token ends its grant; an access token ends alone.
///
/// The answer to a token that is unknown, has ended or is another client's is the same as to one that was revoked (section 2.2). Both
/// types are looked for whatever `token_type_hint` says (section 2.1), so nothing is an `unsupported_token_type`.
pub(crate) async fn revoke(State(app): State<Arc<App>>, request: ClientForm) -> Result<StatusCode, OAuthError> {
    let AuthenticatedClient { id, .. } = request.authenticate(&app).await?;
    let token = request.form.value("token").ok_or(OAuthError::InvalidRequest("token is missing"))?;
    let token = Zeroizing::new(token.to_owned());
    let by = audit::caller_as(&id, None);
    app.blocking_for(by, move |app| {
        if let Some((family, _)) = app.refresh_family(&token, &id)? {
            app.end_refresh_family(&family)?;
        } else if let Some(token) = access_token(app, &token)?.filter(|token| token.client_id() == Some(&id)) {
            app.revoke_tokens(token.credential_id().map(str::to_owned).as_slice())?;
        }
        Ok::<_, OAuthError>(StatusCode::OK)
    })
    .await
}
