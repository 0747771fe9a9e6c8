use std::fmt;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use tollgate::{ClaimsError, Rejection};

/// A [`Rejection`] as the error of an actix-web handler: answered with its status and challenge, and no body.
///
/// `?` makes it of a [`Rejection`] or a [`ClaimsError`]. The cause is for the server's own logs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rejected(pub Rejection);

impl ResponseError for Rejected {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::UNAUTHORIZED)
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        self.response(None)
    }
}

impl Rejected {
    pub(crate) fn response(&self, realm: Option<&str>) -> HttpResponse<BoxBody> {
        let mut response = HttpResponseBuilder::new(self.status_code());
        let challenge = self.0.challenge();
        let challenge = match realm {
            Some(realm) => challenge.with_realm(realm),
            None => challenge,
        };
        for field in challenge.fields() {
            response.insert_header(field);
        }
        response.finish()
    }
}

impl From<Rejection> for Rejected {
    fn from(rejection: Rejection) -> Self {
        Rejected(rejection)
    }
}

impl From<ClaimsError> for Rejected {
    fn from(error: ClaimsError) -> Self {
        Rejected(error.into())
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
