use super::client_auth::{AuthenticatedClient, authenticate};
use super::client_form;
use super::error::OAuthError;
use super::presented_token::access_token;
use crate::app::App;
use crate::audit;
use crate::sender::Sender;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use std::sync::Arc;
use zeroize::Zeroizing;

/// `POST /oauth/v2/revoke` (RFC 7009). A refresh token ends its grant; an access token ends alone.
///
/// The answer to a token that is unknown, has ended or is another client's is the same as to one that was revoked (section 2.2). Both
/// types are looked for whatever `token_type_hint` says (section 2.1), so nothing is an `unsupported_token_type`.
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    sender: Sender,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, axum::response::Response> {
    let body = crate::json::body(body).map_err(IntoResponse::into_response)?;
    answer(&app, &headers, &body, &sender).await.map_err(IntoResponse::into_response)
}

async fn answer(app: &Arc<App>, headers: &HeaderMap, body: &[u8], sender: &Sender) -> Result<StatusCode, OAuthError> {
    let form = client_form::read(headers, body)?;
    let AuthenticatedClient { id, .. } = authenticate(app, headers, &form, sender).await?;
    let token = form.value("token").ok_or(OAuthError::InvalidRequest("token is missing"))?;
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
