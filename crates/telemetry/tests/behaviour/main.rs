//! Metrics and events of engines.

#![forbid(unsafe_code)]

mod board;
mod counting;
mod tracing_events;
