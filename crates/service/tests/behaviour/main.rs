//! The service over a real socket, with a real client: every flow, and each way in which it fails.

#![forbid(unsafe_code)]

#[path = "../../../postgres/tests/behaviour/cluster.rs"]
#[allow(dead_code, reason = "the tests of that store use more of it")]
mod cluster;

#[path = "../../../postgres/tests/behaviour/cutter.rs"]
mod cutter;

mod admin_clients;
mod admin_keys;
mod api_keys;
mod assertions;
mod audit;
mod authorize;
mod browser;
mod clients;
mod connections;
mod consents;
mod cors;
mod demo;
mod derived;
mod devices;
mod dpop;
mod foreign;
mod guesses;
mod introspect;
mod limits;
mod logins;
mod logs;
mod mutual_tls;
mod oidc;
mod opaque;
mod par;
mod postgres;
mod processes;
mod proxies;
mod refresh;
mod restart;
mod revocations;
mod revoke;
mod sealing;
mod sessions;
mod signing_keys;
mod storage;
mod support;
mod token;
mod unfinished;
mod users;
mod well_known;
