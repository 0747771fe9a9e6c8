//! What is removed stays removed, in every order in which threads can run: the engine's own code under loom, which tries
//! them all, and with them every older value that the memory orderings let a load see.
//!
//! A removal is a revocation, a key set without the key, or an issuer that is removed or replaced. It meets verifies that are under way: of tokens that are new,
//! that lie in the table of all threads or in a thread's own, that evict each other. Once it has returned, no verify that
//! starts later accepts, on any thread. A proof of possession that was used is as good as removed. See CONTRIBUTING.md for the command.

#![forbid(unsafe_code)]
#![cfg(tollgate_model)]

mod api_keys;
#[path = "../../../apikeys/tests/removal_model/explore.rs"]
mod explore;
mod proofs;
mod tokens;
