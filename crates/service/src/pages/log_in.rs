//! What the forms of `/login` and of `/oauth/v2/login` have in common: the login itself.

use super::browser::{is_ours, session_cookie};
use super::cookies::Cookie;
use super::problem::{FormProblem, failed};
use crate::app::App;
use crate::audit;
use crate::client_address::ClientAddress;
use crate::form::Form;
use crate::ids::{digest, new_secret, now};
use crate::limits::{DEVICE_TTL_SECONDS, LOGIN_SESSION_TTL_SECONDS, MAX_DEVICES_PER_USER};
use crate::login::{Attempt, LoginError};
use crate::login_sessions::Visitor;
use crate::problem::Problem;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use std::sync::Arc;
use tollgate_storage::AuditRecord;
use tollgate_storage::accounts::{KnownDevice, LoginSession, User};
use zeroize::Zeroizing;

/// A browser that has just logged in.
pub(crate) struct LoggedIn {
    pub(crate) session: LoginSession,
    pub(crate) user: User,
    /// Set-Cookie, each.
    pub(crate) cookies: Vec<HeaderValue>,
}

/// Why nobody is logged in.
pub(crate) enum LogInRefused {
    /// The form is to be shown again, with that problem.
    Again(StatusCode, FormProblem),
    /// The answer.
    Failed(Box<Response>),
}

/// Logs in with the form's `email` and `password`.
pub(crate) async fn log_in(
    app: &Arc<App>,
    form: &Form<'_>,
    client: ClientAddress,
    headers: &HeaderMap,
) -> Result<LoggedIn, LogInRefused> {
    if !is_ours(app, headers, form) {
        let problem = FormProblem::new("The form had expired. Please try again.");
        return Err(LogInRefused::Again(StatusCode::FORBIDDEN, problem));
    }
    let (email, password) = (form.value("email").unwrap_or_default(), form.value("password").unwrap_or_default());
    let device = app.cookies.value(Cookie::Device, headers).map(|value| Zeroizing::new(value.to_owned()));
    let attempt = Attempt {
        email,
        password: Zeroizing::new(password.to_owned()),
        from: client.counted(),
        device: device.as_ref().map(|value| digest(value)),
    };
    let user = app.login.check(attempt).await?;
    let (visitor, old) = (Visitor::new(client, headers), session_cookie(app, headers));
    let begun = app.blocking(move |app| {
        // Whose browser it was before is logged out. One person who logs in again keeps what came of the login before.
        let old = old.map(|old| app.browser_session(&old)).transpose()?.flatten();
        let (own, anothers): (Option<_>, Option<_>) = match old {
            Some((session, owner)) if owner.id == user.id => (Some(session), None),
            anothers => (None, anothers),
        };
        let (session, value) = app.begin_browser_session(&user, visitor, own)?;
        if let Some((session, owner)) = anothers {
            app.accounts.end_session(&owner.id, &session.id)?;
        }
        let device = app.know_device(&user, device)?;
        Ok(LoggedIn {
            session,
            user,
            cookies: vec![
                app.cookies.set(Cookie::Session, &value, LOGIN_SESSION_TTL_SECONDS),
                app.cookies.set(Cookie::Device, &device, DEVICE_TTL_SECONDS),
            ],
        })
    });
    begun.await.map_err(|problem: Problem| match problem {
        Problem::WrongPassword => LogInRefused::from(LoginError::WrongPassword),
        problem => LogInRefused::Failed(Box::new(failed(problem))),
    })
}

impl App {
    /// Remembers that the user has logged in from this browser; the value of its cookie, which stays what it was. Waits for the disk.
    fn know_device(&self, user: &User, value: Option<Zeroizing<String>>) -> Result<Zeroizing<String>, Problem> {
        let value = match value.filter(|value| value.len() == DEVICE_CHARS) {
            Some(value) => value,
            None => new_secret()?.0,
        };
        let last_login_at = now();
        let device = KnownDevice {
            digest: digest(&value),
            user_id: user.id.clone(),
            last_login_at,
            expires_at: last_login_at.saturating_add(DEVICE_TTL_SECONDS),
        };
        let by = audit::caller_as(&user.id, Some("password".to_owned()));
        let record = AuditRecord::new(&by, "device.add", &user.id)?;
        self.accounts.keys.wait(self.accounts.store.add_known_device(&device, MAX_DEVICES_PER_USER, &record))?;
        Ok(value)
    }
}

impl From<LoginError> for LogInRefused {
    fn from(error: LoginError) -> Self {
        let again = |status, text: &str| Self::Again(status, FormProblem::new(text));
        match error {
            LoginError::WrongPassword => {
                let text = "The e-mail address or the password is wrong.";
                Self::Again(StatusCode::FORBIDDEN, FormProblem::of("password", text))
            }
            LoginError::TooManyAttempts(wait) => {
                let text = format!("Too many attempts. Please wait {} seconds.", wait.seconds);
                again(StatusCode::TOO_MANY_REQUESTS, &text)
            }
            LoginError::Busy => again(StatusCode::SERVICE_UNAVAILABLE, "The service is busy. Please try again."),
            LoginError::Store(error) => Self::Failed(Box::new(failed(error.into()))),
        }
    }
}

/// Characters of a device's cookie: base64url of 32 bytes.
const DEVICE_CHARS: usize = 43;
