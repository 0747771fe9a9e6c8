//! The format, the digest and the table as a user meets them, one file a behaviour.

#![forbid(unsafe_code)]

mod allocations;
mod attacks;
mod concurrency;
mod format;
mod last_use;
mod memory;
mod support;
mod table;
