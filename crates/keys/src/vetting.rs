//! Checks that every key must pass before it is used.
//!
//! The checks are arithmetic on public numbers and the same under every backend. ring checks a curve point only inside
//! a key agreement, which draws random numbers and takes half a millisecond on P-384, and has no check of an Ed25519
//! key. So `field` implements the few multiplications that the checks need.

mod ec;
mod ed25519;
mod field;
mod rsa;
mod secret;

pub(crate) use ec::vet_point;
pub(crate) use ed25519::vet_ed25519;
pub(crate) use rsa::vet_rsa;
pub(crate) use secret::vet_secret;
