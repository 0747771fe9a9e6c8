//! Remote keys against a real HTTP server on loopback that misbehaves on command.

#![forbid(unsafe_code)]

mod attacks;
mod certificates;
mod connections;
mod credentials;
mod discovery;
mod health;
mod introspected_jwts;
mod introspection;
mod key_uses;
mod keys_without_kid;
mod misbehaving;
mod rotation;
mod saved;
mod schedule;
mod status_lists;
mod support;
mod swaps;
mod tls;
mod unknown_keys;
