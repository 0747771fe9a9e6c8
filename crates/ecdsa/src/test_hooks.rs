//! Access to internals and deliberate faults, for tests (feature `test-hooks`).

pub mod arithmetic;
pub(crate) mod fault;

pub use fault::{Fault, with_fault};
