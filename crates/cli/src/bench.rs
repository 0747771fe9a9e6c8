//! Measuring verify under traffic of a given shape.
//!
//! [`traffic`] creates an engine, its tokens and its API keys; [`worker`] is the work of each thread; [`measured`] has
//! the results, and the other modules show them.

mod charts;
mod json;
mod measured;
mod progress;
mod run;
mod shape;
mod signature;
mod table;
mod traffic;
mod worker;

pub(crate) use charts::charts;
pub(crate) use json::json;
pub(crate) use run::measure;
pub(crate) use shape::Shape;
pub(crate) use table::table;
