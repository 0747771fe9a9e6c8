//! The store on PostgreSQL servers that the tests start. The tests are skipped if PostgreSQL is not installed, unless
//! `TOLLGATE_SKIP_NOTHING` is set.

#![forbid(unsafe_code)]

mod cluster;
mod commands;
mod conformance;
mod cutter;
mod durability;
mod failover;
mod figures;
mod history;
mod order;
mod schema;
mod support;
