use super::dpop::DPOP_NONCE;
use crate::error::ServerError;
use crate::problem::Problem;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tollgate_storage::StorageError;

/// An error answer of the token endpoint (RFC 6749 section 5.2).
///
/// Descriptions are fixed texts: nothing of the request comes back in them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum OAuthError {
    InvalidRequest(&'static str),
    InvalidClient,
    /// RFC 9449 section 5.
    InvalidDpopProof(&'static str),
    /// RFC 9449 section 8, with the nonce for the next proof.
    UseDpopNonce(Box<str>),
    InvalidGrant(&'static str),
    UnauthorizedClient,
    UnsupportedGrantType,
    InvalidScope,
    /// RFC 8707 section 2.
    InvalidTarget,
    /// RFC 8628 section 3.5, with the next three.
    AuthorizationPending,
    SlowDown,
    AccessDenied,
    ExpiredToken,
    ServerError,
    /// To be asked again after so many seconds.
    TemporarilyUnavailable(u32),
}

impl OAuthError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidDpopProof(_) => "invalid_dpop_proof",
            Self::UseDpopNonce(_) => "use_dpop_nonce",
            Self::InvalidGrant(_) => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::AccessDenied => "access_denied",
            Self::ExpiredToken => "expired_token",
            Self::ServerError => "server_error",
            // RFC 6749 has it for the authorization endpoint (section 4.1.2.1).
            Self::TemporarilyUnavailable(_) => "temporarily_unavailable",
        }
    }

    fn description(&self) -> &'static str {
        match self {
            Self::InvalidRequest(description)
            | Self::InvalidGrant(description)
            | Self::InvalidDpopProof(description) => description,
            Self::InvalidClient => "client authentication failed",
            Self::UseDpopNonce(_) => "send a DPoP proof with the nonce of the field DPoP-Nonce",
            Self::UnauthorizedClient => "the client is not registered for this grant_type",
            Self::UnsupportedGrantType => "grant_type is none of grant_types_supported",
            Self::InvalidScope => "scope asks for more than the client may have",
            Self::AuthorizationPending => "the user has not decided yet: ask again after the interval",
            Self::SlowDown => "the device asks too often: wait five seconds longer than before from now on",
            Self::AccessDenied => "the user has not let the device have it, or has logged out since",
            Self::ExpiredToken => "the device code has expired: begin again",
            Self::InvalidTarget => "resource is none of this service's",
            Self::ServerError => "the service could not answer; try again",
            Self::TemporarilyUnavailable(_) => "this cannot be decided now; try again",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::InvalidClient => StatusCode::UNAUTHORIZED,
            Self::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TemporarilyUnavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// The problem's own answer is not one of RFC 6749. Its cause goes to the log.
impl From<Problem> for OAuthError {
    fn from(problem: Problem) -> Self {
        match problem.logged() {
            Problem::Rejected(rejection) => {
                rejection.retry_after().map_or(Self::ServerError, Self::TemporarilyUnavailable)
            }
            _ => Self::ServerError,
        }
    }
}

impl From<ServerError> for OAuthError {
    fn from(error: ServerError) -> Self {
        Problem::from(error).into()
    }
}

impl From<StorageError> for OAuthError {
    fn from(error: StorageError) -> Self {
        Problem::from(error).into()
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = json!({"error": self.code(), "error_description": self.description()});
        let mut response = (self.status(), Json(body)).into_response();
        if self == Self::InvalidClient {
            let challenge = HeaderValue::from_static(r#"Basic realm="tollgate", charset="UTF-8""#);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Self::TemporarilyUnavailable(seconds) = self {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if let Self::UseDpopNonce(nonce) = &self
            && let Ok(nonce) = HeaderValue::try_from(&**nonce)
        {
            response.headers_mut().insert(DPOP_NONCE, nonce);
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        response
    }
}
