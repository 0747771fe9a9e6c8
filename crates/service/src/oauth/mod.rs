//! The service as an OAuth 2.0 authorization server (RFC 6749, RFC 7636, RFC 8628, RFC 8705, RFC 8707, RFC 9068, RFC 9126, RFC 9207, RFC 9449, RFC 9700) and an OpenID Provider
//! (OpenID Connect Core 1.0).

mod authorize;
mod client_auth;
mod client_form;
mod consent;
mod device;
mod device_authorization;
mod dpop;
mod error;
mod form_post;
mod id_token;
mod introspect;
mod logout;
mod metadata;
mod par;
mod presented_token;
mod request;
mod revoke;
mod token;
mod user_code;
mod userinfo;

pub(crate) use authorize::{login, repeat_as_get, show};
pub(crate) use client_form::ClientForm;
pub(crate) use consent::decide;
pub(crate) use device::{decide_device, enter_code, log_in_at_device, show_device};
pub(crate) use device_authorization::authorize_device;
pub(crate) use dpop::ALGORITHMS as DPOP_ALGORITHMS;
pub(crate) use id_token::ACR;
pub(crate) use introspect::introspect;
pub(crate) use logout::{confirm as confirm_logout, show as show_logout};
pub(crate) use metadata::{authorization_server, jwks, openid_configuration, protected_resource};
pub(crate) use par::push;
pub(crate) use request::AuthorizationRequest;
pub(crate) use revoke::revoke;
pub(crate) use token::token;
pub(crate) use userinfo::userinfo;
