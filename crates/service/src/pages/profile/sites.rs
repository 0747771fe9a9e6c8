use super::done;
use crate::app::App;
use crate::pages::browser::FormOfBrowser;
use crate::pages::problem::failed;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

/// `POST /profile/consents/revoke`: takes back what the client of `client_id` was allowed, and ends what it was given.
pub(crate) async fn revoke_consent(State(app): State<Arc<App>>, sent: FormOfBrowser) -> Result<Response, Response> {
    let FormOfBrowser { user, form, by, .. } = sent;
    let client_id = form.value("client_id").unwrap_or_default().to_owned();
    app.blocking_for(by, move |app| app.revoke_consent(&user.id, &client_id)).await.map_err(failed)?;
    Ok(done("disconnected"))
}
