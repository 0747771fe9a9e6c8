//! The service over a real socket, with a real client: every flow, and each way in which it fails.

mod api_keys;
mod authorize;
mod demo;
mod limits;
mod logs;
mod restart;
mod sessions;
mod support;
mod token;
mod well_known;
