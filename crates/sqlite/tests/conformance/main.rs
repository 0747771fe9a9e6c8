//! The tests for every store.

#![forbid(unsafe_code)]

mod account_store;
mod key_store;
