//! The service over a real socket, with a real client: every flow, and each way in which it fails.

#![forbid(unsafe_code)]

mod admin_clients;
mod admin_keys;
mod api_keys;
mod authorize;
mod demo;
mod limits;
mod logs;
mod opaque;
mod processes;
mod proxies;
mod restart;
mod revocations;
mod sessions;
mod storage;
mod support;
mod token;
mod well_known;
