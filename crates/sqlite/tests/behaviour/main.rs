//! The store through its public API, one file a behaviour.

#![forbid(unsafe_code)]

mod accounts;
mod feed;
mod follower;
mod freshness;
mod migrations;
mod processes;
mod store;
mod support;
mod tokens;
mod tombstones;
mod transfer;
mod writes;
