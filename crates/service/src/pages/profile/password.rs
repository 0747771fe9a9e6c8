use super::again;
use crate::accounts::AccountError;
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::login::{Attempt, LoginError};
use crate::pages::browser::FormOfBrowser;
use crate::pages::cookies::Cookie;
use crate::pages::login::{PASSWORD_CHANGED, logged_out};
use crate::pages::problem::{FormProblem, failed, sentence};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;
use zeroize::Zeroizing;

/// `POST /profile/password`: `new` for whoever knows the `current` one. Every login and token of the user ends, this login too.
pub(crate) async fn set_password(
    State(app): State<Arc<App>>,
    client: ClientAddress,
    sent: FormOfBrowser,
) -> Result<Response, Response> {
    let field = |name| Zeroizing::new(sent.form.value(name).unwrap_or_default().to_owned());
    let device = app.cookies.value(Cookie::Device, &sent.headers).map(crate::ids::digest);
    let attempt = Attempt { email: &sent.user.email, password: field("current"), from: client.counted(), device };
    let user = match app.login.check(attempt).await {
        Ok(user) => user,
        Err(LoginError::WrongPassword) => {
            let problem = FormProblem::of("current-password", "That is not your current password.");
            return Ok(again(&app, sent, StatusCode::FORBIDDEN, problem).await);
        }
        Err(LoginError::TooManyAttempts(wait)) => {
            let problem = FormProblem::new(format!("Too many attempts. Please wait {} seconds.", wait.seconds));
            return Ok(again(&app, sent, StatusCode::TOO_MANY_REQUESTS, problem).await);
        }
        Err(error) => return Err(failed(error.into())),
    };
    let new = field("new");
    let changed = app.blocking_for(sent.by.clone(), move |app| app.accounts.set_password(&user.id, &new)).await;
    match changed {
        Ok(_) => Ok(logged_out(&app, &format!("/login?{PASSWORD_CHANGED}"))),
        Err(AccountError::Password(refused)) => {
            let problem = FormProblem::of("new-password", sentence(&refused.to_string()));
            Ok(again(&app, sent, StatusCode::BAD_REQUEST, problem).await)
        }
        Err(error) => Err(failed(error.into())),
    }
}
