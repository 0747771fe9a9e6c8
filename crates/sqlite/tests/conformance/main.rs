//! The tests that every store has to pass.

#![forbid(unsafe_code)]

mod account_store;
mod key_store;
