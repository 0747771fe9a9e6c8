//! Runs each example as its user does, and asks it something.

#![forbid(unsafe_code)]

#[path = "../../../crates/postgres/tests/behaviour/cluster.rs"]
#[allow(dead_code, reason = "the tests of that store use more of it")]
mod cluster;

mod actix;
mod api_keys_on_sqlite;
mod axum;
mod dependencies;
mod dpop;
mod hyper;
mod issuers_from_database;
mod keys_in_your_own_table;
mod program;
mod site_with_login;
mod tested_handlers;
mod tokens;
mod tonic;
mod two_processes_on_postgres;
