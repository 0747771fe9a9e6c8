#![doc = include_str!("../README.md")]
//! The pictures need no script and no font of their own, and follow the reader's choice of a light or a dark page.
//!
//! ```
//! use tollgate_chart::{Bar, BarChart, svg};
//!
//! let chart = BarChart::new("One verify", "microseconds, less is better")
//!     .group("RS256", [Bar::new("tollgate", 20.1, "20.1").ours(), Bar::new("another", 26.9, "26.9")]);
//! assert!(svg(&[&chart]).starts_with("<svg"));
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod bars;
mod canvas;
mod document;
mod histogram;

pub use bars::{Bar, BarChart};
pub use document::{Chart, svg};
pub use histogram::Histogram;
