//! What a key must pass before it is used.
//!
//! The checks are arithmetic on public numbers and the same under every backend: ring offers no check of a curve point
//! outside a key agreement (which draws random numbers and takes half a millisecond on P-384) and none at all of an
//! Ed25519 key, so `field` does the few multiplications that they take.

mod ec;
mod ed25519;
mod field;
mod rsa;
mod secret;

pub(crate) use ec::vet_point;
pub(crate) use ed25519::vet_ed25519;
pub(crate) use rsa::vet_rsa;
pub(crate) use secret::vet_secret;
