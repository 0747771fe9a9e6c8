//! Runs each example as its user does, and asks it something.

#![forbid(unsafe_code)]

mod actix;
mod api_keys_on_sqlite;
mod dependencies;
mod hyper;
mod issuers_from_database;
mod keys_in_your_own_table;
mod program;
mod tested_handlers;
mod tokens;
