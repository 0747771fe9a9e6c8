use crate::accounts::AccountError;
use crate::error::ServerError;
use crate::login::LoginError;
use crate::password_rules::PasswordRefused;
use crate::rate_limit::RetryAfter;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::borrow::Cow;
use tollgate::{Rejection, Unavailable};
use tollgate_storage::{Refusal, StorageError, WriteGate};

/// Why a request to the API is not answered as asked. The answer says what the caller may know; the cause goes to the log.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The engine's word.
    Rejected(Rejection),
    /// No such e-mail address, or another password.
    WrongPassword,
    /// The caller is a client, and the route is for users.
    NotAUser,
    /// The user may not manage API keys.
    NoManager,
    /// The caller is a client that speaks for a user, and the route is for the user's own credentials.
    NotOwn,
    /// The API key is bound to addresses, and a session would not be.
    KeyOfAddresses,
    BadRequest(&'static str),
    /// That member of the body.
    BadField(&'static str),
    /// A new password that is not taken.
    Password(PasswordRefused),
    TooLarge,
    NotFound,
    MethodNotAllowed,
    Conflict(&'static str),
    TooManyAttempts(RetryAfter),
    /// Nothing was changed, nor will be.
    TimedOut,
    /// Nothing was changed.
    Busy,
    /// The change is made.
    NotInForce,
    /// The change may have been made, or a part of it.
    OutcomeUnknown,
    /// What was made is revoked again.
    Withdrawn,
    Internal(ServerError),
}

impl Problem {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Rejected(rejection) => StatusCode::from_u16(rejection.status()).unwrap_or(StatusCode::UNAUTHORIZED),
            Self::WrongPassword => StatusCode::UNAUTHORIZED,
            Self::NotAUser | Self::NoManager | Self::NotOwn | Self::KeyOfAddresses => StatusCode::FORBIDDEN,
            Self::BadRequest(_) | Self::BadField(_) | Self::Password(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooManyAttempts(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::Busy | Self::NotInForce => StatusCode::SERVICE_UNAVAILABLE,
            Self::OutcomeUnknown | Self::Withdrawn | Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What is said of it.
    pub(crate) fn description(&self) -> Cow<'static, str> {
        self.texts().1
    }

    /// The body's `error` and `error_description`. Fixed texts: nothing of the request comes back in them.
    fn texts(&self) -> (&'static str, Cow<'static, str>) {
        let (code, description) = match self {
            Self::Rejected(rejection) => rejection_texts(rejection),
            Self::WrongPassword => ("invalid_credentials", "no such e-mail address, or another password"),
            Self::NotAUser => ("access_denied", "this route is for users"),
            Self::NoManager => ("access_denied", "your account may not manage API keys"),
            Self::KeyOfAddresses => (
                "access_denied",
                "a key with allowed addresses makes no session, whose token would be good from anywhere",
            ),
            Self::NotOwn => {
                ("access_denied", "this route is for a user's own credentials, not for those that a client was given")
            }
            Self::BadField(field) => {
                return ("invalid_request", format!("{field} is missing, malformed, too long or out of bounds").into());
            }
            Self::Password(refused) => return ("password_refused", refused.to_string().into()),
            Self::BadRequest(description) => ("invalid_request", *description),
            Self::TooLarge => ("payload_too_large", "the request body is too large"),
            Self::NotFound => ("not_found", "there is nothing here"),
            Self::MethodNotAllowed => ("method_not_allowed", "this route has no such method"),
            Self::Conflict(description) => ("conflict", *description),
            Self::TooManyAttempts(_) => ("too_many_attempts", "too many attempts: wait"),
            Self::TimedOut => ("timeout", "the request took too long; nothing was changed"),
            Self::Busy => ("busy", "the service is busy, and nothing was changed: try again"),
            Self::NotInForce => ("not_in_force", "the change is stored, but not in force here yet: wait"),
            Self::OutcomeUnknown => {
                ("outcome_unknown", "the change may have been made, or a part of it: look before you try again")
            }
            Self::Withdrawn => (
                "withdrawn",
                "what was made is revoked again, since its secret could not be given out: look before you try again",
            ),
            Self::Internal(_) => ("server_error", "the service could not answer: try again"),
        };
        (code, description.into())
    }

    /// WWW-Authenticate: every 401 has one (RFC 9110 section 15.5.2).
    fn challenge(&self) -> Option<HeaderValue> {
        match self {
            Self::Rejected(rejection) if rejection.status() >= 500 => None,
            Self::Rejected(rejection) => HeaderValue::try_from(rejection.challenge().to_string()).ok(),
            Self::WrongPassword => Some(HeaderValue::from_static("Bearer")),
            _ => None,
        }
    }

    fn retry_after(&self) -> Option<HeaderValue> {
        match self {
            Self::Rejected(rejection) => rejection.retry_after().map(Into::into),
            Self::TooManyAttempts(retry_after) => Some(retry_after.seconds.into()),
            Self::Busy | Self::NotInForce => Some(HeaderValue::from_static("1")),
            _ => None,
        }
    }
}

impl Problem {
    /// The cause goes to the log. What says that nothing was changed is not said of a request that has, or may have, changed something
    /// before it failed.
    pub(crate) fn logged(self) -> Self {
        match &self {
            Self::Internal(error) => tracing::error!(code = error.code(), "{error}"),
            Self::Rejected(rejection) => tracing::info!(code = rejection.code(), detail = %rejection, "rejected"),
            _ => {}
        }
        let may_have_written = || WriteGate::current().is_some_and(|gate| gate.may_have_written());
        match self {
            Self::Busy | Self::Internal(_) if may_have_written() => Self::OutcomeUnknown,
            problem => problem,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.logged().answer()
    }
}

impl Problem {
    /// The answer of the API.
    pub(crate) fn answer(self) -> Response {
        let mut response = (self.status(), Json(body(self.texts()))).into_response();
        if let Some(challenge) = self.challenge() {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(retry_after) = self.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, retry_after);
        }
        response
    }
}

/// The body that answers a rejection.
pub(crate) fn rejection_body(rejection: &Rejection) -> Value {
    let (code, description) = rejection_texts(rejection);
    body((code, description.into()))
}

/// What RFC 6750 section 3.1 says and no more.
fn rejection_texts(rejection: &Rejection) -> (&'static str, &'static str) {
    let challenge = rejection.challenge();
    match challenge.error() {
        None if rejection.status() == 403 => ("access_denied", "the credential may not be used from this address"),
        Some("insufficient_scope") => ("insufficient_scope", "the credential lacks a scope"),
        Some("invalid_request") => ("invalid_request", "send one credential"),
        Some("use_dpop_nonce") => ("use_dpop_nonce", "send a DPoP proof with the nonce of the field DPoP-Nonce"),
        Some("invalid_dpop_proof") => ("invalid_dpop_proof", "the DPoP proof is not accepted"),
        Some(_) => ("invalid_token", "the credential is not valid"),
        None if rejection.status() == 503 => ("temporarily_unavailable", "this cannot be decided now: try again"),
        None if rejection.status() >= 500 => ("server_error", "the service could not answer"),
        None if challenge.scheme() == "Basic" => ("invalid_client", "the client credentials are not valid"),
        None => ("unauthorized", "this route needs a credential of a kind that it accepts"),
    }
}

fn body((error, description): (&str, Cow<'_, str>)) -> Value {
    json!({"error": error, "error_description": description})
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<ServerError> for Problem {
    fn from(error: ServerError) -> Self {
        match error {
            ServerError::NotInForce => Self::NotInForce,
            ServerError::StaleClients => {
                Self::Rejected(Unavailable::StaleRevocations { issuer: "the store of clients".into() }.into())
            }
            ServerError::Withdrawn => Self::Withdrawn,
            ServerError::Store(error) => error.into(),
            error => Self::Internal(error),
        }
    }
}

impl From<StorageError> for Problem {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Refused(refusal) => refusal.into(),
            StorageError::Busy => Self::Busy,
            StorageError::OutcomeUnknown => Self::OutcomeUnknown,
            error => Self::Internal(ServerError::Store(error)),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound { .. } => Self::NotFound,
            Refusal::Field { field } => Self::BadField(field),
            Refusal::AlreadyExists { .. } => Self::Conflict("there is one of that name already"),
            Refusal::TooMany { .. } => Self::Conflict("there are as many as may be: revoke or end some first"),
            Refusal::Disabled { .. } => Self::Conflict("it is disabled: enable it first"),
            Refusal::KeyRevoked => Self::Conflict("the key is revoked, which is for ever: make a new one"),
            Refusal::KeyRotated { .. } => Self::Conflict("the key was rotated already: rotate the one in its place"),
            Refusal::KeyEnded { .. } => Self::Conflict("the key has ended: make a new one"),
            _ => Self::Conflict("it was changed meanwhile: look again"),
        }
    }
}

impl From<tollgate_issuer::IssuerError> for Problem {
    fn from(error: tollgate_issuer::IssuerError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::WrongPassword => Self::WrongPassword,
            LoginError::TooManyAttempts(retry_after) => Self::TooManyAttempts(retry_after),
            LoginError::Busy => Self::Busy,
            LoginError::Store(error) => error.into(),
        }
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Invalid { what: "name" } => Self::BadRequest("name must have 1 to 100 bytes"),
            AccountError::Invalid { what: "scopes" } => Self::BadRequest("scope asks for more than the user may have"),
            AccountError::Invalid { what: "expires_at" } => Self::BadRequest("expires_at must be in the future"),
            AccountError::Invalid { what } => Self::BadField(what),
            AccountError::Password(refused) => Self::Password(refused),
            AccountError::NotFound { .. } => Self::NotFound,
            AccountError::Store(error) => error.into(),
            AccountError::Server(error) => error.into(),
        }
    }
}
