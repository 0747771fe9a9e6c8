//! The gateway as a proxy meets it.

#![forbid(unsafe_code)]

mod ext_authz;
mod internal_token;
mod paths;
mod real_proxies;
mod rules;
mod support;
