//! The service as an OAuth 2.0 authorization server (RFC 6749, RFC 7636, RFC 8707, RFC 9068, RFC 9207, RFC 9700).

mod authorize;
mod client_auth;
mod consent;
mod error;
mod metadata;
mod request;
mod token;

pub(crate) use authorize::{login, show};
pub(crate) use consent::decide;
pub(crate) use metadata::{authorization_server, jwks, protected_resource};
pub(crate) use request::AuthorizationRequest;
pub(crate) use token::token;
