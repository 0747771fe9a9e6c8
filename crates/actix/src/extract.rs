use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use serde::de::DeserializeOwned;
use tollgate::{Principal, Rejection};

use crate::rejected::Rejected;

/// The [`Principal`] of the request, for handlers behind an [`Auth`](crate::Auth).
///
/// Without one the request is answered with 401; `Option<Authenticated>` takes both cases.
#[derive(Clone, Debug)]
pub struct Authenticated(pub Principal);

impl FromRequest for Authenticated {
    type Error = Rejected;
    type Future = Ready<Result<Self, Rejected>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let principal = request.extensions().get().cloned();
        ready(principal.map(Authenticated).ok_or(Rejected(Rejection::MissingCredential)))
    }
}

/// The claims of the request's token as a `T`, for handlers behind an [`Auth`](crate::Auth).
///
/// Without a principal the request is answered with 401, and where the claims are no `T` with 403; the error names the claim.
#[derive(Clone, Copy, Debug)]
pub struct Claims<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Claims<T> {
    type Error = Rejected;
    type Future = Ready<Result<Self, Rejected>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let extensions = request.extensions();
        let principal: Result<&Principal, _> = extensions.get().ok_or(Rejected(Rejection::MissingCredential));
        ready(principal.and_then(|principal| Ok(Claims(principal.claims()?))))
    }
}
