//! The service as an OAuth 2.0 authorization server (RFC 6749, RFC 7636, RFC 9068, RFC 9207, RFC 9700).

mod authorize;
mod client_auth;
mod cookies;
mod error;
mod log_in;
mod login_page;
mod metadata;
mod page;
mod request;
mod token;

pub(crate) use authorize::{login, show};
pub(crate) use cookies::{Cookie, Cookies};
pub(crate) use login_page::{log_in_by_form, log_out, show_login};
pub(crate) use metadata::{authorization_server, jwks, protected_resource};
pub(crate) use token::token;
