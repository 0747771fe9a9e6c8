//! What a program sees of its engines.

#![forbid(unsafe_code)]

mod board;
mod counting;
mod tracing_events;
