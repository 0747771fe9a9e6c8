//! The format, the digest and the table through their public API, one file per behaviour.

#![forbid(unsafe_code)]

mod allocations;
mod attacks;
mod concurrency;
mod format;
mod last_use;
mod memory;
mod messages;
mod support;
mod table;
