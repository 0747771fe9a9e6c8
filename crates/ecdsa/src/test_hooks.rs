//! What tests look at from outside, and faults that they make on purpose (feature `test-hooks`).

pub mod arithmetic;
pub(crate) mod fault;

pub use fault::{Fault, with_fault};
