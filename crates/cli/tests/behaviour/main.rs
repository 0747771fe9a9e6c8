//! The built command as a process, one file a sub-command.

#![forbid(unsafe_code)]

mod algorithms;
mod api_key;
mod audit;
#[cfg(unix)]
mod behind_nginx;
mod bench;
mod check;
mod claims;
mod client;
mod clients;
#[path = "../../../postgres/tests/behaviour/cluster.rs"]
#[allow(dead_code, reason = "the tests of that store use more of it")]
mod cluster;
mod configuration;
mod deploy;
#[cfg(unix)]
mod docs;
mod explain;
mod follow;
mod gateway;
mod import;
mod input;
mod inspect;
mod introspection;
mod jws;
mod key_sources;
mod keys;
mod make;
mod operating;
mod postgres;
mod providers;
mod public_reports;
mod requests;
mod revoke;
#[cfg(unix)]
mod serve;
mod serve_options;
mod status_lists;
mod support;
mod usage;
mod user;
mod verify;
mod wycheproof;
