#![doc = include_str!("../README.md")]
//!
//! [`Metrics`] counts each verify by verdict, credential kind and issuer, and collects the counters of engines, remote key
//! sets and followers of stores. [`Trace`] writes an event for each rejection, or for each verify. Neither contains personal
//! data unless configured to.
//!
//! ```
//! use std::sync::Arc;
//!
//! use tollgate::{ApiKeyTable, Engine, KeyFormat};
//! use tollgate_telemetry::{Metrics, Trace};
//!
//! let (metrics, trace) = (Metrics::new(), Trace::new());
//! let counting = metrics.clone();
//! let engine = Engine::builder().api_keys(ApiKeyTable::new(KeyFormat::new("tg", "live")?)).untimed_observer(move |seen| {
//!     counting.count(seen);
//!     trace.record(seen);
//! });
//! let engine = Arc::new(engine.build()?);
//! metrics.watch_engine(&engine);
//!
//! assert!(engine.verify("Bearer nonsense").is_err());
//! // Before each scrape, or every few seconds.
//! metrics.collect();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! | feature | gives |
//! |---|---|
//! | `metrics` (on by default) | [`Metrics`] |
//! | `tracing` (on by default) | [`Trace`] |
//! | `remote` | metrics of remote key sets and introspection endpoints |
//! | `storage` | metrics of the follower of a store |
//! | `tower` | metrics of the layers of `tollgate-tower` |

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "metrics")]
mod counts;
#[cfg(feature = "metrics")]
mod durations;
#[cfg(feature = "metrics")]
pub mod limits;
#[cfg(feature = "metrics")]
pub mod names;
#[cfg(feature = "metrics")]
mod registry;
#[cfg(all(feature = "metrics", feature = "remote"))]
mod remote;
#[cfg(all(feature = "metrics", feature = "storage"))]
mod storage;
#[cfg(all(feature = "metrics", feature = "tower"))]
mod tower;
#[cfg(feature = "tracing")]
mod trace;

#[cfg(feature = "metrics")]
pub use registry::Metrics;
#[cfg(feature = "tracing")]
pub use trace::Trace;
