//! The store on servers of PostgreSQL that the tests start themselves. Where it is not installed they are skipped, unless
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
