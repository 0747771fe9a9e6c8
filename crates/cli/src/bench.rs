//! Measuring verify under traffic of a given shape.
//!
//! [`traffic`] makes up an engine, its tokens and its API keys; [`worker`] is what each thread does; [`measured`] is what comes
//! of it, and the other modules show it.

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
