//! Metrics for Prometheus to scrape.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tollgate_telemetry::Metrics;
use tollgate_telemetry::names::KEY_REFRESH_SECONDS;

use crate::error::CommandError;

/// The metrics of this process.
#[derive(Clone)]
pub(crate) struct Scrape {
    pub(crate) metrics: Metrics,
    handle: PrometheusHandle,
}

/// Seconds. A provider answers within a fraction of one; a fetch is given up after some ten.
const REFRESH_BUCKETS: [f64; 8] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

impl Scrape {
    /// Makes it the recorder of the process, of which there is one.
    pub(crate) fn install() -> Result<Self, CommandError> {
        let failed = |_| CommandError::Options("there is a recorder of metrics already");
        let builder = PrometheusBuilder::new();
        let builder = builder.set_buckets_for_metric(Matcher::Full(KEY_REFRESH_SECONDS.to_owned()), &REFRESH_BUCKETS);
        let handle = builder.map_err(failed)?.install_recorder().map_err(failed)?;
        Ok(Scrape { metrics: Metrics::new(), handle })
    }

    /// Everything so far, in Prometheus's text format.
    pub(crate) fn render(&self) -> String {
        self.metrics.collect();
        // Else what was recorded in histograms would wait for whoever renders next.
        self.handle.run_upkeep();
        self.handle.render()
    }
}
