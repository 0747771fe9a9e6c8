//! Removals are final in every order in which threads can run: loom tries all orders of the engine's own code, and
//! with them every older value that the memory orderings let a load see.
//!
//! A removal is a revocation, a key set without the key, or an issuer that is removed or replaced. It meets
//! verifies that are under way: of new tokens, of tokens in the table of all threads or in a thread's own, and of
//! tokens that evict each other. When the removal has returned, no verify that starts later accepts the token, on
//! any thread. A used proof of possession counts as removed. See CONTRIBUTING.md for the command.

#![forbid(unsafe_code)]
#![cfg(tollgate_model)]

mod api_keys;
#[path = "../../../apikeys/tests/removal_model/explore.rs"]
mod explore;
mod proofs;
mod tokens;
