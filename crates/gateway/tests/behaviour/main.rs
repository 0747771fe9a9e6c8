//! The gateway from a proxy's point of view.

#![forbid(unsafe_code)]

mod ext_authz;
mod internal_token;
mod paths;
mod real_proxies;
mod rules;
mod support;
