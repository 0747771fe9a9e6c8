use super::done;
use crate::accounts::AccountError;
use crate::app::App;
use crate::pages::browser::FormOfBrowser;
use crate::pages::login::logged_out;
use crate::pages::problem::failed;
use crate::problem::Problem;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;
use tollgate_storage::{Refusal, StorageError};

/// `POST /profile/sessions/end`: ends the login of `session_id`, and what came of it.
pub(crate) async fn end_session(State(app): State<Arc<App>>, sent: FormOfBrowser) -> Result<Response, Response> {
    let FormOfBrowser { session, user, form, by, .. } = sent;
    let session_id = form.value("session_id").unwrap_or_default().to_owned();
    let is_current = session_id == session.id;
    let end = move |app: &App| match app.accounts.end_session(&user.id, &session_id) {
        // Ended already.
        Err(AccountError::Store(StorageError::Refused(Refusal::NotFound { .. }))) => Ok(()),
        ended => Ok::<_, Problem>(ended?),
    };
    app.blocking_for(by, end).await.map_err(failed)?;
    Ok(if is_current { logged_out(&app, "/logout") } else { done("login-ended") })
}

/// `POST /profile/sessions/end-all`: ends every login of the user, this one too.
pub(crate) async fn end_all_sessions(State(app): State<Arc<App>>, sent: FormOfBrowser) -> Result<Response, Response> {
    let FormOfBrowser { user, by, .. } = sent;
    app.blocking_for(by, move |app| Ok::<_, Problem>(app.accounts.log_out(&user.id)?)).await.map_err(failed)?;
    Ok(logged_out(&app, "/logout"))
}
