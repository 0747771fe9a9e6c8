//! The gateway as a proxy meets it.

#![forbid(unsafe_code)]

mod paths;
mod real_proxies;
mod rules;
mod support;
