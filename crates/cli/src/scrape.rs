//! Metrics for Prometheus to scrape.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tollgate_telemetry::Metrics;
use tollgate_telemetry::limits::VERIFICATION_BUCKETS;
use tollgate_telemetry::names::{HTTP_REQUEST_SECONDS, KEY_REFRESH_SECONDS, VERIFICATION_SECONDS};

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::runtime::Handle;

use crate::commands::print;
use crate::error::CommandError;

/// The metrics of this process.
#[derive(Clone)]
pub(crate) struct Scrape {
    pub(crate) metrics: Metrics,
    handle: PrometheusHandle,
}

/// In seconds. A provider answers within a fraction of one; a fetch is given up after about ten.
const REFRESH_BUCKETS: [f64; 8] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// In seconds, as OpenTelemetry's semantic conventions advise for `http.server.request.duration`.
const HTTP_REQUEST_BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

impl Scrape {
    /// Installs this as the process's only recorder.
    pub(crate) fn install() -> Result<Self, CommandError> {
        let failed = |_| CommandError::Options("there is a recorder of metrics already");
        let buckets: [(&str, &[f64]); 3] = [
            (KEY_REFRESH_SECONDS, &REFRESH_BUCKETS),
            (HTTP_REQUEST_SECONDS, &HTTP_REQUEST_BUCKETS),
            (VERIFICATION_SECONDS, &VERIFICATION_BUCKETS),
        ];
        let builder = buckets.into_iter().try_fold(PrometheusBuilder::new(), |builder, (name, buckets)| {
            builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), buckets)
        });
        let handle = builder.map_err(failed)?.install_recorder().map_err(failed)?;
        Ok(Scrape { metrics: Metrics::new(), handle })
    }

    /// Serves the metrics at `/metrics` of `listen`, and prints the address.
    pub(crate) async fn serve(self, listen: SocketAddr) -> Result<(), CommandError> {
        let listening = |source| CommandError::Listen { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        Handle::current().spawn(tollgate_gateway::serve_metrics(listener, move || self.render()));
        let _ = print(&[&format!("tollgate tells Prometheus on http://{address}/metrics\n")])?;
        Ok(())
    }

    /// All metrics, in Prometheus's text format.
    pub(crate) fn render(&self) -> String {
        self.metrics.collect();
        // Otherwise recorded values of histograms would wait for the next rendering.
        self.handle.run_upkeep();
        self.handle.render()
    }
}
