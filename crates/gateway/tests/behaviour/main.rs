//! The gateway as a proxy meets it.

mod paths;
mod real_proxies;
mod rules;
mod support;
